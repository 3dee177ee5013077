"""What is exported does not say where its maker kept the models: versions before 0.2.0 wrote it into every image."""

from __future__ import annotations

import hashlib
import io
import json

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from dataset.png import as_passed_on, read_recipe
from dataset.recipe import PNG_KEY, folder_name
from tests.support.exports import export_to, files_of, manifest, put

HOMES = {
    "/home/anna.schmidt/models/starter": "starter",
    "/Users/anna.schmidt/checkpoints/": "checkpoints",
    "C:\\Users\\anna.schmidt\\starter": "starter",
    "C:/Users/anna.schmidt/starter": "starter",
    "\\\\server\\anna.schmidt\\pack": "pack",
    "/": "",
}


@pytest.mark.parametrize("models", HOMES)
def test_the_end_of_a_path_is_kept_and_every_other_value(tmp_path, models):
    path = put(tmp_path, "MEL", 1, 1, models=models)
    before = read_recipe(path).to_json()
    path.write_bytes(as_passed_on(path, path.read_bytes()))
    assert read_recipe(path).to_json() == {**before, "models": HOMES[models]}
    assert b"schmidt" not in path.read_bytes()


def test_the_picture_and_the_mark_are_the_same(tmp_path):
    path = put(tmp_path, "MEL", 1, 1, models="/home/anna/starter")
    old = path.read_bytes()
    with Image.open(path) as before, Image.open(io.BytesIO(as_passed_on(path, old))) as after:
        assert {**before.info, PNG_KEY: ""} == {**after.info, PNG_KEY: ""}
        np.testing.assert_array_equal(np.asarray(before), np.asarray(after))
        after.load()  # every checksum


@pytest.mark.parametrize("add", ["add_text", "zip", "add_itxt"])
def test_a_recipe_that_another_program_has_packed_is_found(tmp_path, add):
    path = put(tmp_path, "MEL", 1, 1, models="/home/anna/starter")
    with Image.open(path) as image:
        text, info = image.info[PNG_KEY], PngImagePlugin.PngInfo()
        info.add_itxt(PNG_KEY, text) if add == "add_itxt" else info.add_text(PNG_KEY, text, zip=add == "zip")
        info.add_itxt("Comment", "of somebody")
        image.save(path, pnginfo=info)
    data = as_passed_on(path, path.read_bytes())
    path.write_bytes(data)
    assert read_recipe(path).models == "starter"
    with Image.open(path) as image:
        assert image.info["Comment"] == "of somebody"
    assert data.count(PNG_KEY.encode()) == 1


def test_keys_of_a_newer_version_stay(tmp_path):
    path = put(tmp_path, "MEL", 1, 1, models="/home/anna/starter")
    with Image.open(path) as image:
        content, info = json.loads(image.info[PNG_KEY]), PngImagePlugin.PngInfo()
        info.add_itxt(PNG_KEY, json.dumps({**content, "newer": [1]}))
        image.save(path, pnginfo=info)
    with Image.open(io.BytesIO(as_passed_on(path, path.read_bytes()))) as image:
        assert json.loads(image.info[PNG_KEY])["newer"] == [1]


def test_what_says_nothing_is_passed_on_byte_by_byte(tmp_path):
    new = put(tmp_path, "MEL", 1, 1, models="starter")
    assert as_passed_on(new, new.read_bytes()) == new.read_bytes()
    for text in (None, "no JSON", "[" * 5000, "[]", '{"models": 3}'):
        info = PngImagePlugin.PngInfo()
        if text is not None:
            info.add_itxt(PNG_KEY, text)
        Image.new("RGB", (8, 8)).save(tmp_path / "x.png", pnginfo=info)
        data = (tmp_path / "x.png").read_bytes()
        assert as_passed_on(tmp_path / "x.png", data) == data


@pytest.mark.parametrize("options", [{"format": "hf"}, {"format": "imagefolder", "zip": True}])
def test_an_export_of_old_images_names_nobody_and_its_sums_are_right(tmp_path, options):
    for number in (1, 2):
        put(tmp_path / "out", "MEL", number, number, models="/home/anna.schmidt/isicgui/starter")
    put(tmp_path / "out", "NV", 1, 3, models="starter")
    before = files_of(tmp_path / "out")
    plan = export_to(tmp_path / "out", tmp_path / "set", **options)
    files = files_of(tmp_path / "set")
    assert not [name for name, data in files.items() if b"schmidt" in data]
    assert {name: len(data) for name, data in files.items()} == dict(plan.sizes)
    sums = dict(reversed(line.split("  ")) for line in files.pop("SHA256SUMS").decode().splitlines())
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    assert {row["sha256"] for row in manifest(tmp_path / "set")} < set(sums.values())
    if plan.options.zip:
        assert b"schmidt" not in plan.options.archive.read_bytes()
    assert files_of(tmp_path / "out") == before


def test_names_are_no_paths():
    assert folder_name("unet_MEL_best.pth") == "unet_MEL_best.pth"
    assert folder_name("a/b") == "a/b"
