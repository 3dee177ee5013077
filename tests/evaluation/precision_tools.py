"""What the checks of precision share: random numbers, pictures, and how far two answers are apart."""

from __future__ import annotations

import numpy as np


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def relative(found: np.ndarray | float, expected: np.ndarray | float) -> float:
    """Return the largest difference in units of the largest expected value."""
    scale = max(float(np.max(np.abs(expected))), np.finfo(float).tiny)
    return float(np.max(np.abs(np.asarray(found) - expected))) / scale


def absolute(found: np.ndarray | float, expected: np.ndarray | float) -> float:
    return float(np.max(np.abs(np.asarray(found) - expected)))


def images(count: int, seed: int, side: int = 24) -> np.ndarray:
    return rng(seed).integers(0, 256, (count, side, side, 3), dtype=np.uint8)
