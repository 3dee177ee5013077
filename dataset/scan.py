"""Which files lie in the class folders."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

from core.taxonomy import CLASS_CODES
from dataset.layout import Layout, image_number

Names = Mapping[str, frozenset[str]]


def file_names(layout: Layout) -> Names:
    """Return the names of the files in each class folder."""
    return {code: _names_in(layout.class_dir(code)) for code in CLASS_CODES}


def strangers_in(layout: Layout, names: Names, known: Container[tuple[str, str]]) -> Iterator[tuple[str, Path, int]]:
    """Yield class, path and number of every file that is named as an image and not among the known ones, in order."""
    for code, present in names.items():
        for name in sorted(present):
            number = image_number(name)
            if number is not None and (code, name) not in known:
                yield code, layout.class_dir(code) / name, number


def _names_in(folder: Path) -> frozenset[str]:
    try:
        with os.scandir(folder) as entries:
            return frozenset(entry.name for entry in entries if entry.is_file())
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
