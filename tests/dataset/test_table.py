"""The table's cells, whatever stands in them."""

import csv
import dataclasses
import io
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from core.files.text import cell_text
from dataset.record import ImageRecord
from dataset.table import COLUMNS, LEGACY_COLUMNS, read_rows, render, render_row

RECORD = ImageRecord(Path("out/MEL/ISIC_0000001.png"), "MEL", 1, 5, "run", 1700000000.25)
cells = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"))


def parse(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_predecessors_columns_come_first():
    assert render([]).startswith("filename,class,isic_number,source,generated_at,")
    assert COLUMNS[:5] == LEGACY_COLUMNS


@settings(max_examples=200, deadline=None)
@given(weights=cells, source=cells)
def test_any_text_stays_on_its_line_and_none_is_a_formula(weights, source):
    record = dataclasses.replace(RECORD, weights=weights, source=source)
    (row,) = parse(render([record]))
    for given_text, cell in ((weights, row["weights"]), (source, row["source"])):
        flat = given_text.replace("\r", " ").replace("\n", " ")
        assert cell_text(cell) == flat
        assert not cell.lstrip().startswith(("=", "+", "-", "@"))
        assert not cell.startswith(("\t", "\r"))
    assert row["filename"] == "ISIC_0000001.png"
    assert row["run_id"] == "run"


def test_negative_numbers_stay_numbers():
    (row,) = parse(render([dataclasses.replace(RECORD, guidance=-1.5)]))
    assert row["guidance"] == "-1.5"


def test_a_row_is_the_same_alone_and_in_the_table():
    other = dataclasses.replace(RECORD, isic_number=2)
    assert render([RECORD, other]) == render([]) + render_row(RECORD) + render_row(other)


@settings(max_examples=100, deadline=None)
@given(st.binary())
def test_reading_any_bytes_ends_well(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("table") / "x.csv"
    path.write_bytes(b"filename,class\n" + data)
    assert all(code and name for code, name in read_rows(path))
