"""How many images to denoise together: what was asked, what memory holds, what the device gains from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import psutil
import torch

from core.generator.model_manager import ModelSource

MAX_AUTOMATIC: Final = 256
"""Beyond this a graphics card gains nothing, and stopping takes longer."""

_MAPS_PER_IMAGE: Final = 64
"""Activations of one image, in feature maps of the first level's width at full resolution; deliberately generous."""

_USABLE: Final = 0.7
_TRAJECTORY_BYTES: Final = 1024**3


def choose_batch_size(
    asked: int | None, device: torch.device, sources: Sequence[ModelSource], most: int, trajectory_steps: int = 0
) -> int:
    """Return how many images are denoised together.

    A CPU computes a batch no faster than its images one by one, so there it is one unless asked otherwise: progress is
    finer and stopping quicker. A graphics card gets as many as its free memory holds, by a generous estimate.

    Parameters
    ----------
    sources
        The networks that will be used, at least one.
    most
        Largest number of images of one class that the run makes.
    trajectory_steps
        Steps that are kept in memory for every image, if its trajectory is recorded.
    """
    fitting = max(1, _free_bytes(device) // max(bytes_per_image(source) for source in sources))
    if trajectory_steps:
        largest = max(source.image_size**2 for source in sources)
        fitting = min(fitting, max(1, _TRAJECTORY_BYTES // (2 * 3 * largest * trajectory_steps)))
    if asked is not None:
        return asked if device.type == "cuda" and not trajectory_steps else min(asked, fitting)
    return 1 if device.type == "cpu" else min(fitting, most, MAX_AUTOMATIC)


def bytes_per_image(source: ModelSource) -> int:
    """Estimate the memory that one image takes while it is denoised, in fp32, doubled where it may be guided.

    Latent images are decoded one by one, which the batch size does not change.
    """
    passes = 1 if source.null_label is None else 2
    width = max(1, int(source.net_config["block_out_channels"][0]))
    return passes * _MAPS_PER_IMAGE * width * int(source.net_config["sample_size"]) ** 2 * 4


def _free_bytes(device: torch.device) -> int:
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available
    return int(free * _USABLE)
