"""Every image that training ever sees, by its number alone.

Draw k has its own random stream, made from the run's seed and k: which photograph, which of its views, which timestep,
which noise, whether its label is dropped. So the position in the data is one number, a continued run sees exactly what
an uninterrupted one would, and N processes that share out each batch see what one process sees.

Images may be zoomed and recoloured views of a photograph, if they say that they are. Skin has no up or down, so a
turned photograph is as true as the original. A recoloured one is not: a generator that learns from it paints such
colours. Karras et al. (2022, arXiv:2206.00364, appendix F.2) tell the network what was done to each image and ask for
nothing when sampling. Here it is told by the label: every label has a twin for augmented images, so the pack remains a
plain UNet2DModel, and what the twins learn cannot be sampled by accident.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torch.utils.data import Dataset, Sampler

from diffusion.config import DiffusionConfig
from training.runtime import class_weights, dihedral

ZOOM = 0.25
"""Largest part of the side that is cut away, so no border has to be invented."""

GAIN, CHANNEL_GAIN, SHIFT = 0.15, 0.08, 0.08
"""Largest change of contrast, of a channel's contrast, and of brightness, as a share of the full range."""


def zoom_and_recolour(image: Tensor, uniform: Tensor) -> Tensor:
    """Return a view of a (3, S, S) uint8 image: a part of it at full size, in slightly other colours.

    Parameters
    ----------
    uniform
        8 numbers in 0..1 that decide everything: size, place (2), contrast, that of each channel (3), brightness.
    """
    return _recoloured(_zoomed(image.float(), uniform[:3]), uniform[3:] * 2 - 1).round().clamp(0, 255).to(torch.uint8)


def _zoomed(image: Tensor, uniform: Tensor) -> Tensor:
    size = image.shape[-1]
    side = size - int(uniform[0] * (ZOOM * size + 1))
    top, left = (int(place * (size - side + 1)) for place in uniform[1:])
    part = image[None, :, top : top + side, left : left + side]
    return interpolate(part, size=(size, size), mode="bicubic", antialias=True, align_corners=False)[0]


def _recoloured(image: Tensor, change: Tensor) -> Tensor:
    mean = image.mean((1, 2), keepdim=True)
    contrast = 1 + GAIN * change[0] + CHANNEL_GAIN * change[1:4, None, None]
    return (image - mean) * contrast + mean * (1 + CHANNEL_GAIN * change[1:4, None, None]) + 255 * SHIFT * change[4]


_GOLDEN: Final = 0x9E3779B97F4A7C15
"""2^64 over the golden ratio: its multiples cover the circle as evenly as any sequence can."""

_CIRCLE: Final = 2**64

_FINE: Final = 2**32
"""Steps in which a continuous time is cut."""


@dataclass(frozen=True)
class ImageSet:
    """Photographs in memory: pixels (N, 3, S, S) uint8, and labels (N,) int64, indices into the run's classes."""

    pixels: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def of_class(self, label: int) -> Tensor:
        """Return the pixels of one class."""
        return self.pixels[self.labels == label]

    def upright(self, index: int) -> Tensor:
        """Return an image as it is."""
        return self.pixels[index]

    def view(self, index: int, stream: torch.Generator) -> Tensor:
        """Return an image in one of the eight symmetries of the square."""
        return dihedral(self.pixels[index, None], stream)[0]


class Shown(Protocol):
    """What draws are made from: photographs, or their latent images."""

    @property
    def labels(self) -> Tensor:
        """Indices into the run's classes, int64 (N,)."""

    def __len__(self) -> int:
        """Return how many there are."""

    def upright(self, index: int) -> Tensor:
        """Return an image as it is."""

    def view(self, index: int, stream: torch.Generator) -> Tensor:
        """Return an image in one of the eight symmetries of the square."""


class Draw(NamedTuple):
    """One image as training sees it, or a batch of them.

    Attributes
    ----------
    pixels
        (3, S, S) uint8, or float32 in -1..1 once it is on the network's device; a latent image is (C, h, w) of floats.
    label
        What the network is told, int64.
    timestep
        int64; of rectified flow the share of noise, float32 in 0..1.
    noise
        Of the shape of `pixels`, float32, standard normal.
    """

    pixels: Tensor
    label: Tensor
    timestep: Tensor
    noise: Tensor


class Draws(Dataset[Draw]):
    """Random draws from a set of photographs, with replacement; item k is the k-th image that training sees."""

    def __init__(self, images: Shown, config: DiffusionConfig) -> None:
        self._images, self._config = images, config
        self._odds = class_weights(images.labels, len(config.classes), config.sampling_power).cumsum(0)
        self._start = stream_seed(config.seed, "timesteps", 8)

    def __len__(self) -> int:
        return self._config.images

    def __getitem__(self, position: int) -> Draw:
        stream = torch.Generator().manual_seed(stream_seed(self._config.seed, position))
        which, dropped, augmented, *rest = torch.rand(11, generator=stream, dtype=torch.float64).unbind()
        index = int(torch.searchsorted(self._odds, which * self._odds[-1], right=True).clamp(max=len(self._odds) - 1))
        pixels = self._images.view(index, stream)
        is_augmented = bool(augmented < self._config.augmentation)
        if is_augmented:
            pixels = zoom_and_recolour(pixels, torch.stack(rest).float())
        label = self._label(int(self._images.labels[index]), bool(dropped < self._config.label_dropout), is_augmented)
        noise = torch.randn(pixels.shape, generator=stream)
        return Draw(pixels, torch.tensor(label), self._timestep(position), noise)

    def _label(self, label: int, dropped: bool, augmented: bool) -> int:
        own = len(self._config.classes) if dropped else label
        return own + self._config.labels // 2 if augmented else own

    def _timestep(self, position: int) -> Tensor:
        """Return a random timestep; those of consecutive positions cover the range evenly, so batches differ less."""
        return timestep_at(self._start, position, self._config)


class FixedDraws(Dataset[Draw]):
    """Every photograph of a set once, upright, with its own label and the same timestep and noise at each call."""

    def __init__(self, images: Shown, config: DiffusionConfig) -> None:
        self._images, self._config = images, config

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, position: int) -> Draw:
        pixels = self._images.upright(position)
        noise = torch.randn(pixels.shape, generator=torch.Generator().manual_seed(position))
        return Draw(pixels, self._images.labels[position], timestep_at(0, position, self._config), noise)


class Positions(Sampler[list[int]]):
    """The positions that one process draws, one list a forward pass, without an end.

    Parameters
    ----------
    start
        Position of the first image of the first batch.
    batch_size
        Images of a batch over all processes.
    rank, processes
        Which of how many processes this is; each takes one slice of every part of a batch.
    parts
        Forward passes in which each process computes its share of a batch.
    """

    def __init__(self, start: int, batch_size: int, rank: int = 0, processes: int = 1, parts: int = 1) -> None:
        self._start, self._batch_size, self._rank = start, batch_size, rank
        self._part, self._slice = batch_size // parts, batch_size // (parts * processes)

    def __iter__(self) -> Iterator[list[int]]:
        part = self._start
        while True:
            first = part + self._rank * self._slice
            yield list(range(first, first + self._slice))
            part += self._part


def timestep_at(start: int, position: int, config: DiffusionConfig) -> Tensor:
    """Return the timestep of a position: int64, uniform; or, of rectified flow, float32 in 0..1, logit-normal."""
    if config.prediction_type != "flow":
        return torch.tensor(even_timestep(start, position, config.train_timesteps))
    uniform = even_timestep(start, position, _FINE) + 0.5
    normal = torch.special.ndtri(torch.tensor(uniform / _FINE, dtype=torch.float64))
    return torch.sigmoid(config.time_location + config.time_spread * normal).float()


def even_timestep(start: int, position: int, timesteps: int) -> int:
    """Return the timestep of the additive golden-ratio sequence at a position, exactly, in 0..timesteps-1."""
    return ((start + position * _GOLDEN) % _CIRCLE) * timesteps // _CIRCLE


def stream_seed(seed: int, what: object, size: int = 4) -> int:
    """Return the seed, of `size` bytes, of the random stream of a run that is for one thing alone."""
    return int.from_bytes(hashlib.blake2b(f"{seed}:{what}".encode(), digest_size=size).digest(), "little")
