"""Pixels taken out of a picture and filled in from what is left, so that their place carries no trace of them.

Grey squares would be something the classifier has never seen, and the test of a map would test that. Noisy linear
imputation is the fill of ROAD (Rong et al., 2022, A Consistent and Efficient Evaluation Strategy for Attribution
Methods, arXiv:2202.00449, section 5).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csc_matrix
from scipy.sparse.linalg import splu

NOISE: Final = 0.01
"""Standard deviation of the noise on filled pixels, of a range of 0..1."""

_NEIGHBOURS: Final = (
    *((dy, dx, 1 / 6) for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1))),
    *((dy, dx, 1 / 12) for dy, dx in ((-1, -1), (-1, 1), (1, -1), (1, 1))),
)

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def impute(image: Floats, removed: Mask, rng: np.random.Generator, noise: float = NOISE) -> Floats:
    """Return the picture with the removed pixels filled in.

    Each removed pixel is the weighted mean of its eight neighbours, 1/6 for direct and 1/12 for diagonal ones, whether
    these are removed themselves or not: one sparse linear system. Where nothing is left, the picture's mean is used.

    Parameters
    ----------
    image
        Shape (H, W, C), 0..1; not changed.
    removed
        Shape (H, W).
    noise
        Standard deviation of the normal noise on what was filled in.
    """
    filled = image.copy()
    if not removed.any():
        return filled
    if removed.all():
        filled[:] = image.mean(axis=(0, 1))
    else:
        filled[removed] = _solve(image, removed)
    filled[removed] += rng.normal(0, noise, (int(removed.sum()), image.shape[2]))
    return np.clip(filled, 0, 1)


def _solve(image: Floats, removed: Mask) -> Floats:
    matrix, known = _system(image, removed)
    # The pattern is symmetric and the diagonal outweighs each row, so this ordering is safe, and twice as fast.
    solver = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    solution: Floats = solver.solve(known)
    return solution


def _system(image: Floats, removed: Mask) -> tuple[csc_matrix, Floats]:
    """Return the matrix (n, n) and the right side (n, C): what neighbours that are left contribute."""
    ys, xs = np.nonzero(removed)
    count = len(ys)
    number = np.full(removed.shape, -1)
    number[removed] = np.arange(count)
    known, total = np.zeros((count, image.shape[2])), np.zeros(count)
    rows, columns, values = [], [], []
    for dy, dx, weight in _NEIGHBOURS:
        inside = (ys + dy >= 0) & (ys + dy < removed.shape[0]) & (xs + dx >= 0) & (xs + dx < removed.shape[1])
        pixel, y, x = np.nonzero(inside)[0], ys[inside] + dy, xs[inside] + dx
        total[pixel] += weight
        gone = removed[y, x]
        known[pixel[~gone]] += weight * image[y[~gone], x[~gone]]
        rows.append(pixel[gone])
        columns.append(number[y[gone], x[gone]])
        values.append(np.full(int(gone.sum()), -weight))
    every = np.arange(count)
    entries = (np.concatenate([*values, total]), (np.concatenate([*rows, every]), np.concatenate([*columns, every])))
    return coo_matrix(entries, shape=(count, count)).tocsc(), known
