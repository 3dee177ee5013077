"""What a run comes to before it begins: how many images at once, seconds, room on the disk, memory."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Final

import psutil
import torch

from core.conditioning import Conditioning
from core.files.folder_lock import who_holds
from core.generation import GenerationRequest
from core.generator.cost import RunEstimate, bytes_on_disk
from core.generator.model_manager import LoadedModel, ModelManager, ModelSource, model_source
from core.generator.sampler import Drawing, Settings, effective_guidance
from core.models.discovery import discover
from core.models.networks import WEIGHTS_FILE
from core.precision import resolve_device, resolve_precision
from dataset.layout import Layout

MAX_AUTOMATIC: Final = 256
"""Beyond this a GPU gains nothing, and stopping takes longer."""

_MAPS_PER_IMAGE: Final = 64
"""Activations of one image, in feature maps of the first level's width at full resolution; deliberately generous."""

_USABLE: Final = 0.7
_TRAJECTORY_BYTES: Final = 1024**3


def choose_batch_size(
    asked: int | None, device: torch.device, sources: Sequence[ModelSource], most: int, trajectory_steps: int = 0
) -> int:
    """Return how many images are denoised together.

    A CPU computes a batch no faster than its images one by one, so there it is one unless asked otherwise: progress is
    finer and stopping quicker. A GPU gets as many as its free memory holds, by a generous estimate.

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


def estimate_run(request: GenerationRequest) -> RunEstimate:
    """Decide what a run would decide at its start, and add up what it will take.

    Raises
    ------
    ModelRefusedError
        If no target class has a usable model.
    UsageError
        If the device or the precision is impossible here.
    """
    device = resolve_device(request.device)
    precision = resolve_precision(request.precision, device)
    sources = _sources(request)
    steps = request.steps if request.trajectory else 0
    most = max(count for _, count in request.counts)
    batch_size = choose_batch_size(request.batch_size, device, sources, most, steps)
    size = max(source.image_size for source in sources)
    return RunEstimate(
        device=str(device),
        precision=precision,
        batch_size=batch_size,
        image_size=size,
        memory=_weights(sources) + batch_size * max(bytes_per_image(source) for source in sources),
        disk=bytes_on_disk(request, size),
        free_disk=_free_disk(request.output),
        writer=who_holds(Layout(request.output).state),
    )


def _sources(request: GenerationRequest) -> list[ModelSource]:
    """Return the models of the classes that can be made; if none can, raise what the first of them says."""
    classes = discover(request.models).classes
    asked = [classes[code] for code, _ in request.counts]
    return [model_source(model) for model in asked if model.available] or [model_source(asked[0])]


def _weights(sources: Iterable[ModelSource]) -> int:
    """Return the memory of the networks: twice their files, which may hold half precision."""
    files = {source.weights for source in sources}
    files |= {source.autoencoder / WEIGHTS_FILE for source in sources if source.autoencoder is not None}
    return 2 * sum(path.stat().st_size for path in files if path.is_file())


def _free_disk(output: Path) -> int | None:
    place = output.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return None


WARM_UP: Final = 1
"""Steps that do not count: the first one also prepares memory and kernels."""

TIMED: Final = 3

_SEED: Final = 0


def step_seconds(request: GenerationRequest, manager: ModelManager) -> float:
    """Take a few steps as a run of `request` would, and return the seconds that one takes for one image.

    Raises
    ------
    ModelRefusedError
        If no target class has a usable model.
    UsageError
        If the device or the precision is impossible here.
    """
    told = estimate_run(request)
    model = _first_model(request, manager, told)
    guidance = effective_guidance(model, request.guidance)
    settings = Settings(request.sampler, request.steps, guidance, told.batch_size)
    try:
        return (
            median(islice(_step_times(model, settings, request.conditioning), WARM_UP, WARM_UP + TIMED))
            / told.batch_size
        )
    finally:
        if model.device.type == "cuda":
            torch.cuda.empty_cache()  # what the steps took is not needed before the run


def _first_model(request: GenerationRequest, manager: ModelManager, told: RunEstimate) -> LoadedModel:
    classes = discover(request.models).classes
    chosen = next(classes[code] for code, _ in request.counts if classes[code].available)
    return manager.load(chosen, torch.device(told.device), told.precision)


def _step_times(model: LoadedModel, settings: Settings, conditioning: Conditioning) -> Iterator[float]:
    """Yield the seconds of step after step, batch after batch, without end."""
    while True:
        began = time.perf_counter()
        for state in Drawing(model, settings, [_SEED], conditioning=conditioning).states():
            state.sample.sum().item()  # a GPU works ahead of the program; this waits for it
            yield time.perf_counter() - began
            began = time.perf_counter()
