"""Colour and texture statistics as features: what selects a generator's weights, so that no classifier has to.

Means of the colours in a grid of 4 x 4 cells, and at each of several resolutions the mean and the deviation of edges
in four directions, as logarithms: the sub-band statistics of Portilla and Simoncelli (2000,
doi:10.1023/A:1026553619983) without their correlations. Nothing in them is learned, so nothing in them has seen a
photograph before; whoever judges a generator by a classifier's features judges by what did not choose its weights.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, conv2d, pad

from measures.features import Extractor, Images, in_batches

NAME: Final = "colour and texture statistics"

GRID: Final = 4
"""Cells a side in which colours are averaged."""

SMALLEST: Final = 8
"""Side in pixels of the coarsest resolution."""

FARTHEST: Final = 4.0
"""Deviations of the photographs beyond which a number says no more: one odd number must not outweigh all others."""

_OPPONENT: Final = torch.tensor([[1 / 3, 1 / 3, 1 / 3], [1 / 2, -1 / 2, 0], [1 / 4, 1 / 4, -1 / 2]])
"""Rows: brightness, red against green, yellow against blue."""

_ACROSS: Final = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]]) / 8
_ASLANT: Final = torch.tensor([[2.0, 1, 0], [1, 0, -1], [0, -1, -2]]) / 8
_EDGES: Final = torch.stack([_ACROSS, _ACROSS.T, _ASLANT, _ASLANT.flip(1)])[:, None]
_FLOOR: Final = 1e-3
"""Of an edge, on a scale of 0 to 1: below lies rounding to 8 bits, of which a logarithm would make much."""


def texture_of(photographs: Images) -> Extractor:
    """Return the statistics, each in deviations from its mean over some photographs.

    Parameters
    ----------
    photographs
        uint8 (N, 3, S, S), those that distances are measured to.
    """
    found = torch.from_numpy(in_batches(statistics, photographs)).float()
    middle, deviation = found.mean(dim=0), found.std(dim=0, correction=0)
    scale = torch.where(deviation > 0, deviation, 1.0)

    def features(pixels: Tensor) -> Tensor:
        moved = statistics(pixels.cpu()) - middle
        return (moved / scale).clamp(-FARTHEST, FARTHEST)

    return Extractor(NAME, features)


def statistics(pixels: Tensor) -> Tensor:
    """Return the statistics (N, D) of pixels (N, 3, S, S) in 0..1, as they are."""
    seen = torch.einsum("oc,nchw->nohw", _OPPONENT, pixels)
    found = [adaptive_avg_pool2d(seen, GRID).flatten(1)]
    while min(seen.shape[-2:]) >= SMALLEST:
        edges = _edges(seen)
        found += [torch.log(number + _FLOOR) for number in (edges.mean((2, 3)), edges.std((2, 3)))]
        seen = avg_pool2d(seen, 2)
    return torch.cat(found, dim=1)


def _edges(seen: Tensor) -> Tensor:
    """Return the strengths of edges, (N, 12, S, S): four directions of each of three channels."""
    alone = seen.reshape(-1, 1, *seen.shape[-2:])
    return conv2d(pad(alone, (1, 1, 1, 1), mode="replicate"), _EDGES).abs().reshape(len(seen), -1, *seen.shape[-2:])
