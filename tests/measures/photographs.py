"""Pictures with the statistics that matter here: smooth skin, one blotch, all different."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def photographs(count: int, seed: int, side: int = 64) -> np.ndarray:
    """Return uint8 (count, 3, side, side)."""
    rng = np.random.default_rng(seed)
    return np.stack([_photograph(rng, side) for _ in range(count)]).transpose(0, 3, 1, 2)


def _photograph(rng: np.random.Generator, side: int) -> np.ndarray:
    coarse = rng.normal(128, 40, (6, 6, 3)).clip(0, 255).astype(np.uint8)
    skin = np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC), dtype=float)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    cx, cy, a, b = *rng.uniform(-0.3, 0.3, 2), *rng.uniform(0.2, 0.7, 2)
    inside = 1 / (1 + np.exp(20 * (np.hypot((x - cx) / a, (y - cy) / b) - 1)))[..., None]
    picture = 120 + (skin - 128) * 0.7 + inside * rng.uniform(-110, 30, 3) + rng.normal(0, 5, skin.shape)
    return picture.clip(0, 255).astype(np.uint8)


def turned(images: np.ndarray, seed: int) -> np.ndarray:
    """Return each image in a random one of its eight symmetric views."""
    rng = np.random.default_rng(seed)
    views = [np.rot90(image, rng.integers(4), (1, 2)) for image in images]
    return np.stack([view[:, :, ::-1] if rng.integers(2) else view for view in views])


def recompressed(images: np.ndarray, quality: int = 75) -> np.ndarray:
    """Return the images after one more JPEG compression."""
    return np.stack([_jpeg(image.transpose(1, 2, 0), quality) for image in images]).transpose(0, 3, 1, 2)


def shifted(images: np.ndarray, seed: int, most: int = 2) -> np.ndarray:
    """Return the images moved by up to `most` pixels each way, never by none; the edge is repeated."""
    rng = np.random.default_rng(seed)
    side = images.shape[-1]
    padded = np.pad(images, ((0, 0), (0, 0), (most, most), (most, most)), mode="edge")
    moves = [(dy, dx) for dy in range(2 * most + 1) for dx in range(2 * most + 1) if (dy, dx) != (most, most)]
    chosen = [moves[i] for i in rng.integers(len(moves), size=len(images))]
    return np.stack([p[:, dy : dy + side, dx : dx + side] for p, (dy, dx) in zip(padded, chosen, strict=True)])


def _jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))
