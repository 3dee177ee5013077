"""Labelled photographs, and splits that never put one lesion on both sides.

One lesion often has several photographs. A split by image would let a model see a test lesion during training, so every
split of this program goes by lesion, is stratified by class, and depends on nothing but the lesion's own id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from core.errors import InputRefusedError
from core.message import Message
from core.taxonomy import CLASS_CODES, CLASS_INDEX

LABELS_FILE: Final = "labels.csv"

PARTS: Final[Mapping[str, str]] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
"""What others call the parts of a data set, in lower case, and what this program calls them."""


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
                Message(
                    "Lesion {lesion_id} is labelled both {classes} and {code}.",
                    lesion_id=image.lesion_id,
                    classes=classes[image.lesion_id],
                    code=image.code,
                ),
                remedy=Message("Correct the table: all photographs of a lesion share its diagnosis."),
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


def labels_of(images: Sequence[LabelledImage]) -> npt.NDArray[np.int64]:
    """Return the labels of `images`, shape (N,), int64, canonical order."""
    return np.array([image.label for image in images], dtype=np.int64)
