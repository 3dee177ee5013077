"""The segmenter: it learns, is the same for the same seed, and refuses what it cannot read."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from core.errors import ModelArchitectureError, ModelMissingError, ModelTruncatedError
from evaluation.masks.overlap import dice
from evaluation.masks.segmenter import SIDE, Segmenter, UNet, load_segmenter
from evaluation.masks.training import train
from tests.evaluation.masks.lesions import lesions


@pytest.fixture(scope="module")
def segmenter():
    pixels, masks = lesions(64, SIDE, seed=1)
    return Segmenter(train(torch.from_numpy(pixels), torch.from_numpy(masks), epochs=6, seed=0).eval(), 0.9, {})


def test_it_learns_to_find_drawn_lesions_of_another_size(segmenter):
    pixels, masks = lesions(12, 96, seed=2)
    found = segmenter(pixels)
    assert found.shape == (12, 96, 96)
    assert found.dtype == bool
    assert dice(found, masks).mean() > 0.75


def test_one_picture_gets_what_it_gets_among_others(segmenter):
    pixels, _ = lesions(5, SIDE, seed=3)
    assert np.array_equal(segmenter(pixels)[2:3], segmenter(pixels[2:3]))


def test_the_same_seed_gives_the_same_weights_and_leaves_the_random_stream_alone():
    pixels, masks = (torch.from_numpy(part) for part in lesions(32, SIDE, seed=1))
    before = torch.random.get_rng_state()
    first, second, other = (train(pixels, masks, epochs=1, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])
    assert torch.equal(torch.random.get_rng_state(), before)


def write(folder, record="{}", tensors=None):
    folder.mkdir(exist_ok=True)
    save_file(tensors or UNet().state_dict(), folder / "model.safetensors")
    (folder / "segmenter.json").write_text(record)
    return folder


def test_reading(tmp_path, segmenter):
    place = write(tmp_path / "s", json.dumps({"held_out_dice": 0.83}), segmenter.net.state_dict())
    found = load_segmenter(place)
    assert found.ceiling == 0.83
    pixels, _ = lesions(3, SIDE, seed=5)
    assert np.array_equal(found(pixels), segmenter(pixels))


def test_what_cannot_be_read(tmp_path):
    with pytest.raises(ModelMissingError, match="There is no segmenter"):
        load_segmenter(tmp_path)
    for record in ("{", "{}", "[]", '{"held_out_dice": null}'):
        with pytest.raises(ModelTruncatedError):
            load_segmenter(write(tmp_path / "s", record))
    with pytest.raises(ModelArchitectureError):
        load_segmenter(write(tmp_path / "s", '{"held_out_dice": 0.8}', {"weight": torch.zeros(3)}))


def test_the_one_that_ships():
    found = load_segmenter()
    assert found.ceiling > 0.75
    assert found.record["held_out_images"] > 400
