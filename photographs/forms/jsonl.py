"""Manifests with a JSON object a line, see `photographs.manifest`; the metadata of Hugging Face's image folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from photographs.diagnoses import Named
from photographs.label_forms import LABEL_FORMS, LAST, METADATA, FolderContents, Found, LabelForm
from photographs.label_table import LabelTable, read_columns, read_table
from photographs.labelled import PARTS, LabelledImage
from photographs.manifest import FILE_NAME, LABEL_KEYS, is_manifest, read_manifests, speaks_of
from photographs.rows import Home, cell, class_cell, part_cell

HF_COLUMNS: Final = ("file_name",)
_NAMES: Final = ("metadata.jsonl", "metadata.csv")


def read_hugging_face(tables: Sequence[Path]) -> Found:
    """Read `metadata.jsonl` or `metadata.csv`: file_name relative to the file, and a label or class."""
    images: list[LabelledImage] = []
    notes: list[str] = []
    for path in tables:
        part = PARTS.get(path.parent.name.lower(), "") if len(tables) > 1 else ""
        found, said = read_manifests([path], FILE_NAME) if path.suffix == ".jsonl" else _read_csv(path)
        prefix = f"{path.parent.name}/" if len(tables) > 1 else ""
        images += [_of_part(image, part, prefix) for image in found]
        notes += said
    return images, tuple(notes)


def _of_part(image: LabelledImage, part: str, prefix: str) -> LabelledImage:
    lesion = image.lesion_id if image.lesion_id != image.image_id else f"{prefix}{image.image_id}"
    return LabelledImage(f"{prefix}{image.image_id}", image.code, lesion, image.split or part, image.path)


def _read_csv(path: Path) -> Found:
    table, named = read_table(path), Named()
    table.require(HF_COLUMNS)
    images = list(_csv_images(table, _label_column(table), named))
    return images, (*table.notes, *named.notes)


def _csv_images(table: LabelTable, label: str, named: Named) -> Iterator[LabelledImage]:
    home = Home(table.path.parent)
    for row in table.rows:
        code = class_cell(table, row, label, named)
        if code is not None:
            path = home.file(table, row, cell(table, row, "file_name"))
            name = home.name(path)
            lesion = row.cells.get("lesion_id") or row.cells.get("group") or name
            yield LabelledImage(name, code, lesion, part_cell(table, row), path)


def _label_column(table: LabelTable) -> str:
    return next(key for key in LABEL_KEYS if key in table.columns)


def _find_hugging_face(contents: FolderContents) -> Sequence[Path]:
    parts = [child for child in contents.children if child.is_dir() and child.name.lower() in PARTS]
    homes = [contents.folder, *parts]
    return [home / name for home in homes for name in _NAMES if _has_labels(home / name)]


def _has_labels(path: Path) -> bool:
    if not path.is_file():
        return False
    if path.suffix == ".jsonl":
        return speaks_of(path, FILE_NAME) and any(speaks_of(path, key) for key in LABEL_KEYS)
    columns = set(read_columns(path))
    return set(HF_COLUMNS) <= columns and bool(columns & set(LABEL_KEYS))


def _find_manifests(contents: FolderContents) -> Sequence[Path]:
    return [child for child in contents.children if is_manifest(child)]


LABEL_FORMS.add(
    LabelForm(
        "huggingface",
        "Hugging Face image folder",
        "metadata.jsonl or metadata.csv with file_name and label (a class code or name), maybe in train/ and test/.",
        _find_hugging_face,
        read_hugging_face,
        columns=HF_COLUMNS,
        rank=METADATA,
    )
)
LABEL_FORMS.add(
    LabelForm(
        "jsonl",
        "JSONL manifest",
        "JSONL manifests with image_path and label (a class code or name), a folder of nothing else or a file.",
        _find_manifests,
        read_manifests,
        rank=LAST,
    )
)
