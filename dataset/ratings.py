"""What a person thinks of each image: stars and rejections, one JSON object a line, apart from the journal.

Apart, because an image may be rated while a run holds the folder's lock: a line is appended with one write, which the
system does not mix with that of another program, and the last line about a file counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.files.atomic import output_errors, write_all
from core.files.own import open_own, own_file, own_folder, read_own
from core.files.text import plain
from dataset.layout import Layout
from dataset.record import Key

if TYPE_CHECKING:
    from core.files.reading import Line
    from dataset.schemas import RatingLine

MAX_BYTES: Final = 1 << 30
"""Of the file: the ratings of ten million images."""


@dataclass(frozen=True, slots=True)
class Rating:
    """What a person thinks of one image.

    Attributes
    ----------
    stars
        1 to 5; 0 if none were given.
    rejected
        Whether the image is not to be used; apart from the stars, so that taking it back loses nothing.
    """

    stars: int = 0
    rejected: bool = False


UNRATED: Final = Rating()


def read_ratings(folder: Path) -> dict[Key, Rating]:
    """Return the ratings of an output folder by (class, file name); images without one are not in it.

    Lines that cannot be understood are ignored; `damaged_ratings` counts them.

    Raises
    ------
    OutputError
        If the file is there and cannot be read.
    """
    raw = _read(Layout(folder.absolute()))
    ratings = dict(_parse(raw)) if raw else {}
    return {key: rating for key, rating in ratings.items() if rating != UNRATED}


def damaged_ratings(folder: Path) -> tuple[int, ...]:
    """Return the numbers, from 1, of the lines that cannot be understood; one that is still being written is none.

    Raises
    ------
    OutputError
        If the file is there and cannot be read.
    """
    raw = _read(Layout(folder.absolute()))
    return tuple(line.number for line in _lines(raw[: raw.rfind(b"\n") + 1]) if line.value is None)


def write_ratings(folder: Path, ratings: Mapping[Key, Rating]) -> None:
    """Note ratings durably, all of them or none; those of other images stay.

    Raises
    ------
    ValueError
        If a number of stars is none of 0..5, or a key is no file of a class folder.
    OutputError
        If they cannot be written.
    """
    layout = Layout(folder.absolute())
    path = layout.ratings
    data = b"".join(_render(key, rating) for key, rating in ratings.items())
    with output_errors(path):
        own_folder(layout.folder, layout.state)
        _append(own_file(layout.folder, path), data)


def _append(path: Path, data: bytes) -> None:
    fd = open_own(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    try:
        write_all(fd, data if _ends_with_newline(fd) else b"\n" + data)
        os.fsync(fd)
    finally:
        os.close(fd)


def _ends_with_newline(fd: int) -> bool:
    """Whether the next line can follow; a line that a dying process left unfinished is closed first."""
    size = os.fstat(fd).st_size
    if not size:
        return True
    os.lseek(fd, size - 1, os.SEEK_SET)
    return os.read(fd, 1) == b"\n"


def _read(layout: Layout) -> bytes:
    with output_errors(layout.ratings):
        return read_own(layout.folder, layout.ratings, MAX_BYTES) or b""


def _render(key: Key, rating: Rating) -> bytes:
    code, name = key
    line = {"class": code, "file": name, "stars": rating.stars, "rejected": rating.rejected}
    data = plain(json.dumps(line, ensure_ascii=False)).encode() + b"\n"
    if not list(_parse(data)):
        raise ValueError(f"No file of a class folder, or no rating: {line}")
    return data


def _parse(raw: bytes) -> Iterator[tuple[Key, Rating]]:
    for line in _lines(raw):
        if line.value is not None:
            yield (line.value.code, line.value.file), Rating(line.value.stars, line.value.rejected)


def _lines(raw: bytes) -> Iterator[Line[RatingLine]]:
    from core.files.reading import parse_json_lines
    from dataset.schemas import RatingLine  # brings pydantic, which the window's start does without

    return parse_json_lines(raw, RatingLine)
