"""Manifests with a JSON object a line, as text-to-image training uses them: image_path, caption, mask_path, label.

``image_path`` and a class are needed; caption and mask are ignored here. The class is ``class`` or ``label``: its
code or its name. A number alone is refused: orders differ, and another task's numbers would become lesions.
``lesion_id`` or ``group`` names the lesion, ``split`` the part. Paths are relative to the manifest, or else to where
the program was started, as ISICGenerator's were. A file that holds one JSON array is read alike. Hugging Face's
``metadata.jsonl`` is the same with ``file_name`` for ``image_path``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from core.errors import InputRefusedError
from core.files import loose_json
from core.files.opening import open_regular, read_regular
from core.message import Message
from core.taxonomy import CLASS_CODES
from photographs.diagnoses import Named, class_of, is_other_diagnosis
from photographs.labelled import PARTS, LabelledImage
from photographs.missing import known

MANIFEST_SUFFIXES: Final = frozenset({".jsonl", ".json"})
MAX_BAD_LINES: Final = 0.05
"""Share of lines that cannot be used above which a manifest is refused."""

MAX_BYTES: Final = 2 * 1024**3
LONGEST_SHOWN: Final = 60
NAMED: Final = 3
_HEAD_BYTES: Final = 65_536
PATH: Final = "image_path"
FILE_NAME: Final = "file_name"
"""What Hugging Face calls the path."""

LABEL_KEYS: Final = ("class", "label", "labels", "dx", "diagnosis")
"""What names the class; of several, the first that is no number decides, and names must agree."""


class _BadLineError(ValueError):
    """A line that names no labelled image; the text says why."""


def is_manifest(path: Path, key: str = PATH) -> bool:
    """Whether a file has the suffix of a manifest and speaks of image paths near its beginning."""
    return path.suffix.lower() in MANIFEST_SUFFIXES and speaks_of(path, key)


def speaks_of(path: Path, key: str) -> bool:
    """Whether a key stands near the beginning of a file."""
    try:
        with open_regular(path) as stream:
            return f'"{key}"'.encode() in stream.read(_HEAD_BYTES)
    except OSError:
        return False


def read_manifests(paths: Sequence[Path], key: str = PATH) -> tuple[list[LabelledImage], tuple[str, ...]]:
    """Return the images that manifests list, and what a person should know; lines that are no use are counted.

    Parameters
    ----------
    key
        What names the picture.

    Raises
    ------
    InputRefusedError
        If a file is no text, or more than 5 % of its lines cannot be used.
    """
    images: list[LabelledImage] = []
    notes: list[str] = []
    named = Named()
    for path in paths:
        found, bad, others = _read(path, key, named)
        _refuse_if_too_many_are_bad(path, len(found) + others, bad, key)
        images += found
        if bad:
            notes.append(f"{_counted(path, len(found) + others, bad)} They are ignored.")
    return images, (*notes, *named.notes)


def _read(path: Path, key: str, named: Named) -> tuple[list[LabelledImage], list[str], int]:
    """Return the images, the lines that cannot be used, and the number of those that show none of the classes."""
    images, bad, others = [], [], 0
    for line, row in _rows(path):
        try:
            image = _image(path, row, key, named)
        except _BadLineError as error:
            bad.append(f"line {line} ({error})")
            continue
        if image is None:
            others += 1
        else:
            images.append(image)
    return images, bad, others


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
            remedy=Message("Save it as UTF-8, one JSON object per line."),
            path=path,
        ) from error


def _parsed(text: str) -> Any:
    try:
        return loose_json.parse(text)
    except ValueError:
        return None


def _image(manifest: Path, row: Any, key: str, named: Named) -> LabelledImage | None:
    if not isinstance(row, dict):
        raise _BadLineError("no JSON object")
    name = row.get(key)
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        raise _BadLineError(f"no {key}")
    home = _absolute(manifest.parent)
    path = _place(home, name.strip().replace("\\", "/"))
    image_id = path.relative_to(home).as_posix() if path.is_relative_to(home) else path.as_posix()
    code = _class(row, named)
    return None if code is None else LabelledImage(image_id, code, _lesion(row) or image_id, _part(row), path)


def _place(home: Path, name: str) -> Path:
    beside = _absolute(home / name)
    here = _absolute(Path(name))
    return here if not os.path.exists(beside) and os.path.exists(here) else beside


def _class(row: dict[str, Any], named: Named) -> str | None:
    """Return the class that a row names; None, and counted, for a diagnosis that is none of the seven."""
    values = [row[key] for key in LABEL_KEYS if known(row.get(key))]
    names = [str(value).strip() for value in values if not _is_number(value)]
    if not values:
        raise _BadLineError("neither class nor label")
    if not names:
        raise _BadLineError(f"label {_short(values[0])} is a number, and nothing says which class it means")
    codes = [class_of(name) for name in names]
    if len(set(codes)) > 1:
        raise _BadLineError(f"it is called {names[0]} and {names[1]}")
    if codes[0] is None and not is_other_diagnosis(names[0]):
        raise _BadLineError(f"label {_short(names[0])} is none of the seven classes")
    return named.code(names[0])


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return re.fullmatch(r"\s*[+-]?\d+(\.\d*)?\s*", value) is not None
    return True


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _lesion(row: dict[str, Any]) -> str:
    return next((known(row[key]) for key in ("lesion_id", "group") if known(row.get(key))), "")


def _part(row: dict[str, Any]) -> str:
    return PARTS.get(known(row.get("split")).lower(), "")


def _refuse_if_too_many_are_bad(path: Path, good: int, bad: Sequence[str], key: str) -> None:
    if len(bad) > max(1 if good else 0, MAX_BAD_LINES * (good + len(bad))):
        raise InputRefusedError(
            _counted(path, good, bad),
            remedy=Message(
                "Each line must be one JSON object with {key} and label: a class code or name ({codes}), no number.",
                key=key,
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
