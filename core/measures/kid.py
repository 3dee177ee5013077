"""Kernel Inception Distance: how far two sets of images are apart, unbiased even for few images.

Binkowski et al., "Demystifying MMD GANs" (2018, arXiv:1801.01401): the squared maximum mean discrepancy under the
kernel k(x, y) = (x.y / d + 1)^3. Unlike the Frechet distance it has no bias that grows as sets get smaller, so it is
the distance for the rare classes; the price is that it may come out below 0 for sets of one distribution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import InputRefusedError

MIN_IMAGES: Final = 4
"""Half of them must still be two: fewer have no distance to each other to compare with."""

MAX_SUBSET: Final = 1000
"""Largest subset of a sample that the interval is estimated from, as in the paper."""

_BLOCK: Final = 2048
_CONFIDENCE: Final = (2.5, 97.5)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kid:
    """A kernel distance with its 95 % interval.

    Attributes
    ----------
    value
        Unbiased estimate from all images; may be negative, which means "no difference found".
    low, high
        95 % interval.
    n_a, n_b
        Number of images on either side.
    """

    value: float
    low: float
    high: float
    n_a: int
    n_b: int


def kid(a: Floats, b: Floats, *, subsets: int = 100, subset_size: int | None = None, seed: int = 0) -> Kid:
    """Measure the kernel distance between two sets of features.

    The interval comes from random halves of both sets: around the value of the whole sets they scatter as the whole
    sets themselves would around the truth. Where less than half is taken, the scatter is scaled accordingly
    (Politis, Romano & Wolf, "Subsampling", 1999).

    Parameters
    ----------
    a, b
        Features (n, d), one row an image, from the same extractor.
    subsets
        Number of random subsets for the interval.
    subset_size
        Images of the larger set in each subset; the smaller set gives the same share. Half of them if None, at most
        `MAX_SUBSET`.

    Raises
    ------
    InputRefusedError
        If a set has fewer than `MIN_IMAGES` images, the widths differ, or a feature is no finite number.
    """
    _check(a, b)
    value = squared_mmd(a, b)
    share = _share(max(len(a), len(b)), subset_size)
    rng = np.random.default_rng(seed)
    values = np.array([squared_mmd(_subset(a, share, rng), _subset(b, share, rng)) for _ in range(subsets)])
    scatter = np.percentile(values - values.mean(), _CONFIDENCE) * np.sqrt(share / (1 - share))
    return Kid(value, float(value + scatter[0]), float(value + scatter[1]), len(a), len(b))


def squared_mmd(a: Floats, b: Floats) -> float:
    """Return the unbiased estimate of the squared maximum mean discrepancy (Gretton et al. 2012, equation 3)."""
    n, m = len(a), len(b)
    within_a = (_kernel_sum(a, a) - _diagonal_sum(a)) / (n * (n - 1))
    within_b = (_kernel_sum(b, b) - _diagonal_sum(b)) / (m * (m - 1))
    return float(within_a + within_b - 2 * _kernel_sum(a, b) / (n * m))


def _kernel_sum(a: Floats, b: Floats) -> float:
    """Return the sum of the kernel over all pairs, a block of rows at a time."""
    blocks = (a[start : start + _BLOCK] @ b.T for start in range(0, len(a), _BLOCK))
    return float(sum(((block / a.shape[1] + 1) ** 3).sum() for block in blocks))


def _diagonal_sum(a: Floats) -> float:
    return float(((np.square(a).sum(1) / a.shape[1] + 1) ** 3).sum())


def _share(largest: int, subset_size: int | None) -> float:
    wanted = min(subset_size or largest // 2, MAX_SUBSET)
    return min(max(wanted, 2) / largest, 0.5)


def _subset(a: Floats, share: float, rng: np.random.Generator) -> Floats:
    return a[rng.choice(len(a), size=max(2, int(share * len(a))), replace=False)]


def _check(a: Floats, b: Floats) -> None:
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise InputRefusedError(
            f"Features of shape {a.shape} cannot be compared with features of shape {b.shape}.",
            remedy="Both sets must come from the same feature extractor.",
        )
    if min(len(a), len(b)) < MIN_IMAGES:
        raise InputRefusedError(
            f"A kernel distance needs at least {MIN_IMAGES} images on either side; there are {len(a)} and {len(b)}.",
            remedy="Give more images.",
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputRefusedError(
            "Some features are NaN or infinite.", remedy="The classifier that computes them is broken: use another."
        )
