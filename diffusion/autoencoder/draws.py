"""Every picture that training ever sees, by its number alone, as in `diffusion.draws`."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion.autoencoder.config import AutoencoderConfig
from diffusion.draws import ImageSet, stream_seed
from training.runtime import class_weights, dihedral


class PictureDraws:
    """Random views of a set of photographs, with replacement; number k is the k-th image that training sees.

    An image is a whole photograph, or crops of several photographs that show as many pixels together.
    """

    def __init__(self, images: ImageSet, config: AutoencoderConfig) -> None:
        self._images, self._config = images, config
        classes = int(images.labels.max()) + 1
        self._odds = class_weights(images.labels, classes, config.sampling_power).cumsum(0)

    def whole(self, position: int) -> Tensor:
        """Return image `position` as one photograph: (1, 3, S, S) uint8."""
        return self._drawn(self._stream(position), 1)

    def crops(self, position: int) -> Tensor:
        """Return image `position` as crops: (n * n, 3, S / n, S / n) uint8."""
        stream, side = self._stream(position), self._config.crop_size
        pictures = self._drawn(stream, self._config.crops**2)
        places = torch.randint(self._config.image_size - side + 1, (len(pictures), 2), generator=stream).tolist()
        cut = [picture[:, y : y + side, x : x + side] for picture, (y, x) in zip(pictures, places, strict=True)]
        return torch.stack(cut)

    def batch(self, position: int, *, whole: bool) -> Tensor:
        """Return the pictures of the batch that begins with image `position`."""
        view = self.whole if whole else self.crops
        return torch.cat([view(position + index) for index in range(self._config.batch_size)])

    def _stream(self, position: int) -> torch.Generator:
        return torch.Generator().manual_seed(stream_seed(self._config.seed, position))

    def _drawn(self, stream: torch.Generator, count: int) -> Tensor:
        which = torch.rand(count, generator=stream, dtype=torch.float64) * self._odds[-1]
        index = torch.searchsorted(self._odds, which, right=True).clamp(max=len(self._odds) - 1)
        return dihedral(self._images.pixels[index], stream)
