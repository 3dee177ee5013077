"""No cell of any table is a formula, and what a reader gets back is what was written."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import ROOMS
from core.files.text import cell_text, csv_line

ROOT = Path(__file__).resolve().parents[3]
WRITERS = ("csv.writer(", "DictWriter(", ".to_csv(")
FORMULAS = ("=", "+", "-", "@", "\t", "\r")

texts = st.text(st.one_of(st.sampled_from("=+-@' \t,\"x"), st.characters(blacklist_characters="\r\n\0")))


def cells_of(line: str) -> list[str]:
    (cells,) = csv.reader([line])
    return cells


@settings(max_examples=300, deadline=None)
@given(st.lists(texts, min_size=2))
def test_no_text_is_a_formula_and_all_come_back(row: list[str]) -> None:
    row = [text.encode("utf-8", "replace").decode() for text in row]
    cells = cells_of(csv_line(row))
    assert not any(cell.lstrip().startswith(FORMULAS) or cell.startswith(FORMULAS) for cell in cells)
    assert [cell_text(cell) for cell in cells] == row


@pytest.mark.parametrize("text", ["=cmd|'x'!A0", "  =1+1", "\t=1", "\r=1", "\n@SUM(A1)", "-2+3", "'=1", "\u00a0=1"])
def test_formulas_begin_with_an_apostrophe(text: str) -> None:
    assert csv_line([text, ""]).lstrip('"').startswith("'")


def test_numbers_and_other_texts_stay_as_they_are() -> None:
    assert csv_line([-1.5, None, "", "it's", "'quoted'", 3, True]) == "-1.5,,,it's,'quoted',3,True\n"
    assert cell_text("'quoted'") == "'quoted'"


def test_a_row_is_one_line() -> None:
    assert csv_line(["a\r\nb", "c\nd"]) == "a  b,c d\n"


def test_every_table_is_written_here() -> None:
    files = [path for room in (*ROOMS, "benchmarks", "scripts") for path in (ROOT / room).rglob("*.py")]
    assert len(files) > 300
    writing = {
        path.relative_to(ROOT).as_posix()
        for path in files
        if any(writer in path.read_text(encoding="utf-8") for writer in WRITERS)
    }
    assert writing == {"core/files/text.py"}
