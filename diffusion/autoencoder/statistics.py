"""Mean and standard deviation of each latent channel, which every denoiser's input is normalised by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import torch
from torch import Tensor

from core.diffusers_parts import AutoencoderKL
from core.models.networks import moments_of
from core.precision import Precision
from diffusion.evaluation import autocast

MOST: Final = 1000
"""Photographs that the statistics are measured on, evenly spaced in the training set."""

_BATCH: Final = 16


class LatentStatistics(NamedTuple):
    """Per channel, over photographs and positions, of the posterior's mean."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


def latent_means(net: AutoencoderKL, pixels: Tensor, precision: Precision) -> Iterator[Tensor]:
    """Yield the posterior's mean of uint8 pictures (N, 3, H, W) batch by batch, float32 (n, C, h, w)."""
    device = next(net.parameters()).device
    with torch.no_grad():
        for batch in pixels.split(_BATCH):
            pictures = (batch.to(device).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
            with autocast(device, precision):
                means = moments_of(net, pictures).chunk(2, dim=1)[0]
            yield means.float()


def measure_latents(net: AutoencoderKL, pixels: Tensor, precision: Precision) -> LatentStatistics:
    """Measure the statistics on at most `MOST` of the pictures."""
    step = -(-len(pixels) // MOST)
    return statistics_of(latent_means(net, pixels[::step], precision))


def statistics_of(latents: Iterator[Tensor]) -> LatentStatistics:
    """Return the statistics of batches (n, C, h, w); the deviation divides by the number of values, not one less.

    Batches are merged by the formula of Chan, Golub & LeVeque (1979), which loses no digits to a mean far from 0.
    """
    count, mean, squares = 0, torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    for batch in latents:
        values = batch.double().transpose(0, 1).flatten(1)
        size, own = values.shape[1], values.mean(1)
        away = own - mean
        squares = squares + (values - own[:, None]).square().sum(1) + away.square() * count * size / (count + size)
        mean = mean + away * size / (count + size)
        count += size
    return LatentStatistics(tuple(mean.tolist()), tuple((squares / count).sqrt().tolist()))
