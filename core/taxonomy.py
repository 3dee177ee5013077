"""The seven lesion classes: codes, names, canonical order, seed offsets and the orders that others use."""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from typing import Final

from core.errors import UnknownClassError
from core.message import Message

SEED_MASK: Final = 0x7FFFFFFF
"""Seeds are 31-bit, as in ISICGenerator."""


@dataclass(frozen=True, slots=True)
class LesionClass:
    """One diagnostic category of ISIC 2018 Task 3.

    Attributes
    ----------
    code
        Upper-case short name, as used in file names, flags and JSON.
    name
        Name as written in the dermatological literature; a `Message`, so that the window can translate it.
    """

    code: str
    name: str


CLASSES: Final[tuple[LesionClass, ...]] = (
    LesionClass("MEL", Message("Melanoma")),
    LesionClass("NV", Message("Melanocytic naevus")),
    LesionClass("BCC", Message("Basal cell carcinoma")),
    LesionClass("AKIEC", Message("Actinic keratosis / Bowen's disease")),
    LesionClass("BKL", Message("Benign keratosis")),
    LesionClass("DF", Message("Dermatofibroma")),
    LesionClass("VASC", Message("Vascular lesion")),
)
"""Canonical order (the order of the ISIC 2018 ground-truth columns); the index of a class is its label."""

CLASS_CODES: Final[tuple[str, ...]] = tuple(c.code for c in CLASSES)
CLASS_INDEX: Final[dict[str, int]] = {code: index for index, code in enumerate(CLASS_CODES)}

ALPHABETICAL_TO_CANONICAL: Final[tuple[int, ...]] = tuple(CLASS_INDEX[code] for code in sorted(CLASS_CODES))
"""Maps a label of the alphabetical order (AKIEC, BCC, BKL, DF, MEL, NV, VASC) to the canonical one."""


def class_name(code: str) -> str:
    """Return the English name of a class code."""
    return CLASSES[CLASS_INDEX[code]].name


def parse_class(text: str) -> str:
    """Return the class code meant by `text`, whatever its case.

    Raises
    ------
    UnknownClassError
        If no class has that code; the message lists the codes and names the closest one.
    """
    code = text.strip().upper()
    if code in CLASS_INDEX:
        return code
    close = difflib.get_close_matches(code, CLASS_CODES, n=1)
    raise UnknownClassError(text, CLASS_CODES, close[0] if close else None)


def seed_offset(code: str) -> int:
    """Return the class's seed offset: the first 32 bits of MD5(code), masked to 31 bits."""
    digest = hashlib.md5(code.encode("ascii"), usedforsecurity=False).hexdigest()
    return int(digest[:8], 16) & SEED_MASK


def image_seed(code: str, index: int, base: int) -> int:
    """Return the seed of image `index` (0-based within its class) for a base seed."""
    return (base + seed_offset(code) + index) & SEED_MASK
