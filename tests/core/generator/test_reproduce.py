"""An image made again from what is written inside it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.errors import DeviceError, InputRefusedError, ModelMissingError
from core.events import ImageDone
from core.generator.image_generator import ImageGenerator
from core.generator.reproduce import reproduce
from core.images import read_image
from core.samplers import SAMPLERS
from dataset.png import encode_png, read_recipe
from tests.support.tiny_models import write_tiny_pack


def make(request) -> list[Path]:
    return [event.file for event in ImageGenerator().generate(request) if isinstance(event, ImageDone)]


def rewrite(path: Path, **change) -> Path:
    """Put another recipe into the same picture."""
    recipe = dataclasses.replace(read_recipe(path), **change)
    path.write_bytes(encode_png(read_image(path), recipe))
    return path


@pytest.fixture(autouse=True)
def _no_starter(monkeypatch, tmp_path):
    """Whatever ships with the product must not help these tests."""
    from core.utils.path_manager import PathManager

    monkeypatch.setattr(PathManager, "default_models_dir", property(lambda self: tmp_path / "starter"))


@pytest.mark.parametrize("sampler", list(SAMPLERS))
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_sampler_is_reproduced_to_the_bit(ask, sampler, precision):
    for path in make(ask({"MEL": 3}, sampler=sampler, precision=precision, batch_size=2)):
        again = reproduce(path)
        assert (again.max_difference, again.mean_difference) == (0, 0.0)
        assert again.identical
        assert again.same_weights
        assert np.array_equal(again.pixels, read_image(path))
        assert again.recipe.precision == precision
        assert again.notes == ()


def test_colour_is_part_of_the_recipe(ask, tmp_path):
    models = write_tiny_pack(tmp_path / "models")
    colors = models / "color_statistics.json"
    colors.write_text('{"MEL": {"rgb": {"mean": [200, 120, 90], "std": [30, 20, 10]}}}')
    (path,) = make(ask({"MEL": 1}, models=models))
    colors.unlink()
    assert reproduce(path).identical


def test_a_difference_is_measured(ask):
    (path,) = make(ask({"MEL": 1}))
    pixels = read_image(path)
    pixels[3, 4, 1] ^= 0x10
    path.write_bytes(encode_png(pixels, read_recipe(path)))
    again = reproduce(path)
    assert (again.max_difference, again.identical) == (16, False)
    assert again.mean_difference == pytest.approx(16 / pixels.size)


def test_weights_are_found_by_content_wherever_they_are_now(ask, tmp_path):
    models = write_tiny_pack(tmp_path / "models")
    (path,) = make(ask({"MEL": 1}, models=models))
    moved = tmp_path / "elsewhere" / "renamed"
    moved.parent.mkdir()
    models.rename(moved)
    write_tiny_pack(moved.parent / "another", seed=5)
    again = reproduce(path, models=moved.parent)
    assert again.same_weights
    assert again.identical


def test_the_starter_models_are_looked_through_last(ask, tmp_path):
    models = write_tiny_pack(tmp_path / "models")
    (path,) = make(ask({"MEL": 1}, models=models))
    models.rename(tmp_path / "starter")
    assert reproduce(path).identical


def test_other_weights_are_used_only_if_there_are_no_others_and_said(ask, tmp_path):
    models = write_tiny_pack(tmp_path / "models")
    (path,) = make(ask({"MEL": 1}, models=models))
    again = reproduce(path)
    assert again.same_weights
    write_tiny_pack(models, seed=5)
    again = reproduce(path)
    assert not again.same_weights
    assert again.max_difference > 0
    assert any("weights" in note for note in again.notes)


def test_without_any_model_the_hash_is_named(ask, tmp_path):
    models = write_tiny_pack(tmp_path / "models")
    (path,) = make(ask({"MEL": 1}, models=models))
    models.rename(tmp_path / "gone")
    with pytest.raises(ModelMissingError) as error:
        reproduce(path)
    assert read_recipe(path).weights_sha256[:12] in error.value.message
    assert "--models" in error.value.remedy


def test_a_device_that_is_not_here_is_replaced_and_said(ask):
    (path,) = make(ask({"MEL": 1}))
    again = reproduce(rewrite(path, device="cuda:7 (NVIDIA Something)", precision="fp16"))
    assert again.recipe.device.startswith("cuda:7")
    assert len(again.notes) == 2
    assert again.max_difference <= 1


@pytest.mark.parametrize("hardware", [True, False])
def test_bf16_is_made_again_in_bf16_whatever_the_hardware(ask, monkeypatch, hardware):
    (path,) = make(ask({"MEL": 1}, precision="bf16"))
    monkeypatch.setattr("core.precision.has_bf16", lambda device: hardware)
    again = reproduce(path)
    assert again.recipe.precision == "bf16"
    assert again.identical
    assert again.notes == ()


@pytest.mark.parametrize(("hardware", "computed"), [(True, "bf16"), (False, "fp32")])
def test_the_recipe_says_what_was_computed_and_not_what_was_asked_for(ask, monkeypatch, hardware, computed):
    monkeypatch.setattr("core.precision.has_bf16", lambda device: hardware)
    (path,) = make(ask({"MEL": 1}, precision="auto"))
    assert read_recipe(path).precision == computed
    monkeypatch.setattr("core.precision.has_bf16", lambda device: not hardware)  # elsewhere, later
    again = reproduce(path)
    assert again.identical
    assert again.notes == ()


def test_fp16_becomes_fp32_on_a_processor_and_is_said(ask):
    (path,) = make(ask({"MEL": 1}))
    again = reproduce(rewrite(path, precision="fp16"))
    assert again.identical  # it was made in fp32 here all the same
    assert any("fp16" in note and "fp32" in note for note in again.notes)


def test_a_device_asked_for_must_exist(ask):
    (path,) = make(ask({"MEL": 1}))
    with pytest.raises(DeviceError):
        reproduce(path, device="cuda:99")


def test_the_thread_count_is_given_back(ask):
    (path,) = make(ask({"MEL": 1}))
    before = torch.get_num_threads()
    reproduce(rewrite(path, threads=3))
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    "change",
    [
        {"sampler": "magic"}, {"steps": 0}, {"steps": 10**9}, {"steps": 2.5}, {"seed": -1}, {"seed": "1"},
        {"guidance": float("nan")}, {"batch_size": 0}, {"batch_size": 10**12}, {"threads": "many"},
        {"precision": "auto"}, {"precision": "int4"}, {"precision": 16}, {"precision": ["bf16"]},
        {"scheduler": "none"}, {"color": {"mean": [1]}}, {"color": 5},
    ],
)  # fmt: skip
def test_a_recipe_that_cannot_be_followed_is_refused(ask, change):
    (path,) = make(ask({"MEL": 1}))
    with pytest.raises(InputRefusedError) as error:
        reproduce(rewrite(path, **change))
    assert error.value.path == path


def test_a_huge_batch_shape_is_reduced_to_what_memory_holds(ask, monkeypatch):
    (path,) = make(ask({"MEL": 1}))
    monkeypatch.setattr("core.generator.run_estimate._free_bytes", lambda device: 0)
    again = reproduce(rewrite(path, batch_size=4096))
    assert any("batch" in note for note in again.notes)
    assert again.max_difference <= 1


def test_a_picture_of_another_size_is_refused(ask, tmp_path):
    (path,) = make(ask({"MEL": 1}))
    recipe = read_recipe(path)
    path.write_bytes(encode_png(np.zeros((8, 8, 3), np.uint8), recipe))
    with pytest.raises(InputRefusedError, match="8 x 8"):
        reproduce(path)


def test_a_picture_without_a_recipe_is_refused(tmp_path):
    path = tmp_path / "photo.png"
    Image.new("RGB", (16, 16)).save(path)
    with pytest.raises(InputRefusedError):
        reproduce(path)
