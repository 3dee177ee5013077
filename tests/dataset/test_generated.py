"""Generated images among photographs: found by recipe, mark or sidecar."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from dataset.generated import generated_among, is_generated
from dataset.png import DIGITAL_SOURCE_TYPE, encode_png, synthetic_mark
from dataset.recipe import PNG_KEY
from tests.gui.fake_engine import make_pixels, make_recipe


@pytest.fixture
def photograph(tmp_path):
    path = tmp_path / "photograph.png"
    note = PngImagePlugin.PngInfo()
    note.add_text("Comment", "a camera's own words")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(path, pnginfo=note)
    return path


def plain(path):
    Image.fromarray(make_pixels(1)).save(path)


def of_this_program(path):
    path.write_bytes(encode_png(make_pixels(1), make_recipe("MEL", 1)))


def marked(path):
    Image.fromarray(make_pixels(1)).save(path, pnginfo=synthetic_mark())


def marked_jpeg(path):
    Image.fromarray(make_pixels(1)).save(path, "JPEG", xmp=f"<x>{DIGITAL_SOURCE_TYPE}</x>".encode())


def with_sidecar(path):
    plain(path)
    path.with_suffix(".json").write_text(json.dumps({"recipe": {}}))


def of_the_predecessor(path):
    plain(path)
    path.with_suffix(".json").write_text(json.dumps({"seed": 1, "inference_steps": 1000}))


@pytest.mark.parametrize("made", [of_this_program, marked, marked_jpeg, with_sidecar, of_the_predecessor])
def test_generated_images_are_known(made, tmp_path):
    made(tmp_path / "image.png")
    assert is_generated(tmp_path / "image.png")


def test_photographs_are_not(photograph):
    assert not is_generated(photograph)
    photograph.with_suffix(".json").write_text(json.dumps({"seed": 1, "diagnosis": "melanoma"}))
    assert not is_generated(photograph)
    assert not is_generated(photograph.parent / "nowhere.png")


def test_they_are_counted_in_order(photograph, tmp_path):
    of_this_program(tmp_path / "a.png")
    marked(tmp_path / "b.png")
    paths = [tmp_path / "a.png", photograph, tmp_path / "b.png"]
    assert generated_among(paths) == (paths[0], paths[2])


def test_a_recipe_stands_where_it_is_looked_for(tmp_path):
    of_this_program(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().index(PNG_KEY.encode()) < 100
