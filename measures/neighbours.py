"""The nearest of many images, in whatever of the eight symmetric views it was copied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from measures.features import Extractor, Floats, Images

VIEWS: Final = 8
"""Four turns, each plain and mirrored: what training shows of an image."""

NEIGHBOURS: Final = 50
"""Number of nearest images that tell how crowded the surroundings are (Carlini et al. 2023, arXiv:2301.13188)."""

_BLOCK: Final = 256


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest reference image of every query.

    Attributes
    ----------
    index
        Of the nearest reference image, (n,) int64; the number of them where the further one is nearest.
    distance
        To it, (n,).
    relative
        That distance divided by the mean over the 50 nearest, (n,) in 0..1: small where one image is far nearer than
        all others, which is what a copy looks like.
    """

    index: NDArray[np.int64]
    distance: Floats
    relative: Floats


def view(images: Images, number: int) -> torch.Tensor:
    """Return one of the eight symmetric views of images (N, 3, S, S): `number` % 4 turns, mirrored from 4 on."""
    turned = torch.rot90(torch.as_tensor(images), number % 4, (-2, -1))
    return turned.flip(-1) if number >= 4 else turned


def all_views(images: Images, extractor: Extractor) -> Floats:
    """Return the features of every view of every image, shape (8, N, D)."""
    return np.stack([extractor(view(images, number)) for number in range(VIEWS)])


def nearest(queries: Floats, reference: Floats, further: Floats | None = None) -> Nearest:
    """Find the nearest reference image of every query, over all views of the query.

    Parameters
    ----------
    queries
        Features of all views, (8, n, D), from `all_views`.
    reference
        Features of the reference images as they are, (m, D).
    further
        Distance of each query to one more reference image of its own, (n,).
    """
    more = np.empty((queries.shape[1], 0)) if further is None else further[:, None]
    parts = (slice(start, start + _BLOCK) for start in range(0, queries.shape[1], _BLOCK))
    blocks = [_nearest_of_block(np.hstack([distances(queries[:, some], reference), more[some]])) for some in parts]
    return Nearest(*(np.concatenate(column) for column in zip(*blocks, strict=True)))


def to_nearest_other(features: Floats) -> Floats:
    """Return the distance of each image (n, D), as it is, to the nearest other one, (n,); infinite for a single one."""
    found = np.empty(len(features))
    for start in range(0, len(features), _BLOCK):
        block = distances(features[None, start : start + _BLOCK], features)
        np.fill_diagonal(block[:, start:], np.inf)
        found[start : start + _BLOCK] = block.min(axis=1)
    return found


def _nearest_of_block(found: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
    neighbours = min(NEIGHBOURS, found.shape[1])
    mean = np.partition(found, neighbours - 1, axis=1)[:, :neighbours].mean(axis=1)
    shortest = found.min(axis=1)
    relative = np.divide(shortest, mean, out=np.zeros_like(mean), where=mean > 0)
    return found.argmin(axis=1), shortest, relative


def distances(queries: Floats, reference: Floats) -> Floats:
    """Return the Euclidean distance of the best view of each query to each reference image, (n, m).

    Parameters
    ----------
    queries, reference
        As for `nearest`.
    """
    centre = reference.mean(axis=0)  # smaller numbers lose less in the difference of squares
    moved = reference - centre
    squares = np.square(moved).sum(axis=1)
    best = np.full((queries.shape[1], len(reference)), np.inf)
    for seen in queries - centre:
        np.minimum(best, np.square(seen).sum(axis=1)[:, None] + squares - 2 * seen @ moved.T, out=best)
    return np.sqrt(np.maximum(best, 0.0))
