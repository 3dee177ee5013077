"""Tables of labels: what spreadsheets really save is read, and what is no table is refused in words."""

from __future__ import annotations

import pytest

from core.errors import InputRefusedError
from photographs.label_table import read_columns, read_table


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_separators_byte_order_marks_and_line_ends(tmp_path, delimiter, encoding, end):
    lines = ["Path,Class, group ", " a.png ,MEL,L1", "", "b.png,NV,"]
    path = tmp_path / "t.csv"
    path.write_bytes((end.join(lines).replace(",", delimiter)).encode(encoding))
    table = read_table(path)
    assert table.columns == read_columns(path) == ("path", "class", "group")
    assert [dict(row.cells) for row in table.rows] == [
        {"path": "a.png", "class": "MEL", "group": "L1"},
        {"path": "b.png", "class": "NV", "group": ""},
    ]
    assert [row.line for row in table.rows] == [2, 4]


def test_quoted_cells_keep_separators_and_line_breaks(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('path,class,remark\na.png,MEL,"red, and\nlarge"\nb.png,NV,\n', encoding="utf-8")
    table = read_table(path)
    assert table.rows[0].cells["remark"] == "red, and\nlarge"
    assert table.rows[1].line == 4


def test_a_short_row_is_filled_and_a_long_one_is_refused_by_its_line(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("path,class,group\na.png,MEL\n", encoding="utf-8")
    assert read_table(path).rows[0].cells["group"] == ""
    path.write_text("path,class\na.png,MEL\nb, c.png,MEL\n", encoding="utf-8")
    with pytest.raises(InputRefusedError, match=r"Line 3 .* has 3 cells"):
        read_table(path)


@pytest.mark.parametrize("content", ["path,class\na,MEL\n".encode("utf-16"), b"path,class\n\xff\n", b"a,b\n1,\0\n"])
def test_what_is_no_utf8_text_is_refused(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(InputRefusedError) as refused:
        read_table(path)
    assert refused.value.path == path
    assert "UTF-8" in refused.value.remedy


def test_missing_tables_and_columns_are_named(tmp_path):
    with pytest.raises(InputRefusedError, match=r"none\.csv"):
        read_table(tmp_path / "none.csv")
    assert read_columns(tmp_path / "none.csv") == ()
    (tmp_path / "t.csv").write_text("path\na\n", encoding="utf-8")
    with pytest.raises(InputRefusedError, match="no column class; it has path"):
        read_table(tmp_path / "t.csv").require(("path", "class"))


def test_an_empty_file_has_no_columns_and_no_rows(tmp_path):
    (tmp_path / "t.csv").touch()
    table = read_table(tmp_path / "t.csv")
    assert (table.columns, table.rows) == ((), ())
