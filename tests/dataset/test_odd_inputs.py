"""Pictures, tables and manifests that hold something odd: one line or file is named, and the rest is read."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import InputRefusedError
from core.files.opening import sha256_of
from core.images import check_intact, read_image
from dataset.png import read_recipe
from photographs.label_table import MAX_COLUMNS, read_columns, read_table
from photographs.manifest import is_manifest, read_manifests
from photographs.sources import read_dataset

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such files")


def picture(path: Path, value: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8, 3), value, np.uint8)).save(path)
    return path


@posix
@pytest.mark.parametrize("read", [read_image, read_recipe, check_intact])
@pytest.mark.parametrize("through_link", [False, True])
def test_a_pipe_named_like_a_picture_is_refused_at_once(tmp_path, read, through_link):
    place = tmp_path / "x.png"
    os.mkfifo(tmp_path / "pipe" if through_link else place)
    if through_link:
        place.symlink_to("pipe")
    with pytest.raises(InputRefusedError, match="named pipe"):
        read(place)


@posix
def test_a_device_is_refused_at_once():
    with pytest.raises(InputRefusedError, match="device"):
        read_image(Path("/dev/zero"))
    with pytest.raises(OSError, match="device"):
        sha256_of(Path("/dev/zero"))


def test_a_folder_named_like_a_picture_is_refused(tmp_path):
    (tmp_path / "x.png").mkdir()
    with pytest.raises(InputRefusedError, match="is a folder"):
        read_image(tmp_path / "x.png")


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n(touched) (w) file closefile showpage\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("postscript", EPS),
        ("pdf", b"%PDF-1.4\n1 0 obj<<>>endobj\n"),
        ("svg", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'),
        ("icon", b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0\x68\4\0\0\x16\0\0\0"),
        ("gif", b"GIF89a" + bytes(20)),
        ("empty", b""),
        ("signature alone", b"\x89PNG\r\n\x1a\n"),
    ],
)
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_other_kinds_of_pictures_are_refused_whatever_their_name(tmp_path, monkeypatch, name, content, suffix):
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("a program was started"))
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputRefusedError):
        read_image(path)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    head = struct.pack(">IIBBBBB", 2**30, 2**30, 8, 2, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )
    (tmp_path / "x.png").write_bytes(data)
    with pytest.raises(InputRefusedError):
        read_image(tmp_path / "x.png")


def test_a_recipe_nested_without_end_is_refused(tmp_path):
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, "PNG")
    data = buffer.getvalue()
    text = chunk(b"iTXt", b"isicgui\0\0\0\0\0" + b"[" * 100_000)
    (tmp_path / "x.png").write_bytes(data[:33] + text + data[33:])
    with pytest.raises(InputRefusedError):
        read_recipe(tmp_path / "x.png")


def table(folder: Path, *lines: str) -> Path:
    for number in range(4):
        picture(folder / f"{number}.png", number)
    path = folder / "labels.csv"
    rows = [f"i{number},MEL,L{number},{number}.png" for number in range(4)]
    path.write_text("\n".join(["id,class,lesion_id,path", *rows[:2], *lines, *rows[2:]]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("line", ["i\0,MEL,L9,9.png", f"i9,MEL,{'x' * 200_000},9.png"])
def test_a_damaged_line_of_a_table_is_named_and_the_rest_is_read(tmp_path, line):
    table(tmp_path, line)
    found = read_dataset(tmp_path)
    assert [image.image_id for image in found.images] == ["i0", "i1", "i2", "i3"]
    assert any("line 4" in note for note in found.notes)


def test_a_table_of_damaged_lines_is_refused(tmp_path):
    table(tmp_path, "i\0,MEL,L9,9.png", "j\0,MEL,L8,8.png")
    with pytest.raises(InputRefusedError, match="line 4"):
        read_dataset(tmp_path)


def test_more_columns_than_any_table_has_are_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(",".join(f"c{i}" for i in range(MAX_COLUMNS + 1)) + "\n" + "1\n" * 100_000, encoding="utf-8")
    with pytest.raises(InputRefusedError, match="columns"):
        read_table(path)


def test_a_field_without_end_in_the_first_line_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('path,"' + "x" * 200_000, encoding="utf-8")
    assert read_columns(path) == ()
    with pytest.raises(InputRefusedError):
        read_table(path)


@posix
def test_pipes_are_neither_tables_nor_manifests(tmp_path):
    os.mkfifo(tmp_path / "t.csv")
    os.mkfifo(tmp_path / "m.jsonl")
    assert read_columns(tmp_path / "t.csv") == ()
    assert not is_manifest(tmp_path / "m.jsonl")
    with pytest.raises(InputRefusedError, match="named pipe"):
        read_table(tmp_path / "t.csv")
    with pytest.raises(InputRefusedError, match="named pipe"):
        read_dataset(tmp_path / "m.jsonl")


@posix
def test_a_pipe_in_a_class_folder_is_named_and_the_rest_is_read(tmp_path):
    picture(tmp_path / "MEL" / "a.png")
    os.mkfifo(tmp_path / "MEL" / "b.png")
    found = read_dataset(tmp_path)
    assert len(found.images) == 1
    assert any("b.png: a named pipe" in note for note in found.notes)


ODD_LINES = [
    "[" * 5000,
    '{"image_path": "a.png", "label": 1' + "0" * 400 + "}",
    '{"image_path": "a.png", "label": 1e300}',
    '{"image_path": "a.png", "label": NaN}',
    '{"image_path": "a.png", "label": [[["MEL"]]]}',
    '{"image_path": "a.png\\u0000", "label": "MEL"}',
    '{"image_path": "' + "x/" * 5000 + '", "class": {"MEL": 1}}',
    "\0\0\0",
    '"image_path"',
]


@pytest.mark.parametrize("line", ODD_LINES)
@pytest.mark.parametrize("place", [0, 2])
def test_an_odd_line_of_a_manifest_is_named_and_the_rest_is_read(tmp_path, line, place):
    picture(tmp_path / "a.png")
    good = [f'{{"image_path": "a.png", "label": "MEL", "lesion_id": 1e300, "caption": "\u2028 {n}"}}' for n in range(4)]
    path = tmp_path / "m.jsonl"
    path.write_text("\n".join([*good[:place], line, *good[place:]]), encoding="utf-8")
    images, notes = read_manifests([path])
    assert len(images) == 4
    assert len(notes) == 1
    assert f"line {place + 1} " in notes[0]


def test_a_path_that_cannot_be_one_is_counted_among_the_missing(tmp_path):
    picture(tmp_path / "a.png")
    lines = [f'{{"image_path": "a.png", "label": "MEL", "n": {n}}}' for n in range(40)]
    long = '{"image_path": "' + "x" * 5000 + '", "label": "MEL"}'
    (tmp_path / "m.jsonl").write_text("\n".join([*lines, long]), encoding="utf-8")
    with pytest.raises(InputRefusedError, match="1 of 2"):
        read_dataset(tmp_path / "m.jsonl")
