"""Kernel distance: how far two sets of images are apart, unbiased even for few; KID with Inception's features alone.

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
from core.message import Message

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
    share = _share(max(len(a), len(b)), subset_size)
    rng = np.random.default_rng(seed)
    drawn = [(_subset(len(a), share, rng), _subset(len(b), share, rng)) for _ in range(subsets)]
    in_a, in_b = (np.stack([np.ones(len(rows[0])), *rows]) for rows in zip(*drawn, strict=True))
    value, *others = _squared_mmds(a, b, in_a, in_b)
    values = np.array(others)
    scatter = np.percentile(values - values.mean(), _CONFIDENCE) * np.sqrt(share / (1 - share))
    return Kid(float(value), float(value + scatter[0]), float(value + scatter[1]), len(a), len(b))


def squared_mmd(a: Floats, b: Floats) -> float:
    """Return the unbiased estimate of the squared maximum mean discrepancy (Gretton et al. 2012, equation 3)."""
    return float(_squared_mmds(a, b, np.ones((1, len(a))), np.ones((1, len(b))))[0])


def _squared_mmds(a: Floats, b: Floats, in_a: Floats, in_b: Floats) -> Floats:
    """Return the estimate for many subsets at once, (k,): rows of `in_a`, `in_b` have a 1 for each image that is in.

    Every kernel is computed once, whatever the number of subsets.
    """
    n, m = in_a.sum(axis=1), in_b.sum(axis=1)
    within_a = (_kernel_sums(a, a, in_a, in_a) - in_a @ _diagonal(a)) / (n * (n - 1))
    within_b = (_kernel_sums(b, b, in_b, in_b) - in_b @ _diagonal(b)) / (m * (m - 1))
    return within_a + within_b - 2 * _kernel_sums(a, b, in_a, in_b) / (n * m)


def _kernel_sums(a: Floats, b: Floats, in_a: Floats, in_b: Floats) -> Floats:
    """Return the sum of the kernel over all pairs of each subset, (k,), a block of rows at a time."""
    blocks = (slice(start, start + _BLOCK) for start in range(0, len(a), _BLOCK))
    sums = [((in_a[:, rows] @ _kernel(a[rows], b)) * in_b).sum(axis=1) for rows in blocks]
    return np.sum(sums, axis=0, dtype=np.float64)


def _kernel(a: Floats, b: Floats) -> Floats:
    base = a @ b.T / a.shape[1] + 1
    return base * base * base  # NumPy takes several times as long for a power


def _diagonal(a: Floats) -> Floats:
    return (np.square(a).sum(axis=1) / a.shape[1] + 1) ** 3


def _share(largest: int, subset_size: int | None) -> float:
    wanted = min(subset_size or largest // 2, MAX_SUBSET)
    return min(max(wanted, 2) / largest, 0.5)


def _subset(count: int, share: float, rng: np.random.Generator) -> Floats:
    """Return a 1 for each image that is in a random subset, 0 for the others, (count,)."""
    chosen = np.zeros(count)
    chosen[rng.choice(count, size=max(2, int(share * count)), replace=False)] = 1
    return chosen


def _check(a: Floats, b: Floats) -> None:
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise InputRefusedError(
            Message(
                "Features of shape {shape} cannot be compared with features of shape {shape2}.",
                shape=a.shape,
                shape2=b.shape,
            ),
            remedy=Message("Both sets must come from the same feature extractor."),
        )
    if min(len(a), len(b)) < MIN_IMAGES:
        raise InputRefusedError(
            Message(
                "A kernel distance needs at least {min_images} images on either side; there are {a} and {b}.",
                min_images=MIN_IMAGES,
                a=len(a),
                b=len(b),
            ),
            remedy=Message("Give more images."),
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputRefusedError(
            Message("Some features are NaN or infinite."),
            remedy=Message("The classifier that computes them is broken: use another."),
        )
