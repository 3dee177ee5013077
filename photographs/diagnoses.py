"""Names of diagnoses as data sets write them, and the class of the seven that each of them is.

The groups are those of HAM10000 (Tschandl, Rosendahl and Kittler 2018): Bowen's disease with actinic keratosis;
seborrhoeic keratosis, solar lentigo and lichen-planus-like keratosis as benign keratosis; angioma, angiokeratoma,
pyogenic granuloma and haemorrhage as vascular lesion. An invasive squamous cell carcinoma is none of the seven.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from core.message import Message
from core.taxonomy import CLASS_CODES

_NAMES: Final = {
    "MEL": (
        "melanoma", "malignant melanoma", "melanoma in situ", "melanoma invasive", "invasive melanoma",
        "melanoma metastasis", "lentigo maligna", "lentigo maligna melanoma", "nodular melanoma",
        "superficial spreading melanoma", "acral lentiginous melanoma",
    ),
    "NV": (
        "nevus", "nevi", "naevus", "naevi", "melanocytic nevus", "melanocytic nevi", "melanocytic naevus",
        "melanocytic naevi", "common nevus", "atypical nevus", "dysplastic nevus", "blue nevus", "clark nevus",
        "combined nevus", "congenital nevus", "dermal nevus", "recurrent nevus", "reed or spitz nevus", "spitz nevus",
        "spitz naevus", "reed nevus", "halo nevus", "mole", "moles",
    ),
    "BCC": ("basal cell carcinoma", "basal cell carcinomas", "basalioma"),
    "AKIEC": (
        "ak", "actinic keratosis", "actinic keratoses", "solar or actinic keratosis", "solar keratosis",
        "actinic keratosis bowen's disease", "actinic keratoses and intraepithelial carcinoma",
        "actinic keratoses and intraepithelial carcinoma bowen's disease",
        "actinic keratosis intraepithelial carcinoma",
        "actinic keratosis bowen's disease intraepithelial carcinoma", "bowen's disease", "bowens disease",
        "bowen disease", "bowen", "intraepithelial carcinoma", "squamous cell carcinoma in situ", "ack",
    ),
    "BKL": (
        "benign keratosis", "benign keratoses", "pigmented benign keratosis", "benign keratosis like lesion",
        "benign keratosis like lesions", "benign lichenoid keratosis", "seborrheic keratosis", "seborrhoeic keratosis",
        "seborrheic keratoses", "solar lentigo", "lichenoid keratosis", "lichen planus like keratosis", "sk", "sek",
    ),
    "DF": ("dermatofibroma", "dermatofibromas"),
    "VASC": (
        "vascular lesion", "vascular lesions", "vascular", "angioma", "hemangioma", "haemangioma", "cherry angioma",
        "angiokeratoma", "pyogenic granuloma", "hemorrhage", "haemorrhage",
    ),
}  # fmt: skip
_CODE_OF: Final = {name: code for code, names in _NAMES.items() for name in (code.lower(), *names)}
_OTHERS: Final = frozenset(
    {
        "scc", "squamous cell carcinoma", "squamous cell carcinomas", "invasive squamous cell carcinoma", "unk",
        "unknown", "other", "others", "miscellaneous", "lentigo", "lentigo nos", "lentigo simplex", "melanosis",
        "atypical melanocytic proliferation", "atypical melanocytic neoplasm", "cafe au lait macule", "keratoacanthoma",
        "acrochordon", "verruca", "wart", "scar", "indeterminate", "ink spot lentigo", "nevus spilus", "angiofibroma",
        "sebaceous hyperplasia", "neurofibroma", "clear cell acanthoma", "merkel cell carcinoma", "collision",
        "epidermal nevus",
    }
)  # fmt: skip
"""Diagnoses that are known to be none of the seven."""


def class_of(text: str) -> str | None:
    """Return the code of the class that a name means, or None.

    Case, underscores, hyphens and slashes do not matter. What follows a comma or stands in brackets makes a diagnosis
    more precise: "Nevus, NOS" and "melanoma (in situ)" are what they begin with, unless the whole is another one.
    """
    whole, begin, inside = _readings(text)
    if whole in _CODE_OF:
        return _CODE_OF[whole]
    if whole in _OTHERS:
        return None
    return _CODE_OF.get(begin) or _CODE_OF.get(inside)


def is_other_diagnosis(text: str) -> bool:
    """Whether a name means a diagnosis that is none of the seven classes."""
    return class_of(text) is None and any(reading in _OTHERS for reading in _readings(text))


class Named:
    """Keeps account of how a data set names its classes, and of what is left out because it is none of the seven."""

    def __init__(self) -> None:
        self.others: Counter[str] = Counter()
        self._read: dict[str, str] = {}

    def code(self, text: str) -> str | None:
        """Return the class that a name means; None, and counted, for a diagnosis that is none of the seven."""
        code = class_of(text)
        if code is None:
            self.others[text.strip() or "no diagnosis"] += 1
        elif text.strip().upper() != code:
            self._read.setdefault(text.strip(), code)
        return code

    @property
    def notes(self) -> Iterator[Message]:
        """What a person should know, one sentence each."""
        if self._read:
            pairs = ", ".join(f"{name} = {code}" for name, code in sorted(self._read.items()))
            yield Message("Names are read as classes: {pairs}.", pairs=pairs)
        if self.others:
            yield left_out(self.others)


def left_out(others: Counter[str]) -> Message:
    """Return one sentence that counts the photographs that show none of the seven classes, by name."""
    shown = others.most_common(_SHOWN)
    more = ", …" if len(others) > _SHOWN else ""
    names = ", ".join(f"{name}: {count}" for name, count in shown) + more
    return Message(
        "Not of the seven classes {codes} and left out: %n photograph(s) ({names}).",
        n=sum(others.values()), names=names, codes=", ".join(CLASS_CODES),
    )  # fmt: skip


_SHOWN: Final = 8


def _readings(text: str) -> tuple[str, str, str]:
    """Return a name as a whole, what it begins with, and what stands in its brackets, each in one spelling."""
    begin, _, rest = text.partition("(")
    inside = rest.partition(")")[0]
    first = re.split(r"[,;(]", text)[0] or begin
    return _spelt(text), _spelt(first), _spelt(inside)


def _spelt(text: str) -> str:
    plain = text.lower().replace("\u2019", "'").replace("\u00e9", "e")
    return " ".join(re.split(r"[\s_/(),;-]+", plain)).strip()
