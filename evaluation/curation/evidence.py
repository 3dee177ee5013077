"""What is measured on every image before it is decided upon: fidelity, nearness to training images, nearest twin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from core.errors import InputRefusedError
from core.message import Message
from core.models.classification.loading import LoadedNetwork
from core.taxonomy import CLASS_CODES, CLASS_INDEX
from evaluation.sets import ImageSet
from measures.features import PIXEL_SIDE, PIXELS, Extractor, in_batches
from measures.memorisation import judge_memorisation
from measures.neighbours import all_views, distances

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]
Indices = NDArray[np.int64]

NEAR_DUPLICATE: Final = 0.03
"""Root mean square difference at 32 x 32 pixels, on a scale of 0 to 1, below which two images are nearly the same.

Of 800 photographs of different lesions of HAM10000 no two are that near in any turned or mirrored view (the nearest:
0.037); mirrored, re-compressed (JPEG 50) and by one pixel of 64 shifted copies of a photograph are.
"""

_BLOCK: Final = 512


@dataclass(frozen=True, eq=False)
class Fidelity:
    """What the classifier that curates sees.

    Attributes
    ----------
    probability
        Of the class that was asked for, (N,); NaN where the classifier does not know it.
    seen
        The most likely of the seven classes, (N,), canonical order.
    """

    probability: Floats
    seen: Indices


@dataclass(frozen=True, eq=False)
class Copies:
    """How near training images are, (N,): the score (see `measures.memorisation`), the nearest, whether flagged.

    Attributes
    ----------
    training
        Names of the nearest training images.
    """

    score: Floats
    training: tuple[str, ...]
    flagged: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Twins:
    """The nearest other image of each image, (N,), and the pairs that are nearly the same, (P, 2).

    An image that is alone is its own nearest one, infinitely far away.
    """

    nearest: Indices
    distance: Floats
    pairs: Indices


def measure_fidelity(network: LoadedNetwork, pixels: Pixels, labels: Indices) -> Fidelity:
    """Ask a classifier; its temperature makes its answers probabilities.

    Raises
    ------
    InputRefusedError
        If it knows none of the seven classes.
    """
    if not any(name in CLASS_INDEX for name in network.classes):
        raise InputRefusedError(
            Message("The classifier {path} has none of the seven classes.", path=network.path),
            remedy=Message("Choose another classifier."),
            path=network.path,
        )
    temperature = 1.0 if network.record is None else network.record.temperature
    chances = softmax(in_batches(network.logits, pixels) / temperature, axis=1)
    column = {CLASS_INDEX[name]: place for place, name in enumerate(network.classes) if name in CLASS_INDEX}
    canonical = np.full((len(pixels), len(CLASS_CODES)), np.nan)
    for label, place in column.items():
        canonical[:, label] = chances[:, place]
    return Fidelity(canonical[np.arange(len(labels)), labels], np.nanargmax(canonical, axis=1))


def measure_copies(pixels: Pixels, train: ImageSet, held_out: ImageSet, extractor: Extractor) -> Copies:
    """Look for copies of training images in pixels and in features; see `judge_memorisation`."""
    side = pixels.shape[-1]
    found = judge_memorisation(pixels, train.pixels(side), held_out.pixels(side), extractor)
    score, flagged = np.empty(len(pixels)), np.zeros(len(pixels), dtype=bool)
    names = [""] * len(pixels)
    for pair in found.pairs:
        score[pair.sample], flagged[pair.sample] = pair.score, pair.flagged
        names[pair.sample] = train.images[pair.train].name
    return Copies(score, tuple(names), flagged)


def are_near(pixels: Pixels, photographs: Pixels) -> NDArray[np.bool_]:
    """Return which images are nearly the same as one of some photographs, turned or mirrored, at 32 x 32 pixels."""
    reference, found = PIXELS(photographs), np.zeros(len(pixels), dtype=bool)
    for start in range(0, len(pixels), _BLOCK):
        rows = slice(start, start + _BLOCK)
        shortest = distances(all_views(pixels[rows], PIXELS), reference).min(axis=1)
        found[rows] = shortest / np.sqrt(3 * PIXEL_SIDE**2) < NEAR_DUPLICATE
    return found


def measure_twins(pixels: Pixels) -> Twins:
    """Compare every image with every other one, turned and mirrored, at 32 x 32 pixels."""
    count = len(pixels)
    views = all_views(pixels, PIXELS)
    nearest, distance = np.zeros(count, dtype=np.int64), np.full(count, np.inf)
    pairs: list[Indices] = []
    for start in range(0, count, _BLOCK):
        block = distances(views[:, start : start + _BLOCK], views[0]) / np.sqrt(3 * PIXEL_SIDE**2)
        rows = np.arange(len(block))
        block[rows, start + rows] = np.inf
        nearest[start : start + len(block)] = block.argmin(axis=1)
        distance[start : start + len(block)] = block.min(axis=1)
        near = np.argwhere(block < NEAR_DUPLICATE)
        near[:, 0] += start
        pairs.append(near[near[:, 0] < near[:, 1]])
    return Twins(nearest, distance, np.concatenate(pairs) if pairs else np.empty((0, 2), dtype=np.int64))
