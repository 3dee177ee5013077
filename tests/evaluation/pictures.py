"""Folders of small photographs for tests of measures."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from core.taxonomy import CLASS_CODES


def photographs(count, seed=0, side=48):
    """Return smooth coloured pictures, each another one, uint8 (N, S, S, 3)."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 6, 6, 3)).astype(np.uint8)
    return np.stack([np.asarray(Image.fromarray(one).resize((side, side), Image.Resampling.BICUBIC)) for one in coarse])


def write_set(folder: Path, pictures, suffix=".png", prefix="i"):
    """Write pictures into class folders, one class after the other; return the folder."""
    for number, picture in enumerate(pictures):
        path = folder / CLASS_CODES[number % 7] / f"{prefix}{number:03}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(picture)).save(path)
    return folder


def recompressed(picture, quality=75):
    """Return a picture after JPEG."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream).convert("RGB"))
