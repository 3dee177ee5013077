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


@pytest.mark.parametrize("content", [b"path,class\n\x81\n", b"path,class\n\xff\xfe\xfd\x01\n", b"a,b\n1,\0\n"])
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


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_encodings_with_a_mark_are_read_without_a_word(tmp_path, encoding):
    path = tmp_path / "t.csv"
    text = "path;class\nB\u00e4r/\u4e2d.png;MEL\n"
    mark = "\ufeff" if encoding.endswith(("-le", "-be")) else ""
    path.write_bytes((mark + text).encode(encoding))
    table = read_table(path)
    assert table.columns == read_columns(path) == ("path", "class")
    assert table.rows[0].cells == {"path": "B\u00e4r/\u4e2d.png", "class": "MEL"}
    assert table.notes == ()


@pytest.mark.parametrize(
    ("encoding", "text"), [("cp1252", "Universit\u00e4t Wien"), ("gbk", "\u76ae\u80a4\u79d1\u533b\u9662")]
)
def test_encodings_without_a_mark_are_a_guess_that_is_told(tmp_path, encoding, text):
    path = tmp_path / "t.csv"
    path.write_bytes(f"path,class,attribution\na.png,MEL,{text}\n".encode(encoding))
    table = read_table(path)
    assert table.rows[0].cells["attribution"] == text
    (note,) = table.notes
    assert encoding in note
    assert "UTF-8" in note


def test_text_that_is_neither_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("path,class\n\u041a\u043b\u0438\u043d\u0438\u043a\u0430,MEL\n".encode("cp1251"))
    with pytest.raises(InputRefusedError) as refused:
        read_table(path)
    assert "UTF-8" in refused.value.remedy


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
def test_the_separator_that_a_spreadsheet_has_written_above_the_head(tmp_path, line):
    path = tmp_path / "t.csv"
    path.write_text(f"{line}\npath;class;remark\na.png;MEL;1,2,3,4\n")
    table = read_table(path)
    assert table.columns == read_columns(path) == ("path", "class", "remark")
    assert [(row.line, row.cells["remark"]) for row in table.rows] == [(3, "1,2,3,4")]


@pytest.mark.parametrize("head", ["path,class,class", "path,Class, class ", "image_path,path,image_path,class"])
def test_two_columns_of_one_name_are_refused(tmp_path, head):
    path = tmp_path / "t.csv"
    path.write_text(f"{head}\na.png,MEL,NV,BCC\n".replace(",BCC", "" if head.count(",") == 2 else ",BCC"))
    with pytest.raises(InputRefusedError, match="several columns of the same name"):
        read_table(path)


def test_nameless_columns_of_a_spreadsheet_do_no_harm(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("path,class,,\na.png,MEL,,\n")
    assert read_table(path).rows[0].cells["class"] == "MEL"


def damaged(tmp_path, good: int, bad: int, line: str = "b\0.png,NV"):
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["path,class", *[line] * bad, *["a.png,MEL"] * good]) + "\n")
    return path


@pytest.mark.parametrize("line", ["b\0.png,NV", "b" * 131_073 + ",NV"])
def test_one_damaged_line_is_passed_over_and_counted(tmp_path, line):
    table = read_table(damaged(tmp_path, 1, 1, line))
    assert [row.line for row in table.rows] == [3]
    (note,) = table.notes
    assert note.startswith(f"1 of 2 lines of {table.path} are damaged: line 2 (")
    assert note.endswith("They are ignored.")
    assert read_table(damaged(tmp_path, 1, 0, line)).notes == ()


def test_a_field_of_131072_characters_is_none_too_many(tmp_path):
    assert len(read_table(damaged(tmp_path, 1, 1, "b" * 131_072 + ",NV")).rows) == 2


@pytest.mark.parametrize(("good", "bad", "is_read"), [(38, 2, True), (37, 2, False), (57, 3, True), (0, 1, False)])
def test_more_than_five_percent_of_damaged_lines_are_refused(tmp_path, good, bad, is_read):
    path = damaged(tmp_path, good, bad)
    if is_read:
        assert (len(read_table(path).rows), len(read_table(path).damaged)) == (good, bad)
        return
    with pytest.raises(InputRefusedError, match=f"^{bad} of {good + bad} lines"):
        read_table(path)


@pytest.mark.parametrize(("bad", "end"), [(3, "line 4 (a zero byte)."), (5, "line 4 (a zero byte) and 2 more.")])
def test_the_first_three_damaged_lines_are_named(tmp_path, bad, end):
    with pytest.raises(InputRefusedError) as refused:
        read_table(damaged(tmp_path, 3, bad))
    assert str(refused.value.message).endswith(end)


@pytest.mark.parametrize(("columns", "is_read"), [(20_000, True), (20_001, False)])
def test_as_many_columns_as_a_table_of_pixels_has(tmp_path, columns, is_read):
    path = tmp_path / "t.csv"
    path.write_text(",".join(f"c{number}" for number in range(columns)) + "\n")
    if is_read:
        assert len(read_table(path).columns) == columns
    else:
        with pytest.raises(InputRefusedError, match=r"names 20,001 columns; at most 20,000"):
            read_table(path)


@pytest.mark.parametrize(("rows", "is_read"), [(5, True), (6, False)])
def test_more_cells_than_memory_are_refused(tmp_path, monkeypatch, rows, is_read):
    monkeypatch.setattr("photographs.label_table.MAX_CELLS", 10)
    path = damaged(tmp_path, rows, 0)
    if is_read:
        assert len(read_table(path).rows) == rows
    else:
        with pytest.raises(InputRefusedError, match="more than 10 cells"):
            read_table(path)


def test_columns_of_a_large_table_are_read_though_its_beginning_ends_inside_a_letter(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("path,class\n" + "\u00e4" * 2_200_000, encoding="utf-8")
    assert path.read_bytes()[4 * 1024**2 - 1] == "\u00e4".encode()[0], "the cut lies inside"
    assert read_columns(path) == ("path", "class")


@pytest.mark.parametrize(
    ("head", "columns"),
    [
        ("image_path,class", ("path", "class")),
        ("path,image_path", ("path", "image_path")),
        ("imagepath", ("imagepath",)),
    ],
)
def test_image_path_is_the_path_where_there_is_no_other(tmp_path, head, columns):
    (tmp_path / "t.csv").write_text(f"{head}\n")
    assert read_columns(tmp_path / "t.csv") == read_table(tmp_path / "t.csv").columns == columns


def test_a_table_without_columns_says_so(tmp_path):
    (tmp_path / "t.csv").touch()
    with pytest.raises(InputRefusedError, match="no column path, class; it has none") as refused:
        read_table(tmp_path / "t.csv").require(("path", "class"))
    assert "path, class" in refused.value.remedy


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("\u00e4 b \u00e4 c \u00e4 d \u00e4 \u00e4\u00e4\u00e4", "cp1252"), ("\u00e4 b \u00e4 c \u00e4 \u00e4\u00e4\u00e4",
      None),
     ("\u76ae \u80a4", "gbk"), ("\u00e4\x01", None), ("\u00e4\x0b", None), ("\u00e4\t", "cp1252")],
)  # fmt: skip
def test_a_guess_needs_four_of_five_letters_alone_or_all_in_pairs(tmp_path, text, encoding):
    path = tmp_path / "t.csv"
    path.write_bytes(f"path,class,by\na.png,MEL,{text}\n".encode("gbk" if encoding == "gbk" else "cp1252"))
    if encoding is None:
        with pytest.raises(InputRefusedError, match="cannot be read as a table"):
            read_table(path)
    else:
        assert read_table(path).guessed_encoding == encoding
        assert read_table(path).rows[0].cells["by"] == text.strip()


@pytest.mark.parametrize(("line", "columns"), [("a,b;c", 2), ("a;b;c,d", 3), ("a\tb\tc,d", 3), ("a", 1)])
def test_the_commonest_separator_of_the_head_separates_and_the_comma_first(tmp_path, line, columns):
    (tmp_path / "t.csv").write_text(f"{line}\n")
    assert len(read_columns(tmp_path / "t.csv")) == columns
