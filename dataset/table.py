"""`synthetic_dataset.csv`: one row per finished image, derived from the journal; the legacy columns first."""

from __future__ import annotations

import csv
import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from core.files.atomic import write_text_atomic
from core.files.own import AppendFile, read_own
from core.files.text import cell_text, csv_line
from dataset.record import ImageRecord

logger = logging.getLogger(__name__)

LEGACY_COLUMNS: Final = ("filename", "class", "isic_number", "source", "generated_at")
_RECIPE_COLUMNS: Final = ("seed", "index", "noise_hash", "sampler", "steps", "guidance", "precision", "weights")
MAX_BYTES: Final = 4 << 30
COLUMNS: Final = (*LEGACY_COLUMNS, "path", *_RECIPE_COLUMNS, "weights_sha256", "run_id")


class Table:
    """The table of a folder whose lock is held.

    Parameters
    ----------
    path
        The CSV file.
    tmp_dir
        Folder for temporary files on the same drive.
    """

    def __init__(self, path: Path, tmp_dir: Path) -> None:
        self._path = path
        self._tmp_dir = tmp_dir
        self._size: int | None = None

    def sync(self, records: Iterable[ImageRecord]) -> None:
        """Make the file hold exactly these rows; it is written only if it does not yet.

        A table that another program (Excel) holds open is left behind; the next `sync` catches up.
        """
        text = render(records)
        expected = text.encode("utf-8")
        try:
            if read_bytes(self._path) != expected:
                write_text_atomic(self._path, text, tmp_dir=self._tmp_dir)
            self._size = len(expected)
        except PermissionError as error:
            self._fall_behind(error)

    def append(self, record: ImageRecord) -> None:
        """Append one row durably, unless the file fell behind earlier."""
        if self._size is None:
            return
        try:
            self._append(record, self._size)
        except PermissionError as error:
            self._fall_behind(error)

    @property
    def is_behind(self) -> bool:
        """Whether rows are missing that only `sync` can bring."""
        return self._size is None

    def _append(self, record: ImageRecord, size: int) -> None:
        self._size = None  # until the row is known to be there
        if os.stat(self._path).st_size != size:
            logger.warning("%s was changed by another program; it is rewritten at the end of the run.", self._path)
            return
        row = render_row(record).encode("utf-8")
        AppendFile(self._path, size).append(row)
        self._size = size + len(row)

    def _fall_behind(self, error: PermissionError) -> None:
        self._size = None
        logger.warning("%s cannot be written now (%s); it is brought up to date later.", self._path, error.strerror)


def render(records: Iterable[ImageRecord]) -> str:
    """Return the whole table as text."""
    return csv_line(COLUMNS) + "".join(map(render_row, records))


def render_row(record: ImageRecord) -> str:
    """Return one row with its line end."""
    name = record.path.name
    legacy = (name, record.class_code, record.isic_number, record.source, record.generated_at)
    recipe = (getattr(record, column) for column in _RECIPE_COLUMNS)
    return csv_line((*legacy, f"{record.class_code}/{name}", *recipe, record.weights_sha256, record.run_id))


def read_rows(path: Path) -> dict[tuple[str, str], Mapping[str, str]]:
    """Return the rows of any table with ISICGenerator's columns, by (class, file name); what is no row is skipped."""
    text = (read_bytes(path) or b"").decode("utf-8-sig", errors="replace").replace("\0", "")
    head, *lines = _cells_of(path, text) or [[]]
    rows = [dict(zip(head, cells, strict=False)) for cells in lines]
    named = [row for row in rows if row.get("class") and row.get("filename")]
    return {(row["class"].strip().upper(), row["filename"].strip()): row for row in named}


def _cells_of(path: Path, text: str) -> list[list[str]]:
    """Return the cells of each line: neither this program nor ISICGenerator writes a row in two of them."""
    found: list[list[str]] = []
    for line in text.splitlines():
        try:
            found += ([cell_text(cell) for cell in cells] for cells in csv.reader([line]))
        except csv.Error as error:
            logger.warning("A line of %s is ignored: %s", path, error)
    return found


def holds_foreign_text(path: Path, records: Iterable[ImageRecord]) -> bool:
    """Whether the file holds anything that this program would not write for these records."""
    text, expected = (read_bytes(path) or b"").decode("utf-8", errors="replace"), render(records)
    if text == expected:
        return False
    *lines, tail = text.split("\n")
    own = set(expected.split("\n"))
    torn = tail.strip("\0")  # a row that a dying process, or a power cut, left unfinished
    return any(line not in own for line in lines) or not any(line.startswith(torn) for line in own)


def read_bytes(path: Path) -> bytes | None:
    """Return the content of a table, or None if there is none; one that is a link or no regular file is refused."""
    return read_own(path.parent, path, MAX_BYTES)
