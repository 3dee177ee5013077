"""How good the moving average is right now: samples, their distance to held-out lesions, and the loss on these.

`sample` draws samples of a network in memory by the product's own sampler; it may be in the middle of its training.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from core.diffusers_parts import UNet2DModel
from core.generator.model_manager import LatentSpace, LoadedModel
from core.generator.sampler import Drawing, Settings, to_uint8
from core.models.networks import use_per_head_attention
from core.precision import DTYPES, Precision
from core.samplers import DEFAULT_SAMPLER, usual_steps
from core.schedulers import describe_scheduler
from core.taxonomy import image_seed
from diffusion.config import DiffusionConfig
from diffusion.draws import Draw, FixedDraws, ImageSet
from diffusion.latent.latents import Latents
from diffusion.loss import diffusion_loss
from diffusion.model import NoiseSchedule
from measures.features import Extractor, load_extractor
from measures.kid import MIN_IMAGES, Kid, kid
from measures.texture import texture_of


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


SAMPLE_SEED = 42
"""Base seed of the samples: those of `generate --seed 42`."""

_BATCH = 16


@dataclass(frozen=True)
class Evaluation:
    """The moving average at one moment.

    Attributes
    ----------
    samples
        uint8 (classes, n, 3, S, S), the same seeds at every evaluation.
    kid
        Mean over the classes of the distance of their samples to their held-out photographs, or None if no class has
        enough of both. Because it goes class by class, samples of the wrong class count as bad, and because it is a
        plain mean, the rare classes count as much as the frequent ones.
    """

    validation_loss: float
    samples: Tensor
    kid: Kid | None
    kid_by_class: dict[str, float]
    space: str


class Evaluator:
    """Looks at networks of one run.

    Parameters
    ----------
    held_out
        Photographs of lesions that are not in training.
    extractor
        In place of the one that `config.extractor` names.
    latents
        Of the same photographs, for a network that draws latent images.
    """

    def __init__(
        self,
        config: DiffusionConfig,
        scheduler: NoiseSchedule,
        held_out: ImageSet,
        device: torch.device,
        precision: Precision,
        extractor: Extractor | None = None,
        latents: Latents | None = None,
    ) -> None:
        self._config, self._scheduler, self._held_out = config, scheduler, held_out
        self._latents = latents
        self._device, self._precision = device, precision
        self._given_extractor = extractor

    @cached_property
    def extractor(self) -> Extractor:
        """The features in which distances are measured: those that select the best weights, and nothing else."""
        if self._given_extractor is not None:
            return self._given_extractor
        path = self._config.extractor
        return texture_of(self._held_out.pixels) if path is None else load_extractor(path, self._device)

    def evaluate(self, net: UNet2DModel, cancelled: Callable[[], bool]) -> Evaluation | None:
        """Return the evaluation of a network in fp32, which is converted in place; None if it was cancelled."""
        loss = self.validation_loss(net)
        samples = list(self._draw(net, cancelled))
        if len(samples) < len(self._config.classes):
            return None
        by_class = self._distances(samples)
        values = {code: found.value for code, found in by_class.items()}
        return Evaluation(loss, torch.stack(samples), _mean(list(by_class.values())), values, self.extractor.name)

    @torch.inference_mode()
    def validation_loss(self, net: UNet2DModel) -> float:
        """Return the mean training loss over the held-out photographs, always with the same timesteps and noise."""
        losses = []
        shown = self._held_out if self._latents is None else self._latents.validation
        for batch in DataLoader(FixedDraws(shown, self._config), batch_size=_BATCH):
            with autocast(self._device, self._precision):
                draw = on_device(batch, self._device)
                losses.append(diffusion_loss(net, self._scheduler, draw, self._config.min_snr_gamma))
        return float(torch.cat(losses).mean())

    def _draw(self, net: UNet2DModel, cancelled: Callable[[], bool]) -> Iterator[Tensor]:
        net = net.to(memory_format=torch.channels_last)
        if self._precision == "bf16":
            net = net.bfloat16()
        if self._precision == "bf16" and self._device.type == "cpu":
            use_per_head_attention(net)
        config = self._config
        space = None if self._latents is None else self._latents.space(self._device, self._precision)
        batch = _BATCH if self._device.type == "cpu" else 4 * _BATCH
        settings = SampleSettings(
            steps=config.sample_steps, guidance=config.guidance, batch_size=batch, precision=self._precision
        )
        for label, code in enumerate(config.classes):
            if cancelled():
                return
            seeds = [image_seed(code, index, SAMPLE_SEED) for index in range(config.samples_per_class)]
            yield draw_samples(
                net,
                describe_scheduler(self._scheduler),  # its plain configuration does not say of which class it is
                None if config.kind == "per_class" else label,
                seeds,
                null_label=config.null_label,
                settings=settings,
                space=space,
            )

    def _distances(self, samples: list[Tensor]) -> dict[str, Kid]:
        real = self._real_features
        pairs = {code: (self.extractor(samples[label]), real[label]) for label, code in enumerate(self._config.classes)}
        return {code: kid(*pair) for code, pair in pairs.items() if min(map(len, pair)) >= MIN_IMAGES}

    @cached_property
    def _real_features(self) -> list[np.ndarray]:
        features = self.extractor(self._held_out.pixels)
        labels = self._held_out.labels.numpy()
        return [features[labels == label] for label in range(len(self._config.classes))]


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """Return the context in which a network computes in a number format; its weights stay fp32."""
    return torch.autocast(device.type, dtype=DTYPES[precision], enabled=precision != "fp32")


def on_device(batch: Draw, device: torch.device) -> Draw:
    """Return a batch on a device, its pixels float32 in -1..1; latent images as they are, float32."""
    moved = Draw(*(tensor.to(device, non_blocking=True) for tensor in batch))
    are_bytes = moved.pixels.dtype == torch.uint8
    return moved._replace(pixels=moved.pixels.float() / 127.5 - 1 if are_bytes else moved.pixels.float())


def _mean(distances: list[Kid]) -> Kid | None:
    """Return the mean of independent distances; the margins of their intervals add as squares."""
    if not distances:
        return None
    count = len(distances)
    value = sum(found.value for found in distances) / count
    below = sum((found.value - found.low) ** 2 for found in distances) ** 0.5 / count
    above = sum((found.high - found.value) ** 2 for found in distances) ** 0.5 / count
    images = (sum(found.n_a for found in distances), sum(found.n_b for found in distances))
    return Kid(value, value - below, value + above, *images)
