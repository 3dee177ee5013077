"""Labelled photographs on disk, and splits that never put one lesion on both sides.

One lesion often has several photographs. A split by image would let a model see a test lesion during training, so every
split of this program goes by lesion, is stratified by class, and depends on nothing but the lesion's own id.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.errors import InputRefusedError
from core.taxonomy import CLASS_CODES, CLASS_INDEX, parse_class

LABELS_FILE: Final = "labels.csv"
REQUIRED_COLUMNS: Final = ("id", "class", "lesion_id", "path")


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """One photograph: its id, class code, lesion, the split its source assigns ("" if none) and its file."""

    image_id: str
    code: str
    lesion_id: str
    split: str
    path: Path

    @property
    def label(self) -> int:
        """Index of the class in canonical order, 0..6."""
        return CLASS_INDEX[self.code]


def read_labels(folder: Path) -> list[LabelledImage]:
    """Read `labels.csv` of a data folder, sorted by image id.

    Parameters
    ----------
    folder
        Holds `labels.csv` with the columns id, class, lesion_id, path (relative to the folder) and optionally split.

    Raises
    ------
    InputRefusedError
        If the table is missing, lacks a column, names no image, or gives one lesion two classes.
    UnknownClassError
        If a class is none of the seven.
    """
    table = folder / LABELS_FILE
    try:
        with table.open(encoding="utf-8", newline="") as stream:
            images = [_image(row, folder) for row in _checked_rows(stream, table)]
    except FileNotFoundError as error:
        raise InputRefusedError(
            f"There is no {LABELS_FILE} in {folder}.", remedy="Name the folder that holds the table.", path=table
        ) from error
    if not images:
        raise InputRefusedError(f"{table} lists no image.", remedy="Add one row for each photograph.", path=table)
    return sorted(images, key=lambda image: image.image_id)


def _checked_rows(stream: Iterable[str], table: Path) -> csv.DictReader[str]:
    rows = csv.DictReader(stream)
    missing = [name for name in REQUIRED_COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise InputRefusedError(
            f"{table} has no column {', '.join(missing)}.",
            remedy=f"The first line must name the columns {', '.join(REQUIRED_COLUMNS)}.",
            path=table,
        )
    return rows


def _image(row: dict[str, str], folder: Path) -> LabelledImage:
    return LabelledImage(
        row["id"],
        parse_class(row["class"]),
        row["lesion_id"] or row["id"],
        row.get("split") or "",
        folder / row["path"],
    )


def hold_out_lesions(
    images: Sequence[LabelledImage], fraction: float, salt: str = ""
) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """Split into (held out, rest) so that no lesion has images on both sides.

    Within every class the lesions are ordered by SHA-256 of `salt` and their id, and the first `fraction` of them
    (rounded, at least one where the class has two) is held out. The order of `images` does not matter.

    Raises
    ------
    InputRefusedError
        If a lesion carries two classes: it would be neither here nor there.
    """
    classes = class_of_lesion(images)
    held = {lesion for code in CLASS_CODES for lesion in _first_lesions(classes, code, fraction, salt)}
    return [i for i in images if i.lesion_id in held], [i for i in images if i.lesion_id not in held]


def class_of_lesion(images: Iterable[LabelledImage]) -> dict[str, str]:
    """Return the class code of each lesion.

    Raises
    ------
    InputRefusedError
        If a lesion carries two classes.
    """
    classes: dict[str, str] = {}
    for image in images:
        if classes.setdefault(image.lesion_id, image.code) != image.code:
            raise InputRefusedError(
                f"Lesion {image.lesion_id} is labelled both {classes[image.lesion_id]} and {image.code}.",
                remedy="Correct the table: all photographs of a lesion share its diagnosis.",
                path=image.path,
            )
    return classes


def _first_lesions(classes: dict[str, str], code: str, fraction: float, salt: str) -> list[str]:
    lesions = [lesion for lesion, its_code in classes.items() if its_code == code]
    lesions.sort(key=lambda lesion: lesion_rank(lesion, salt))
    count = round(fraction * len(lesions))
    if fraction > 0 and len(lesions) > 1:
        count = max(1, count)
    return lesions[:count]


def lesion_rank(lesion: str, salt: str) -> str:
    """Return the key that puts lesions into an order which depends on nothing but `salt` and the lesion's id."""
    return hashlib.sha256(f"{salt}:{lesion}".encode()).hexdigest()


def lesion_hash(images: Iterable[LabelledImage]) -> str:
    """Return the SHA-256 of the sorted, distinct lesion ids, one a line: a split's fingerprint."""
    lesions = sorted({image.lesion_id for image in images})
    return hashlib.sha256("\n".join(lesions).encode()).hexdigest()


def read_pixels(images: Sequence[LabelledImage], size: int) -> npt.NDArray[np.uint8]:
    """Read all images into memory.

    Returns
    -------
    Array of shape (N, 3, size, size), uint8 RGB, resized bilinearly with antialiasing (Pillow).

    Raises
    ------
    InputRefusedError
        Naming the first file that is missing or is no readable image.
    """
    pixels = np.empty((len(images), 3, size, size), dtype=np.uint8)
    for index, image in enumerate(images):
        pixels[index] = read_image(image.path, size).transpose(2, 0, 1)
    return pixels


def read_image(path: Path, size: int) -> npt.NDArray[np.uint8]:
    """Read one image as (size, size, 3) uint8 RGB; see `read_pixels`."""
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("RGB").resize((size, size), Image.Resampling.BILINEAR))
    except (OSError, SyntaxError) as error:  # Pillow reports some broken PNG files as SyntaxError
        raise InputRefusedError(
            f"{path} cannot be read as an image: {error}.", remedy="Repair or remove the file and its row.", path=path
        ) from error


def labels_of(images: Sequence[LabelledImage]) -> npt.NDArray[np.int64]:
    """Return the labels of `images`, shape (N,), int64, canonical order."""
    return np.array([image.label for image in images], dtype=np.int64)
