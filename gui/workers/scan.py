"""Looks through an output folder: which images, explanations and models lie there. No Qt."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.taxonomy import CLASS_CODES

BATCH: Final = 400
"""Images handed over at once: small enough that taking them in never takes long."""

SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True, slots=True)
class GalleryItem:
    """One image of the output folder.

    Attributes
    ----------
    path
        As text: ten thousand Path objects cost time that the window does not have.
    """

    path: str
    class_code: str
    name: str


def scan_images(output: Path) -> Iterator[list[GalleryItem]]:
    """Yield the images of the class folders in batches, the latest of each class first.

    Folders that are missing or not readable hold nothing.
    """
    for code in CLASS_CODES:
        items = sorted(_class_items(output / code, code), key=lambda item: item.name, reverse=True)
        for start in range(0, len(items), BATCH):
            yield items[start : start + BATCH]


def item_of(path: Path, class_code: str) -> GalleryItem:
    """Return the item of one file."""
    return GalleryItem(str(path), class_code, path.stem)


def _class_items(folder: Path, code: str) -> Iterator[GalleryItem]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                stem, suffix = os.path.splitext(entry.name)
                if suffix.lower() in SUFFIXES:
                    yield GalleryItem(entry.path, code, stem)
    except OSError:
        return


@dataclass(frozen=True, slots=True)
class FolderSummary:
    """The project tree: names of explanation runs, latest first."""

    xai_runs: tuple[str, ...]


def summarize(output: Path) -> FolderSummary:
    """List the explanation runs of an output folder."""
    try:
        names = [entry.name for entry in os.scandir(output / "xai_results") if entry.is_dir()]
    except OSError:
        names = []
    return FolderSummary(tuple(sorted(names, reverse=True)))
