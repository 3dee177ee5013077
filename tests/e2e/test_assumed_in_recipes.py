"""What a model does not say is in the recipe of each image as assumed, and what it says is not."""

from __future__ import annotations

import shutil

import pytest

from cli.app import main
from dataset.png import read_recipe
from tests.support.tiny_models import write_tiny_pack


def checkpoint(home, pack, *parts, scheduler=False):
    """Write a training's checkpoint: networks in folders of their own, with or without the scheduler."""
    for name in parts:
        (home / name).mkdir(parents=True)
        for file in ("config.json", "diffusion_pytorch_model.safetensors"):
            shutil.copy(pack / file, home / name / file)
    if scheduler:
        (home / "scheduler").mkdir()
        shutil.copy(pack / "scheduler_config.json", home / "scheduler")
    return home


def made_with(tmp_path, models):
    """Return the recipe of an image as it stands in the file, checked to be written only where something is assumed."""
    output = tmp_path / "out"
    arguments = ["--classes", "MEL=1", "--steps", "2", "--guidance", "1", "--device", "cpu", "--output", str(output)]
    assert main(["generate", "--models", str(models), *arguments]) == 0
    (image,) = (output / "MEL").glob("*.png")
    recipe = read_recipe(image)
    assert ("assumed" in recipe.to_json()) == bool(recipe.assumed)
    return recipe


@pytest.mark.parametrize(
    ("parts", "scheduler", "assumed"),
    [
        (("unet",), False, {"scheduler"}),
        (("unet",), True, set()),
        (("unet", "unet_ema"), True, {"weights"}),
        (("unet", "unet_ema"), False, {"scheduler", "weights"}),
    ],
)
def test_a_checkpoint_folder(tmp_path, parts, scheduler, assumed):
    pack = write_tiny_pack(tmp_path / "flat", num_classes=None)
    home = checkpoint(tmp_path / "checkpoint-500_MEL", pack, *parts, scheduler=scheduler)
    recipe = made_with(tmp_path, home)
    assert set(recipe.assumed) == assumed
    if "weights" in assumed:
        assert "checkpoint-500_MEL/unet_ema" in recipe.assumed["weights"]
        assert str(tmp_path) not in recipe.assumed["weights"], "nobody needs to know where its maker keeps models"


def test_an_order_of_classes_that_nothing_says(tmp_path):
    pack = write_tiny_pack(tmp_path / "p", num_classes=7, description=False)
    assert set(made_with(tmp_path, pack).assumed) == {"classes"}


def test_a_pack_that_says_all(tmp_path):
    assert made_with(tmp_path, write_tiny_pack(tmp_path / "p")).assumed == {}
