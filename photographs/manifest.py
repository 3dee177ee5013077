"""Manifests with a JSON object a line, as text-to-image training uses them: image_path, caption, mask_path, label.

``image_path`` and a class are needed; caption and mask are passed over here. The class is ``class`` or ``label``: its
code, or its number in canonical order. ``lesion_id`` or ``group`` names the lesion, ``split`` the part. Paths are
relative to the manifest, or else to where the program was started, as the predecessor's were. A file that holds one
JSON array is read alike.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from core.errors import InputRefusedError, UnknownClassError
from core.files.opening import open_regular, read_regular
from core.message import Message
from core.taxonomy import CLASS_CODES, parse_class
from photographs.label_forms import PARTS
from photographs.labelled import LabelledImage

MANIFEST_SUFFIXES: Final = frozenset({".jsonl", ".json"})
MAX_BAD_LINES: Final = 0.05
"""Share of lines that cannot be used above which a manifest is refused."""

MAX_BYTES: Final = 2 * 1024**3
LONGEST_SHOWN: Final = 60
NAMED: Final = 3
_HEAD_BYTES: Final = 65_536
_PATH: Final = "image_path"


class _BadLineError(ValueError):
    """A line that names no labelled image; the text says why."""


def is_manifest(path: Path) -> bool:
    """Whether a file has the suffix of a manifest and speaks of image paths near its beginning."""
    if path.suffix.lower() not in MANIFEST_SUFFIXES:
        return False
    try:
        with open_regular(path) as stream:
            return f'"{_PATH}"'.encode() in stream.read(_HEAD_BYTES)
    except OSError:
        return False


def read_manifests(paths: Sequence[Path]) -> tuple[list[LabelledImage], tuple[str, ...]]:
    """Return the images that manifests list, and what a person should know; lines that are no use are counted.

    Raises
    ------
    InputRefusedError
        If a file is no text, or more than 5 % of its lines cannot be used.
    """
    images, notes = [], []
    for path in paths:
        found, bad = _read(path)
        _refuse_if_too_many_are_bad(path, len(found), bad)
        images += found
        if bad:
            notes.append(f"{_counted(path, len(found), bad)} They are passed over.")
    return images, tuple(notes)


def _read(path: Path) -> tuple[list[LabelledImage], list[str]]:
    images, bad = [], []
    for line, row in _rows(path):
        try:
            images.append(_image(path, row))
        except (_BadLineError, UnknownClassError) as error:
            bad.append(f"line {line} ({error.message if isinstance(error, UnknownClassError) else error})")
    return images, bad


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield line number and JSON value of every line, None where it is no JSON; items are numbered in an array."""
    text = _text(path)
    whole = _parsed(text) if text.lstrip().startswith("[") else None
    if isinstance(whole, list):
        yield from enumerate(whole, 1)
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, _parsed(line)


def _text(path: Path) -> str:
    try:
        return read_regular(path, MAX_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefusedError(
            Message("{path} cannot be read as a manifest: {why}.", path=path, why=error),
            remedy=Message("Save it as UTF-8, one JSON object a line."),
            path=path,
        ) from error


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _image(manifest: Path, row: Any) -> LabelledImage:
    if not isinstance(row, dict):
        raise _BadLineError("no JSON object")
    name = row.get(_PATH)
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        raise _BadLineError(f"no {_PATH}")
    home = _absolute(manifest.parent)
    path = _place(home, name.strip().replace("\\", "/"))
    image_id = path.relative_to(home).as_posix() if path.is_relative_to(home) else path.as_posix()
    return LabelledImage(image_id, _class(row), _lesion(row) or image_id, _part(row), path)


def _place(home: Path, name: str) -> Path:
    beside = _absolute(home / name)
    here = _absolute(Path(name))
    return here if not os.path.exists(beside) and os.path.exists(here) else beside


def _class(row: dict[str, Any]) -> str:
    named = [_parse_label(row[key]) for key in ("class", "label") if row.get(key) is not None]
    if not named:
        raise _BadLineError("neither class nor label")
    if len(set(named)) > 1:
        raise _BadLineError(f"class {named[0]}, but label {named[1]}")
    return named[0]


def _parse_label(value: Any) -> str:
    if isinstance(value, str) and not value.strip().isdecimal():
        return parse_class(value)
    try:
        number = int(value)
        is_whole = not isinstance(value, bool) and number == float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise _BadLineError(f"label {_short(value)}") from error
    if not is_whole or not 0 <= number < len(CLASS_CODES):
        raise _BadLineError(f"label {_short(value)} is none of 0 to {len(CLASS_CODES) - 1}")
    return CLASS_CODES[number]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _lesion(row: dict[str, Any]) -> str:
    return next((str(row[key]) for key in ("lesion_id", "group") if row.get(key) not in (None, "")), "")


def _part(row: dict[str, Any]) -> str:
    return PARTS.get(str(row.get("split") or "").lower(), "")


def _refuse_if_too_many_are_bad(path: Path, good: int, bad: Sequence[str]) -> None:
    if len(bad) > max(1 if good else 0, MAX_BAD_LINES * (good + len(bad))):
        raise InputRefusedError(
            _counted(path, good, bad),
            remedy=Message(
                "Each line must be one JSON object with image_path and label: a class code, or its number in the order "
                "{codes}.",
                codes=", ".join(CLASS_CODES),
            ),
            path=path,
        )


def _counted(path: Path, good: int, bad: Sequence[str]) -> Message:
    more = f" and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
    return Message(
        "{bad} of {total} lines of {path} name no labelled image: {lines}.",
        bad=len(bad), total=good + len(bad), path=path, lines=", ".join(bad[:NAMED]) + more,
    )  # fmt: skip


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))
