"""Small sets of pictures on disk: spots on skin, with classes and lesions, and what can be wrong with them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image


def spot(seed, side=48):
    """A brownish spot on skin, different for each seed."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / side - 0.5
    shape = np.exp(-(((x / rng.uniform(0.15, 0.3)) ** 2 + (y / rng.uniform(0.15, 0.3)) ** 2) ** 2))[..., None]
    skin, lesion = np.array([225, 180, 160.0]), np.array([rng.uniform(70, 140), 70, 55.0])
    pixels = skin * (1 - shape) + lesion * shape + rng.normal(0, 5, (side, side, 1))
    return np.clip(pixels, 0, 255).astype(np.uint8)


def write_labelled(folder, counts, *, first_seed=0, views=2, side=48):
    """Write a data set of the product's own form; every `views` photographs show one lesion."""
    folder = Path(folder)
    folder.mkdir(parents=True)
    rows = [("id", "class", "lesion_id", "path")]
    for place, (code, count) in enumerate(counts.items()):
        for number in range(count):
            name = f"{code}_{number}.png"
            Image.fromarray(spot(first_seed + 10_000 * place + number, side)).save(folder / name)
            rows.append((f"{code}{number}", code, f"L{code}{number // views}", name))
    with (folder / "labels.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return folder


def write_folders(folder, counts, *, first_seed=500_000, side=48, paint=spot):
    """Write class folders as a generator's output folder has them."""
    folder = Path(folder)
    for place, (code, count) in enumerate(counts.items()):
        (folder / code).mkdir(parents=True)
        for number in range(count):
            pixels = paint(first_seed + 10_000 * place + number, side)
            Image.fromarray(pixels).save(folder / code / f"ISIC_{number:07d}.png")
    return folder


def blue(seed, side=48):
    """A solid blue square, a little different for each seed."""
    return np.full((side, side, 3), (0, 0, 180 + seed % 60), dtype=np.uint8)
