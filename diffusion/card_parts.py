"""Paragraphs that the cards of generators and of autoencoders have in common."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from core.files.reading import read_input
from photographs.licence import HAM10000_CREDIT, HAM10000_FORMS, UNKNOWN, Licence, licence_of
from training.hardware import Hardware

NOTES_FILE: Final = "NOTES.md"
_MAX_NOTES: Final = 1 << 20
"""Bytes."""

_NO_NOTES: Final = "- Faults seen by eye have not been recorded yet (`NOTES.md`)."


def licence_from(training: Mapping[str, Any]) -> Licence:
    """Return the licence that `training.json` records."""
    kind, name = str(training.get("data_kind", "")), str(training.get("licence", UNKNOWN))
    source = f"{kind} {training.get('data', '')}".lower()
    known = any(form in source for form in HAM10000_FORMS)
    credit = str(training.get("credit", ""))
    return licence_of(kind, name, HAM10000_CREDIT if known and credit in HAM10000_CREDIT else credit)


def photographs_in_words(training: Mapping[str, Any], roles: str) -> str:
    """Return the number of training and held-out photographs; `roles` says what the held-out ones were used for."""
    counts, leakage = training["photographs"], training.get("leakage", {})
    generated = training.get("generated_images", 0)
    train = counts.get("train", {})
    classes = ", ".join(f"{code} {count:,}" for code, count in train.items())
    others = " and ".join(f"{sum(part.values()):,} ({name})" for name, part in counts.items() if name != "train")
    return (
        f"Trained on {sum(train.values()):,} photographs ({classes}). {_what_was_held_out(leakage)} were held out: "
        f"{others}; {roles}"
        + (f" **{generated:,} of all these images are no photographs, but generated.**" if generated else "")
    )


def _what_was_held_out(leakage: Mapping[str, Any]) -> str:
    if not leakage.get("known", True):
        return "The data set has no lesion identifiers, so other photographs, possibly of the same lesions,"
    if leaked := leakage.get("leaked", 0):
        return f"Other photographs, {leaked} of them of lesions that are also in training,"
    return "Photographs of other lesions"


def hardware(data: object) -> str:
    """Return the hardware in words."""
    if isinstance(data, dict):
        known = {name: data[name] for name in Hardware.__slots__ if name in data}
        if len(known) == len(Hardware.__slots__):
            return Hardware(**{**known, "gpus": tuple(known["gpus"])}).sentence
    return str(data) if isinstance(data, str) else "unrecorded hardware"


def plain(value: object) -> str:
    """Return a setting as `--set` takes it."""
    if value is None:
        return "null"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def quoted(text: str) -> str:
    """Return text quoted as one word in every shell; that of Windows does not support single quotes."""
    return f'"{text}"' if " " in text else text


def notes_of(folder: Path) -> str:
    """Return the notes in a pack's `NOTES.md`, as Markdown.

    Raises
    ------
    InputRefusedError
        If it is no file that can be read.
    """
    path = folder / NOTES_FILE
    try:
        return read_input(path, what="the notes about a model", limit=_MAX_NOTES).decode("utf-8", "replace").strip()
    except FileNotFoundError:
        return _NO_NOTES
