"""Looks through an output folder: which images, explanations and models lie there. No Qt."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from core.errors import OutputError
from core.taxonomy import CLASS_CODES, CLASS_INDEX
from dataset.ratings import Rating, read_ratings
from dataset.reading import read_run_ids
from dataset.record import Key

_log = logging.getLogger(__name__)

XAI_RESULTS: Final = "xai_results"

BATCH: Final = 400
"""Images handed over at once: small enough that taking them in never takes long."""

SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".tif", ".tiff", ".webp")
"""Of the pictures that the program reads, whoever put them there."""


@dataclass(frozen=True, slots=True)
class GalleryItem:
    """One image of the output folder.

    Attributes
    ----------
    path
        As text: ten thousand Path objects cost time that the window does not have.
    run
        Id of the run that made it; empty if none of this program did.
    """

    path: str
    class_code: str
    name: str
    run: str = ""

    @property
    def key(self) -> Key:
        """Class and file name: what ratings and runs are noted by."""
        return self.class_code, os.path.basename(self.path)


@dataclass(frozen=True, slots=True)
class FolderNotes:
    """What the program's own files say about the images of a folder, by (class, file name)."""

    runs: Mapping[Key, str] = field(default_factory=dict)
    ratings: Mapping[Key, Rating] = field(default_factory=dict)


def read_notes(output: Path) -> FolderNotes:
    """Return what is noted about the images; notes that cannot be read are none."""
    try:
        return FolderNotes(read_run_ids(output), read_ratings(output))
    except (OSError, OutputError) as error:
        _log.warning("Runs and ratings of %s cannot be read: %s", output, error)
        return FolderNotes()


def scan_images(output: Path, runs: Mapping[Key, str] | None = None) -> Iterator[list[GalleryItem]]:
    """Yield the images of the class folders in batches, the latest of each class first.

    Folders that are missing or not readable hold nothing.

    Parameters
    ----------
    runs
        Which run made which image.
    """
    runs = runs or {}
    for code in CLASS_CODES:
        items = sorted(_class_items(output / code, code, runs), key=lambda item: item.name, reverse=True)
        for start in range(0, len(items), BATCH):
            yield items[start : start + BATCH]


def item_of(path: Path, class_code: str, run: str = "") -> GalleryItem:
    """Return the item of one file."""
    return GalleryItem(str(path), class_code, path.stem, run)


def _class_items(folder: Path, code: str, runs: Mapping[Key, str]) -> Iterator[GalleryItem]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                stem, suffix = os.path.splitext(entry.name)
                if suffix.lower() in SUFFIXES:
                    yield GalleryItem(entry.path, code, stem, runs.get((code, entry.name), ""))
    except OSError:
        return


@dataclass(frozen=True, slots=True)
class XaiRun:
    """Explanations that were made together.

    Attributes
    ----------
    path
        A folder, or a single picture of an old version.
    name
        With the class in front where an old version has sorted its runs by class.
    changed
        Seconds since 1970.
    """

    path: str
    name: str
    changed: float


@dataclass(frozen=True, slots=True)
class FolderSummary:
    """The project tree: explanation runs, latest first."""

    xai_runs: tuple[XaiRun, ...]


def summarize(output: Path) -> FolderSummary:
    """List the explanation runs of an output folder, in every layout that this program and its predecessor had."""
    runs = _xai_runs(output / XAI_RESULTS)
    return FolderSummary(tuple(sorted(runs, key=lambda run: (run.changed, run.name), reverse=True)))


def xai_run(path: Path) -> XaiRun:
    """Return the run that lies in a folder."""
    return XaiRun(str(path), path.name, path.stat().st_mtime if path.exists() else time.time())


def _xai_runs(folder: Path, prefix: str = "") -> Iterator[XaiRun]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir() and entry.name in CLASS_INDEX and not prefix:
                    yield from _xai_runs(Path(entry.path), f"{entry.name} · ")
                elif entry.is_dir() or entry.name.lower().endswith(SUFFIXES):
                    yield XaiRun(entry.path, prefix + entry.name, entry.stat().st_mtime)
    except OSError:
        return
