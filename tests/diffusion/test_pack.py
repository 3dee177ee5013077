"""Packs and old checkpoints: what is written is what plain diffusers and the predecessor's tools read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import DDPMScheduler, UNet2DModel
from safetensors.torch import load_file

from core.models.pack import read_pack
from core.taxonomy import CLASS_CODES
from diffusion.config import DiffusionConfig
from diffusion.model import build_scheduler, build_unet
from diffusion.pack import PackDescription, write_pack

MakeConfig = Callable[..., DiffusionConfig]


def write(config: DiffusionConfig, folder: Path) -> UNet2DModel:
    net = build_unet(config).eval()
    description = PackDescription("tiny", config.classes, config.null_label, guidance=1.5)
    write_pack(net, build_scheduler(config), folder, description, {"images_seen": 5})
    return net


def test_pack_computes_what_the_network_computes(config: DiffusionConfig, tmp_path: Path):
    net = write(config, tmp_path / "pack")
    loaded = UNet2DModel.from_pretrained(tmp_path / "pack").eval()
    noise, labels = torch.randn(8, 3, 16, 16), torch.arange(8)
    with torch.inference_mode():
        expected = net(noise, 500, class_labels=labels).sample
        actual = loaded(noise, 500, class_labels=labels).sample
    assert (actual - expected).abs().max() < 5e-3 * expected.abs().max()
    assert next(net.parameters()).dtype == torch.float32  # the network goes on training


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_pack_is_half_precision_and_describes_itself(make_config: MakeConfig, tmp_path: Path, prediction: str):
    write(make_config(prediction_type=prediction), tmp_path / "pack")
    weights = load_file(tmp_path / "pack" / "diffusion_pytorch_model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    scheduler = DDPMScheduler.from_pretrained(tmp_path / "pack").config
    found = (scheduler.beta_schedule, scheduler.prediction_type, scheduler.clip_sample)
    assert found == ("squaredcos_cap_v2", prediction, True)
    description = json.loads((tmp_path / "pack" / "isicgui.json").read_text(encoding="utf-8"))
    assert description["classes"] == list(CLASS_CODES)
    assert description["null_class"] == 7
    assert description["recommended"]["guidance"] == 1.5
    assert json.loads((tmp_path / "pack" / "training.json").read_text()) == {"images_seen": 5}


@pytest.mark.parametrize("classes", ["MEL,NV", "VASC", "all"])
def test_labels_of_augmented_images_are_offered_to_nobody(make_config: MakeConfig, tmp_path: Path, classes: str):
    wanted = CLASS_CODES if classes == "all" else tuple(classes.split(","))
    write(make_config(augmentation=0.2, classes=wanted), tmp_path / "pack")
    pack = read_pack(tmp_path / "pack")
    assert pack.classes == wanted
    assert pack.labels == {code: index for index, code in enumerate(wanted)}
    assert pack.null_label == len(wanted)
    assert pack.config["num_class_embeds"] == 2 * len(wanted) + 2


def test_a_network_without_dropped_labels_has_no_null_class(make_config: MakeConfig, tmp_path: Path):
    write(make_config(label_dropout=0), tmp_path / "pack")
    assert read_pack(tmp_path / "pack").null_label is None


def test_rewriting_keeps_the_card_and_leaves_no_temporary_folder(config: DiffusionConfig, tmp_path: Path):
    folder = tmp_path / "pack"
    write(config, folder)
    (folder / "README.md").write_text("card", encoding="utf-8")
    write(config, folder)
    assert (folder / "README.md").read_text(encoding="utf-8") == "card"
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_weights_are_as_readable_as_any_other_file(config: DiffusionConfig, tmp_path: Path):
    write(config, tmp_path / "pack")
    (tmp_path / "other").touch()
    modes = {path.stat().st_mode for path in [tmp_path / "other", *(tmp_path / "pack").iterdir()]}
    assert len(modes) == 1
