"""JSONL manifests: the rows that text-to-image training writes, read as labelled photographs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from core.errors import InputRefusedError
from core.taxonomy import CLASS_CODES
from photographs.sources import read_dataset
from tests.support.exports import export_to, put


def write(folder: Path, rows: list, name: str = "manifest.jsonl") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / name


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4)).save(path)
    return path


def rows_with_pictures(folder: Path, count: int, **more) -> list[dict]:
    for number in range(count):
        picture(folder / f"images/{number}.png")
    return [
        {"image_path": f"images/{n}.png", "caption": "a lesion", "mask_path": None, "label": CLASS_CODES[n % 7], **more}
        for n in range(count)
    ]


def test_labels_are_codes(tmp_path):
    manifest = write(tmp_path, rows_with_pictures(tmp_path, 7))
    found = read_dataset(manifest)
    assert found.kind == "jsonl"
    assert [(image.image_id, image.code) for image in found.images] == [
        (f"images/{number}.png", code) for number, code in enumerate(CLASS_CODES)
    ]


@pytest.mark.parametrize("label", ["MEL", "mel", "Melanoma", "melanoma (in situ)"])
def test_a_class_may_be_said_in_many_ways(tmp_path, label):
    rows = [row | {"label": label} for row in rows_with_pictures(tmp_path, 1)]
    assert [image.code for image in read_dataset(write(tmp_path, rows)).images] == ["MEL"]


def test_a_folder_of_manifests_is_read_whole(tmp_path):
    rows = rows_with_pictures(tmp_path, 4)
    write(tmp_path, rows[:2], "a.jsonl")
    (tmp_path / "b.json").write_text(json.dumps(rows[2:]), encoding="utf-8")
    (tmp_path / "settings.json").write_text('{"lr": 1}', encoding="utf-8")
    assert len(read_dataset(tmp_path).images) == 4


def test_lesions_and_parts_are_known_where_they_are_named(tmp_path):
    rows = rows_with_pictures(tmp_path, 2, group="one", label="AKIEC", split="valid")
    found = read_dataset(write(tmp_path, rows))
    assert found.grouped
    assert {(image.lesion_id, image.split) for image in found.images} == {("one", "val")}


def test_paths_may_be_relative_to_where_the_program_was_started(tmp_path, monkeypatch):
    picture(tmp_path / "data/x.png")
    manifest = write(tmp_path / "manifests", [{"image_path": "data/x.png", "caption": "", "label": "NV"}])
    monkeypatch.chdir(tmp_path)
    assert [image.path for image in read_dataset(manifest).images] == [tmp_path / "data/x.png"]


def test_paths_may_have_either_slash(tmp_path):
    rows = [row | {"image_path": row["image_path"].replace("/", "\\")} for row in rows_with_pictures(tmp_path, 1)]
    assert read_dataset(write(tmp_path, rows)).images[0].path == tmp_path / "images/0.png"


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '"x"', '{"label": 1}', '{"image_path": "images/0.png"}', '{"image_path": 3, "label": 1}',
     '{"image_path": "images/0.png", "label": 7}', '{"image_path": "images/0.png", "label": true}',
     '{"image_path": "images/0.png", "label": "sunny"}', '{"image_path": "images/0.png", "label": 1.5}',
     '{"image_path": "images/0.png", "label": Infinity}', '{"image_path": "images/0.png", "label": [1]}',
     '{"image_path": "images/0.png", "label": "MEL", "class": "NV"}', '{"image_path": "a\\u0000", "label": 1}'],
)  # fmt: skip
def test_few_bad_lines_are_counted_and_named_and_many_are_refused(tmp_path, line):
    rows = rows_with_pictures(tmp_path, 30)
    found = read_dataset(write(tmp_path, [*rows, line]))
    assert len(found.images) == 30
    assert any("1 of 31 lines" in note and "line 31" in note for note in found.notes)
    with pytest.raises(InputRefusedError, match="2 of 4 lines") as refused:
        read_dataset(write(tmp_path, [*rows[:2], line, line]))
    assert "label" in refused.value.remedy


def test_pictures_that_are_not_there_are_named(tmp_path):
    rows = [*rows_with_pictures(tmp_path, 40), {"image_path": "images/gone.png", "label": "MEL"}]
    found = read_dataset(write(tmp_path, rows))
    assert [path.name for path in found.missing] == ["gone.png"]


def test_no_text_is_no_manifest(tmp_path):
    (tmp_path / "x.jsonl").write_bytes(b'{"image_path": "\xff\xfe"}')
    with pytest.raises(InputRefusedError, match=r"x\.jsonl cannot be read"):
        read_dataset(tmp_path / "x.jsonl")


@pytest.mark.parametrize("form", ["jsonl", "hf", "imagefolder"])
def test_what_export_writes_is_read_again(tmp_path, form):
    for number, code in enumerate(("MEL", "NV", "NV")):
        put(tmp_path / "out", code, number, number)
    export_to(tmp_path / "out", tmp_path / form, format=form, split=None)
    source = tmp_path / form / "train" if form == "hf" else tmp_path / form
    assert sorted(image.code for image in read_dataset(source).images) == ["MEL", "NV", "NV"]
