"""The Frechet distance between two sets of features, and when it means anything.

Heusel et al. (2017, arXiv:1706.08500): |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) for Gaussians fitted to both sets. A
covariance of d x d numbers needs many more than d images: below 2 d the distance of a set to another sample of the very
same distribution is far from 0. So it is refused there, and elsewhere shown with what real images reach at the same n.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.message import Message

Floats = NDArray[np.float64]

FEWEST_PER_DIMENSION: Final = 2
INFINITY_SIZES: Final = (0.5, 0.625, 0.75, 0.875, 1.0)
"""Shares of the images from which the distance is extrapolated (Chong and Forsyth 2020, arXiv:1911.07023)."""

DRAWS: Final = 3
"""Random subsets of each of those sizes: a single one scatters."""


@dataclass(frozen=True, slots=True)
class Frechet:
    """A Frechet distance.

    Attributes
    ----------
    value
        None if it is refused.
    floor
        What as many real images have to other real ones; None if there are too few for that.
    floor_n
        Images on either side of the floor.
    infinity
        Extrapolated to infinitely many images; None if refused.
    n, m, d
        Images on either side, and numbers of a feature.
    refused
        Why there is no value, or None.
    """

    value: float | None
    floor: float | None
    floor_n: int
    infinity: float | None
    n: int
    m: int
    d: int
    refused: Message | None = None


def frechet_distance(a: Floats, b: Floats) -> float:
    """Return the Frechet distance of the Gaussians fitted to two sets of features (n, d), n > 1 on either side."""
    return gaussian_distance(a.mean(0), np.cov(a, rowvar=False), b.mean(0), np.cov(b, rowvar=False))


def gaussian_distance(mean_a: Floats, cov_a: Floats, mean_b: Floats, cov_b: Floats) -> float:
    """Return the Frechet distance of two Gaussians; singular covariances are allowed.

    The trace of the root of S1 S2 is that of the root of R S2 R with R the root of S1, which is symmetric: its
    eigenvalues are real, and rounding makes them negative at most by rounding.
    """
    cov_a, cov_b = np.atleast_2d(cov_a), np.atleast_2d(cov_b)
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    middle = np.maximum(np.linalg.eigvalsh(root @ cov_b @ root), 0.0)
    shift = float(np.square(mean_a - mean_b).sum())
    return max(0.0, shift + float(np.trace(cov_a) + np.trace(cov_b) - 2 * np.sqrt(middle).sum()))


def measure_frechet(
    synthetic: Floats, real: Floats, halves: tuple[Floats, Floats] | None, rng: np.random.Generator
) -> Frechet:
    """Measure the distance of synthetic to real features, with its floor, unless there are too few.

    Parameters
    ----------
    halves
        Two parts of the real features that share no lesion; None if there are no two.
    """
    n, m, d = len(synthetic), len(real), real.shape[1]
    fewest = FEWEST_PER_DIMENSION * d
    if min(n, m) < fewest:
        why = Message(
            "{n} and {m} images are too few for {d} feature dimensions: at least {fewest} are needed on either side.",
            n=n, m=m, d=d, fewest=fewest,
        )  # fmt: skip
        return Frechet(None, None, 0, None, n, m, d, why)
    floor, floor_n = None, 0
    if halves is not None and min(map(len, halves)) >= fewest:
        floor_n = min(*map(len, halves), n)
        floor = frechet_distance(*(_some(half, floor_n, rng) for half in halves))
    value = frechet_distance(synthetic, real)
    return Frechet(value, floor, floor_n, _infinity(synthetic, real, rng), n, m, d)


def _infinity(a: Floats, b: Floats, rng: np.random.Generator) -> float:
    """Return where the distance goes as 1/n goes to 0: a straight line through its values at several n."""
    shares = np.repeat(INFINITY_SIZES, DRAWS)
    values = [frechet_distance(_some(a, int(s * len(a)), rng), _some(b, int(s * len(b)), rng)) for s in shares]
    _, at_zero = np.polyfit(1 / (shares * min(len(a), len(b))), values, 1)
    return float(at_zero)


def _some(features: Floats, count: int, rng: np.random.Generator) -> Floats:
    return features[rng.choice(len(features), size=min(count, len(features)), replace=False)]
