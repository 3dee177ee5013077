"""The text of a table in the encodings that spreadsheets save, and its separator.

UTF-8 with and without a mark, UTF-16 and UTF-32 with one are certain. Of others, text whose signs beyond ASCII come in
pairs that all stand for common Chinese signs is GBK, and text in which they stand alone is cp1252; both are told as a
guess. Anything else is refused: a wrong guess would change names.
"""

from __future__ import annotations

import codecs
import csv
import re
from dataclasses import dataclass
from typing import Final

DELIMITERS: Final = (",", ";", "\t")

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HIGH: Final = re.compile(rb"[\x80-\xff]+")
_CONTROL: Final = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f]")
_MOSTLY_ALONE: Final = 0.8
_SEPARATOR_LINE: Final = re.compile(r'"?sep=(?P<sign>.)"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TableText:
    """The text of a table.

    Attributes
    ----------
    encoding
        How it was read.
    guessed
        Whether the encoding is a guess.
    """

    text: str
    encoding: str
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """The first lines of a table.

    Attributes
    ----------
    names
        The cells of its head, stripped and in lower case.
    delimiter
        What separates the cells.
    lines
        How many lines the head takes: 2 where a spreadsheet has written its separator (`sep=;`) above it.
    """

    names: tuple[str, ...]
    delimiter: str
    lines: int


def decode(data: bytes, *, cut: bool = False) -> TableText:
    """Return the text of a table.

    Parameters
    ----------
    cut
        Whether `data` is the beginning of more, so that its last sign may be incomplete.

    Raises
    ------
    UnicodeDecodeError
        If the encoding is unknown.
    """
    marked = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    if marked is not None:
        return TableText(_decoded(data, marked, cut), marked.removesuffix("-sig"))
    try:
        return TableText(_decoded(data, "utf-8", cut), "utf-8")
    except UnicodeDecodeError:
        guess = _guess(data)
        if guess is None:
            raise
        return TableText(_decoded(data, guess, cut), guess, guessed=True)


def read_head(text: str) -> Head:
    """Return the head of a table.

    Raises
    ------
    csv.Error
        If the line cannot be taken apart.
    """
    first, _, rest = text.partition("\n")
    told = _SEPARATOR_LINE.fullmatch(first.strip())
    line = rest.partition("\n")[0] if told else first
    delimiter = told["sign"] if told else max(DELIMITERS, key=line.count)
    cells = next(csv.reader([line.strip("\r\n")], delimiter=delimiter), [])
    return Head(tuple(cell.strip().lower() for cell in cells), delimiter, 2 if told else 1)


def _decoded(data: bytes, encoding: str, cut: bool) -> str:
    return codecs.getincrementaldecoder(encoding)().decode(data, final=not cut)


def _guess(data: bytes) -> str | None:
    if _CONTROL.search(data):
        return None
    runs = _HIGH.findall(data)
    if all(len(run) % 2 == 0 for run in runs) and _decodes(b"\n".join(runs), "gb2312"):
        return "gbk"
    alone = sum(len(run) == 1 for run in runs)
    return "cp1252" if alone >= _MOSTLY_ALONE * len(runs) and _decodes(data, "cp1252") else None


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
