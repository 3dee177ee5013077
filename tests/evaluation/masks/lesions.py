"""Drawn lesions with their masks."""

from __future__ import annotations

import numpy as np


def lesions(count, side, seed=0):
    """Return dark blotches on skin, uint8 (N, 3, S, S), and where they are, bool (N, S, S)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    masks = np.stack([_blotch(x, y, rng) for _ in range(count)])
    skin, dark = rng.uniform((200, 150, 140), (240, 200, 190), (count, 3)), rng.uniform(20, 110, (count, 3))
    pictures = np.where(masks[:, None], dark[:, :, None, None], skin[:, :, None, None])
    return (pictures + rng.normal(0, 8, pictures.shape)).clip(0, 255).astype(np.uint8), masks


def _blotch(x, y, rng):
    centre, radii = rng.uniform(-0.3, 0.3, 2), rng.uniform(0.25, 0.6, 2)
    return np.hypot((x - centre[0]) / radii[0], (y - centre[1]) / radii[1]) < 1
