"""The denoising loop: per-image random streams in, one state a step out. Nothing here knows of files or events."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.diffusers_parts import DDPMScheduler, UniPCMultistepScheduler
from core.generator.start import FROM_NOISE, Start
from core.schedulers import ClippedHeun, FlowEuler, Scheduler, clip_range

Predictor = Callable[[Tensor, Tensor], Tensor]
"""(x_t float32 (B, 3, H, W), timestep) -> the network's raw prediction, float32, of the same shape."""


@dataclass(frozen=True, slots=True)
class StepState:
    """One denoising step of a batch; all tensors float32, shape (B, 3, H, W), on the network's device.

    Attributes
    ----------
    step
        1 to `steps`.
    timestep
        The timestep t that the network was asked about.
    noisy
        x_t, what the network saw.
    predicted
        The image that x_t was predicted to become, in [-1, 1].
    sample
        What the step leads to; the finished images after the last step.
    """

    step: int
    steps: int
    timestep: float
    noisy: Tensor
    predicted: Tensor
    sample: Tensor


class ImageStreams:
    """The random streams of a batch: one CPU generator per image, seeded by that image's seed alone.

    Parameters
    ----------
    seeds
        One seed per image of the batch.
    shape
        (3, H, W) of one image.
    """

    def __init__(self, seeds: Sequence[int], shape: tuple[int, int, int]) -> None:
        self.generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
        self.initial = torch.cat([torch.randn((1, *shape), generator=g) for g in self.generators])

    def noise_hash(self, position: int) -> str:
        """Return the fingerprint of an image's initial noise."""
        return noise_hash(self.initial[position])


def noise_hash(noise: Tensor) -> str:
    """Return the first 16 hex digits of SHA-256 over the noise as little-endian float32."""
    return hashlib.sha256(noise.numpy().astype("<f4").tobytes()).hexdigest()[:16]


def denoise(
    predict: Predictor, scheduler: Scheduler, streams: ImageStreams, device: torch.device, start: Start = FROM_NOISE
) -> Iterator[StepState]:
    """Yield one state after every denoising step of a batch.

    The initial noise and the noise of every step are drawn in float32 on the CPU, image by image, so an image does not
    depend on the batch it is in nor on the device. The scheduler computes in float32 whatever the network does.

    Parameters
    ----------
    scheduler
        Fresh from `build_scheduler`; multistep schedulers remember, so each batch needs its own.
    start
        What to begin from, on the device, if not from noise alone.
    """
    noise = streams.initial.to(device) if start.noise is None else start.noise
    sample = start.first_sample(scheduler, noise, initial_scale(scheduler))
    if start.first and not isinstance(scheduler, DDPMScheduler):  # that one looks its level up by the timestep
        scheduler.set_begin_index(start.first)
    total = len(scheduler.timesteps)
    for step, timestep in enumerate(scheduler.timesteps[start.first :], start=start.first + 1):
        noisy = sample
        stepped, predicted = advance(predict, scheduler, timestep, noisy, streams.generators)
        sample = start.with_surroundings(scheduler, step, stepped, noise)
        yield StepState(step - start.first, total - start.first, float(timestep), noisy, predicted, sample)


def initial_scale(scheduler: Scheduler) -> float:
    """Return the deviation of the noise that sampling begins with."""
    return 1.0 if isinstance(scheduler, FlowEuler) else float(scheduler.init_noise_sigma)


# The mode must not be on while the consumer of the loop runs, so it is entered anew for every step.
@torch.inference_mode()
def advance(
    predict: Predictor, scheduler: Scheduler, timestep: Tensor, noisy: Tensor, generators: list[torch.Generator]
) -> tuple[Tensor, Tensor]:
    """Take one denoising step and return x_{t-1} and the predicted x0.

    Parameters
    ----------
    generators
        One for each image of the batch; the step's noise is drawn from them.
    """
    if isinstance(scheduler, FlowEuler | ClippedHeun):
        return scheduler.advance(predict, timestep, noisy)
    output = predict(noisy, timestep)
    streams = {} if isinstance(scheduler, UniPCMultistepScheduler) else {"generator": generators}
    result = scheduler.step(output, timestep, noisy, **streams)
    if isinstance(scheduler, DDPMScheduler):
        largest = clip_range(scheduler.config)
        return result.prev_sample, result.pred_original_sample.clamp(-largest, largest)
    return result.prev_sample, scheduler.model_outputs[-1]


def to_uint8(images: Tensor) -> NDArray[np.uint8]:
    """Return images in [-1, 1], shape (..., 3, H, W), as uint8 of shape (..., H, W, 3).

    Values are truncated, not rounded, as the predecessor does.
    """
    scaled = (((images.float() + 1) / 2).clamp(0, 1) * 255).to(torch.uint8)
    return scaled.movedim(-3, -1).cpu().contiguous().numpy()
