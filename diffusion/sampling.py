"""Samples of a network in memory, drawn by the product's own sampler; it may be in the middle of its training."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.diffusers_parts import UNet2DModel
from core.generator.model_manager import LatentSpace, LoadedModel
from core.generator.sampler import Drawing, Settings, to_uint8
from core.precision import Precision
from core.samplers import DEFAULT_SAMPLER, usual_steps


@dataclass(frozen=True, slots=True)
class SampleSettings:
    """How to sample.

    Attributes
    ----------
    guidance
        1 samples the class as trained; a larger value exaggerates its characteristics. Needs a null label.
    batch_size
        Images drawn together.
    precision
        Number format that the network is in.
    """

    sampler: str = DEFAULT_SAMPLER
    steps: int = usual_steps()
    guidance: float = 1.0
    batch_size: int = 16
    precision: Precision = "fp32"


def draw_samples(
    net: UNet2DModel,
    scheduler: Mapping[str, Any],
    label: int | None,
    seeds: Sequence[int],
    *,
    null_label: int | None = None,
    settings: SampleSettings | None = None,
    space: LatentSpace | None = None,
) -> Tensor:
    """Return samples of one class, uint8 (N, 3, S, S) on the CPU.

    Parameters
    ----------
    net
        In evaluation mode, on the device that is to draw.
    scheduler
        Configuration of the noise schedule that it was trained with.
    label
        Of the class; None for an unconditional network.
    seeds
        One for each image; an image depends on its own alone.
    null_label
        The label that means "no class", if there is one.
    space
        The latent space that the network draws in, if it does.
    """
    settings = settings or SampleSettings()
    model = LoadedModel(
        net=net,
        class_label=label,
        null_label=null_label,
        scheduler_config=scheduler,
        image_size=int(net.config.sample_size) * (1 if space is None else space.factor),
        sha256="",
        path=Path(),
        recommended={},
        device=next(net.parameters()).device,
        precision=settings.precision,
        space=space,
    )
    return torch.cat(list(_batches(model, seeds, settings)))


def _batches(model: LoadedModel, seeds: Sequence[int], settings: SampleSettings) -> Iterator[Tensor]:
    guidance = 1.0 if model.null_label is None else settings.guidance
    plan = Settings(settings.sampler, settings.steps, guidance, min(settings.batch_size, len(seeds)))
    for start in range(0, len(seeds), plan.batch_size):
        drawing = Drawing(model, plan, seeds[start : start + plan.batch_size])
        (last,) = deque(drawing.states(), maxlen=1)
        yield torch.from_numpy(to_uint8(model.pictures(last.sample))).permute(0, 3, 1, 2)
