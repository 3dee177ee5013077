"""How each format lays out its files, and the tables that come with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.files.text import csv_line, finite, plain
from core.taxonomy import CLASS_CODES
from dataset.export.request import PARTS, Format
from dataset.export.rows import Entry, caption, facts

MANIFEST_CSV: Final = "manifest.csv"
MANIFEST_JSONL: Final = "manifest.jsonl"
METADATA_JSONL: Final = "metadata.jsonl"
IMAGES: Final = "images"
ISIC_PARTS: Final[Mapping[str, str]] = {"train": "Training", "val": "Validation", "test": "Test"}

Entries = Sequence[Entry]


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file of an export that is no image: where it goes, relative to the export with slashes, and its bytes."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """One format.

    Attributes
    ----------
    place
        Where an image goes, relative to the export, given the image and whether there is a split.
    texts
        The tables of the format besides `manifest.csv`.
    """

    place: Callable[[Entry, bool], str]
    texts: Callable[[Entries, bool], Iterable[TextFile]]


def manifest_csv(form: Form, entries: Entries, split: bool) -> TextFile:
    """Return the table with a row for each image that every format carries."""
    rows = [{"image_path": form.place(entry, split), **facts(entry)} for entry in entries]
    head = tuple(rows[0]) if rows else ()
    lines = [csv_line(head), *(csv_line("" if value is None else value for value in row.values()) for row in rows)]
    return TextFile(MANIFEST_CSV, "".join(lines).encode())


def _in_class_folder(entry: Entry, split: bool) -> str:
    return f"{entry.part}/{entry.code}/{entry.name}" if split else f"{entry.code}/{entry.name}"


def _in_part(entry: Entry, split: bool) -> str:
    return f"{entry.part}/{entry.code}/{entry.name}"


def _in_one_folder(entry: Entry, split: bool) -> str:
    return f"{IMAGES}/{entry.name}"


def _in_isic_folder(entry: Entry, split: bool) -> str:
    return f"{_isic_name(entry.part)}_Input/{entry.name}"


def _no_texts(entries: Entries, split: bool) -> Iterable[TextFile]:
    return ()


def _manifest_jsonl(entries: Entries, split: bool) -> Iterator[TextFile]:
    rows = (
        {"image_path": _in_one_folder(e, split), "caption": caption(e.code), "mask_path": None, **facts(e)}
        for e in entries
    )
    yield TextFile(MANIFEST_JSONL, _json_lines(rows))


def _metadata_jsonl(entries: Entries, split: bool) -> Iterator[TextFile]:
    """Yield one file for each part; the library finds images relative to it."""
    for part, held in _by_part(entries):
        rows = ({"file_name": f"{e.code}/{e.name}", "caption": caption(e.code), **facts(e)} for e in held)
        yield TextFile(f"{part}/{METADATA_JSONL}", _json_lines(rows))


def _isic_tables(entries: Entries, split: bool) -> Iterator[TextFile]:
    for part, held in _by_part(entries):
        name = _isic_name(part)
        hot = [(e.name[:-4], *("1.0" if code == e.code else "0.0" for code in CLASS_CODES)) for e in held]
        groups = [(e.name[:-4], facts(e)["group"], "synthetic") for e in held]
        yield TextFile(f"{name}_GroundTruth.csv", _csv(("image", *CLASS_CODES), hot))
        lesions = ("image", "lesion_id", "diagnosis_confirm_type")
        yield TextFile(f"{name}_LesionGroupings.csv", _csv(lesions, groups))


def _isic_name(part: str) -> str:
    return f"ISIC2018_Task3_{ISIC_PARTS[part]}"


def _by_part(entries: Entries) -> Iterator[tuple[str, list[Entry]]]:
    for part in PARTS:
        held = [entry for entry in entries if entry.part == part]
        if held:
            yield part, held


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    return "".join(map(csv_line, (head, *rows))).encode()


def _json_lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    return plain("".join(json.dumps(finite(row), ensure_ascii=False, allow_nan=False) + "\n" for row in rows)).encode()


FORMS: Final[Mapping[Format, Form]] = {
    "imagefolder": Form(_in_class_folder, _no_texts),
    "csv": Form(_in_one_folder, _no_texts),
    "jsonl": Form(_in_one_folder, _manifest_jsonl),
    "hf": Form(_in_part, _metadata_jsonl),
    "isic": Form(_in_isic_folder, _isic_tables),
}
