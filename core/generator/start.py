"""Where sampling begins when it does not begin from noise alone: partly noised images, kept surroundings, mixed noises.

Image to image (SDEdit, Meng et al. 2022, arXiv:2108.01073) noises an image to a level on the way and goes on from
there. Inpainting does the same and puts the noised surroundings back after every step (Lugmayr et al. 2022,
arXiv:2201.09865, without its repetitions). Interpolation begins from noise on the sphere between two noises, which an
image that was not generated here gets by going the deterministic way backwards (DDIM inversion, Song et al. 2021,
arXiv:2010.02502).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.schedulers import Predict, Scheduler, image_and_noise, noise_level

if TYPE_CHECKING:
    from core.generator.sampler import ImageStreams

Pixels = NDArray[np.uint8]

_PARALLEL: Final = 1 - 1e-6
"""From this cosine on, two noises count as having one direction."""


@dataclass(frozen=True, eq=False)
class Start:
    """What a batch begins from; float32, in the space in which its network works.

    Attributes
    ----------
    first
        How many of the scheduler's steps are left out; 0 to number of steps - 1.
    images
        (B, C, h, w) that are noised to the level of the first step; None to begin from noise.
    painted
        (B, 1, h, w) of 0..1: where images are generated; elsewhere they stay what they are. None is everywhere.
    """

    first: int = 0
    images: Tensor | None = None
    painted: Tensor | None = None

    def first_sample(self, scheduler: Scheduler, noise: Tensor, scale: float) -> Tensor:
        """Return x_t of the first step, (B, C, h, w); `scale` is the deviation of the noise that sampling begins with.

        With no step left out it is noise alone, whatever the images: the highest level has nothing of them.
        """
        if self.images is None or self.first == 0:
            return noise * scale
        return self._noised(scheduler, self.first, noise)

    def with_surroundings(self, scheduler: Scheduler, step: int, sample: Tensor, noise: Tensor) -> Tensor:
        """Return x_t after `step` of the scheduler's steps, what is not painted noised to the same level."""
        if self.painted is None:
            return sample
        return torch.lerp(self._noised(scheduler, step, noise), sample, self.painted)

    def _noised(self, scheduler: Scheduler, step: int, noise: Tensor) -> Tensor:
        assert self.images is not None  # what is kept is kept of images
        alpha, sigma = noise_level(scheduler, step)
        return alpha * self.images + sigma * noise


FROM_NOISE = Start()


@dataclass(frozen=True, slots=True)
class Blend:
    """Mixtures of two classes that a network is asked for.

    Attributes
    ----------
    labels
        Of the two classes.
    shares
        Of the second, for each image of the batch, 0..1.
    """

    labels: tuple[int, int]
    shares: tuple[float, ...]


class BlendedClasses(nn.Module):
    """In place of a network's embedding of classes: the first images get mixtures of two, the others their own.

    At the shares 0 and 1 it is the embedding of one class, to the bit.
    """

    def __init__(self, embedding: nn.Module, blend: Blend) -> None:
        super().__init__()
        self.embedding, self.blend = embedding, blend

    def forward(self, labels: Tensor) -> Tensor:
        """Return the embeddings (B, E) of labels (B,)."""
        own: Tensor = self.embedding(labels)
        first, second = (self.embedding(labels.new_tensor([label])) for label in self.blend.labels)
        shares = own.new_tensor(self.blend.shares)[:, None]
        mixed = torch.lerp(first, second, shares)
        mixed = torch.where(shares == 0, first, torch.where(shares == 1, second, mixed))
        return torch.cat([mixed, own[len(mixed) :]])


def steps_left_out(strength: float, steps: int) -> int:
    """Return how many of the steps an image is spared at a strength: none at 1, all but one towards 0."""
    return min(steps - round(strength * steps), steps - 1)


def slerp(first: Tensor, second: Tensor, share: float) -> Tensor:
    """Return the noise at a share 0..1 of the way between two, on the great circle (Shoemake 1985).

    A mean of two noises would have a smaller deviation than noise has, and sampling from it blurs. The ends are the
    noises themselves, to the bit.
    """
    if share in (0.0, 1.0):
        return second if share else first
    a, b = first.double().flatten(), second.double().flatten()
    cosine = (a @ b / (a.norm() * b.norm())).clamp(-1, 1)
    if abs(float(cosine)) > _PARALLEL:
        return torch.lerp(first, second, share)
    angle = cosine.arccos()
    mixed = ((1 - share) * angle).sin() * a + (share * angle).sin() * b
    return (mixed / angle.sin()).reshape(first.shape).float()


@torch.inference_mode()
def invert(predict: Predict, scheduler: Scheduler, images: Tensor, scale: float) -> Tensor:
    """Return the noise (B, C, h, w) from which the deterministic way leads back to about these images.

    At each level the noise that is predicted at the one below is added, so it is exact for many steps.

    Parameters
    ----------
    predict
        Without guidance: with it, the way back is another one than the way there.
    scheduler
        Fresh from `build_scheduler`; its levels are gone through from the last to the first.
    scale
        Deviation of the noise that sampling begins with.
    """
    sample, last = images, len(scheduler.timesteps) - 1
    for step in range(last, -1, -1):
        level = min(step + 1, last)  # the clean image counts as being at the lowest level
        answer = predict(sample, scheduler.timesteps[level])
        image, noise = image_and_noise(scheduler, answer, sample, level)
        alpha, sigma = noise_level(scheduler, step)
        sample = alpha * image + sigma * noise
    return sample / scale


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """The picture around what is painted.

    Attributes
    ----------
    pixels
        RGB, uint8, (H, W, 3).
    share
        Of what is generated in each pixel, 0..1, (H, W, 1); 0 outside of the mask.
    """

    pixels: Pixels
    share: NDArray[np.float32]

    def around(self, made: Pixels) -> Pixels:
        """Return the generated pixels inside the mask, and the picture's own outside, to the bit."""
        mixed = self.pixels + self.share * (made.astype(np.float32) - self.pixels)
        return np.where(self.share == 0, self.pixels, np.rint(mixed).astype(np.uint8))


@dataclass(frozen=True, slots=True, eq=False)
class BatchStart:
    """What a batch begins from.

    Attributes
    ----------
    start
        For the denoising loop.
    streams
        Random streams in place of those that the seeds give, or None.
    blend
        Which mixtures of classes the network is asked for, or None.
    surroundings
        By position in the batch, for images that are painted in part.
    """

    start: Start = FROM_NOISE
    streams: ImageStreams | None = None
    blend: Blend | None = None
    surroundings: Mapping[int, Surroundings] | None = None

    def around(self, position: int, pixels: Pixels) -> Pixels:
        """Return a finished image with what was to stay as it was."""
        kept = (self.surroundings or {}).get(position)
        return pixels if kept is None else kept.around(pixels)


PLAIN: Final = BatchStart()
