"""Precision, recall, density and coverage of a synthetic set (Naeem et al. 2020, arXiv:2002.09797).

Each real image has a ball around it that reaches to its k-th nearest real image, and each synthetic one to its k-th
nearest synthetic image. None of the four is 1 for two samples of one distribution, so the values mean something only
beside those of real images against other real ones at the same n. Copies of real images score perfectly: what is copied
is for the memorisation test to say.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

K: Final = 5
NAMES: Final = ("precision", "recall", "density", "coverage")
MEANINGS: Final = {
    "precision": "share of synthetic images within the distribution of the real ones",
    "recall": "share of real images within the distribution of the synthetic ones",
    "density": "mean number of real neighbourhoods that contain a synthetic image; 1 is usual",
    "coverage": "share of real images with a synthetic image in their neighbourhood",
}
_BLOCK: Final = 1024


@dataclass(frozen=True, slots=True)
class Prdc:
    """The four numbers, 0..1 (density may exceed 1)."""

    precision: float
    recall: float
    density: float
    coverage: float

    def to_json(self) -> dict[str, float]:
        """Return the numbers by name."""
        return asdict(self)


def prdc(real: Floats, synthetic: Floats, k: int = K) -> Prdc:
    """Return the four numbers.

    Parameters
    ----------
    real, synthetic
        Features (n, d) and (m, d); more than `k` on either side.

    Raises
    ------
    ValueError
        If there are too few.
    """
    if min(len(real), len(synthetic)) <= k:
        raise ValueError(f"{len(real)} and {len(synthetic)} images are too few for k = {k}")
    around_real, around_synthetic = _radii(real, k), _radii(synthetic, k)
    inside = np.zeros(len(synthetic), dtype=np.int64)
    recalled, covered = np.zeros(len(real), dtype=bool), np.zeros(len(real), dtype=bool)
    for start in range(0, len(real), _BLOCK):
        rows = slice(start, start + _BLOCK)
        distances = pairwise(real[rows], synthetic)
        within = distances < around_real[rows, None]
        inside += within.sum(axis=0)
        covered[rows] = within.any(axis=1)
        recalled[rows] = (distances < around_synthetic[None]).any(axis=1)
    return Prdc(float((inside > 0).mean()), float(recalled.mean()), float(inside.mean() / k), float(covered.mean()))


def pairwise(a: Floats, b: Floats) -> Floats:
    """Return the Euclidean distances (n, m)."""
    centre = b.mean(axis=0)  # smaller numbers lose less in the difference of squares
    a, b = a - centre, b - centre
    squared = np.square(a).sum(1)[:, None] + np.square(b).sum(1)[None] - 2 * a @ b.T
    return np.sqrt(np.maximum(squared, 0.0))


def _radii(features: Floats, k: int) -> Floats:
    """Return the distance of each to its k-th nearest other."""
    radii = np.empty(len(features))
    for start in range(0, len(features), _BLOCK):
        distances = pairwise(features[start : start + _BLOCK], features)
        rows = np.arange(len(distances))
        distances[rows, start + rows] = np.inf  # itself: exactly 0 only up to rounding
        radii[start : start + _BLOCK] = np.partition(distances, k - 1, axis=1)[:, k - 1]
    return radii
