"""The segmenter: it learns, is the same for the same seed, and refuses what it cannot read."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from core.errors import ModelArchitectureError, ModelMissingError, ModelTruncatedError
from core.files.opening import sha256_of
from evaluation.masks import training
from evaluation.masks.overlap import dice
from evaluation.masks.segmenter import SIDE, Segmenter, UNet, load_segmenter
from evaluation.masks.training import train
from photographs.sources import read_dataset
from photographs.splits import split_by_lesion
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


def test_the_network_is_the_one_that_is_described():
    net = UNet().eval()
    shapes = {name: tuple(weight.shape) for name, weight in net.state_dict().items() if name.endswith("0.weight")}
    assert shapes["down.0.0.weight"] == (12, 3, 3, 3)
    assert shapes["down.3.0.weight"] == (72, 48, 3, 3)
    assert shapes["up.0.0.weight"] == (48, 72 + 48, 3, 3)
    assert shapes["up.2.0.weight"] == (12, 24 + 12, 3, 3)
    pixels = torch.rand(2, 3, 24, 40, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert net(pixels).shape == (2, 1, 24, 40)
        seen = (pixels - 0.5) / 0.25
        levels = []
        for place, block in enumerate(net.down):
            seen = block(torch.nn.functional.max_pool2d(seen, 2) if place else seen)
            levels.append(seen)
        for block, level in zip(net.up, levels[2::-1], strict=True):
            larger = torch.nn.functional.interpolate(seen, scale_factor=2, mode="bilinear")
            seen = block(torch.cat([larger, level], 1))
        assert torch.allclose(net(pixels), net.head(seen), atol=1e-6)


def test_inside_is_where_the_logit_is_above_zero():
    class Middle(torch.nn.Module):
        def forward(self, pixels):
            return pixels[:, :1] - 0.5

    pixels = np.zeros((70, 3, SIDE, SIDE), np.uint8)
    pixels[:, 0, :, 20:] = 255
    pixels[69, 0] = 127
    found = Segmenter(Middle(), 1.0, {})(pixels)
    assert found.shape == (70, SIDE, SIDE)
    assert found[0].tolist() == [[column >= 20 for column in range(SIDE)]] * SIDE
    assert not found[69].any()


def test_the_loss_is_cross_entropy_and_one_minus_soft_dice():
    logits = torch.tensor([[[[2.0, -1.0], [0.0, 3.0]]], [[[1.0, 1.0], [1.0, -2.0]]]])
    masks = torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]], [[[0.0, 0.0], [0.0, 0.0]]]])
    chance = 1 / (1 + np.exp(-logits.double().numpy()))
    known = masks.numpy()
    entropy = -(known * np.log(chance) + (1 - known) * np.log(1 - chance)).mean()
    soft = [(2 * (c * m).sum() + 1) / (c.sum() + m.sum() + 1) for c, m in zip(chance, known, strict=True)]
    assert float(training._loss(logits, masks)) == pytest.approx(entropy + 1 - np.mean(soft), rel=1e-6)


def test_colours_change_by_a_fifth_of_contrast_and_a_tenth_of_shift():
    grey = torch.linspace(0.2, 0.8, 7).repeat(400, 3, 1)[..., None]
    found = training._recoloured(grey, torch.Generator().manual_seed(0))[..., 0]
    contrast = (found[..., 4] - found[..., 2]) / 0.2
    shift = found[..., 3] - 0.5
    for seen, middle, reach in ((contrast, 1.0, 0.2), (shift, 0.0, 0.1)):
        assert (seen - middle).abs().max() == pytest.approx(reach, abs=0.01)
        assert (seen - middle).abs().max() <= reach + 1e-6
        assert float(seen.mean()) == pytest.approx(middle, abs=0.02)
    assert float(training._recoloured(torch.ones(50, 3, 2, 2), torch.Generator()).max()) == 1
    assert float(training._recoloured(torch.zeros(50, 3, 2, 2), torch.Generator()).min()) == 0


def test_the_command_trains_measures_and_writes_what_it_did(tmp_path, capsys):
    pixels, masks = lesions(40, 80, seed=1)
    for number, (picture, mask) in enumerate(zip(pixels, masks, strict=True)):
        for folder, content in (("photos/NV", picture.transpose(1, 2, 0)), ("masks", mask)):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            name = f"{number}.png" if folder != "masks" else f"{number}_segmentation.png"
            Image.fromarray(content).save(tmp_path / folder / name)
    (tmp_path / "masks" / "39_segmentation.png").unlink()
    training.main([str(tmp_path / name) for name in ("photos", "masks", "out")] + ["--epochs", "1", "--seed", "3"])
    record = json.loads((tmp_path / "out" / "segmenter.json").read_text())
    images = [image for image in read_dataset(tmp_path / "photos").images if image.path.stem != "39"]
    splits = split_by_lesion(images)
    assert record["train_images"] == len(splits.train)
    assert record["held_out_images"] == len(splits.validation) + len(splits.test)
    assert (record["epochs"], record["side"], record["format"]) == (1, 64, 1)
    assert record["sha256"] == sha256_of(tmp_path / "out" / "model.safetensors")
    held_out = [int(image.path.stem) for image in (*splits.validation, *splits.test)]
    small = np.stack([np.asarray(Image.fromarray(pixels[n].transpose(1, 2, 0)).resize((64, 64), 2)) for n in held_out])
    known = np.stack(
        [np.asarray(Image.fromarray(masks[n].astype(np.uint8) * 255).resize((64, 64), 2)) for n in held_out]
    )
    found = load_segmenter(tmp_path / "out")(small.transpose(0, 3, 1, 2))
    assert record["held_out_dice"] == pytest.approx(float(dice(found, known >= 128).mean()), abs=1e-4)
    assert "39 of 40 images have one" in capsys.readouterr().out
