"""Folders of labelled pictures made on the spot, with several pictures of some lesions."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from core.taxonomy import CLASS_CODES


def write_labelled_folder(folder: Path, *, lesions: int = 6, size: int = 24, val: int = 0) -> Path:
    """Write `lesions` lesions of each class; every second lesion has two pictures; the colour tells the class.

    Parameters
    ----------
    val
        Number of further lesions of each class that the table marks as `val`.
    """
    rng = np.random.default_rng(0)
    rows = [
        _row(code, lesion, view) for code in CLASS_CODES for lesion in range(lesions) for view in range(1 + lesion % 2)
    ]
    rows += [_row(code, lesions + extra, 0, "val") for code in CLASS_CODES for extra in range(val)]
    for row in rows:
        _write_picture(folder / row["path"], CLASS_CODES.index(row["class"]), size, rng)
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, fieldnames=list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return folder


def _row(code: str, lesion: int, view: int, split: str = "train") -> dict[str, str]:
    name = f"{code}_{lesion}_{view}"
    return {"id": name, "class": code, "lesion_id": f"L_{code}_{lesion}", "split": split, "path": f"{code}/{name}.png"}


def _write_picture(path: Path, label: int, size: int, rng: np.random.Generator) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = np.array([(label & 1) * 200, (label >> 1 & 1) * 200, (label >> 2 & 1) * 200])
    noise = rng.integers(0, 40, size=(size, size, 3))
    Image.fromarray((colour + noise).astype(np.uint8)).save(path)
