"""Packs: what is written is what plain diffusers reads, and it computes what was trained."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import DDPMScheduler, UNet2DModel
from PIL import Image
from safetensors.torch import load_file

from core.dataset.labelled import read_labels
from core.taxonomy import CLASS_CODES
from diffusion import sheet, train
from diffusion.check import mean_loss
from diffusion.config import DiffusionConfig
from diffusion.data import ImagePool
from diffusion.model import build_scheduler, build_unet
from diffusion.pack import PackDescription, write_pack
from diffusion.trainer import DiffusionTrainer
from tests.support.labelled_data import write_labelled_folder


def test_pack_computes_what_the_average_computes(config: DiffusionConfig, pool: ImagePool, tmp_path: Path):
    trainer = DiffusionTrainer(config, pool, tmp_path)
    for _ in range(5):
        trainer.step()
    write_pack(trainer.ema_net(), tmp_path / "pack", PackDescription("tiny"))
    loaded = UNet2DModel.from_pretrained(tmp_path / "pack").eval()
    noise, labels = torch.randn(8, 3, 16, 16), torch.arange(8)
    with torch.inference_mode():
        expected = trainer.ema_net()(noise, 500, class_labels=labels).sample
        actual = loaded(noise, 500, class_labels=labels).sample
    assert (actual - expected).abs().max() < 5e-3 * expected.abs().max()


def test_pack_is_half_precision_and_describes_itself(config: DiffusionConfig, tmp_path: Path):
    write_pack(build_unet(config), tmp_path / "pack", PackDescription("tiny", guidance=1.5))
    weights = load_file(tmp_path / "pack" / "diffusion_pytorch_model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    scheduler = DDPMScheduler.from_pretrained(tmp_path / "pack").config
    assert (scheduler.beta_schedule, scheduler.prediction_type, scheduler.clip_sample) == (
        "squaredcos_cap_v2",
        "v_prediction",
        True,
    )
    description = json.loads((tmp_path / "pack" / "isicgui.json").read_text(encoding="utf-8"))
    assert description["classes"] == list(CLASS_CODES)
    assert description["null_class"] == 7
    assert description["recommended"]["guidance"] == 1.5


def test_rewriting_keeps_the_card_and_leaves_no_temporary_folder(config: DiffusionConfig, tmp_path: Path):
    folder = tmp_path / "pack"
    write_pack(build_unet(config), folder, PackDescription("tiny"))
    (folder / "README.md").write_text("card", encoding="utf-8")
    write_pack(build_unet(config), folder, PackDescription("tiny"))
    assert (folder / "README.md").read_text(encoding="utf-8") == "card"
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_weights_are_as_readable_as_any_other_file(config: DiffusionConfig, tmp_path: Path):
    write_pack(build_unet(config), tmp_path / "pack", PackDescription("tiny"))
    (tmp_path / "other").touch()
    modes = {path.stat().st_mode for path in [tmp_path / "other", *(tmp_path / "pack").iterdir()]}
    assert len(modes) == 1


def test_full_size_network_fits_its_budget():
    net = build_unet(DiffusionConfig())
    assert 15_000_000 < sum(p.numel() for p in net.parameters()) < 16_500_000


def test_command_line_trains_and_writes_a_loadable_pack(tmp_path: Path, config: DiffusionConfig, monkeypatch):
    small = {"widths": config.widths, "attention_head_dim": 8, "norm_groups": 4}
    monkeypatch.setattr("diffusion.trainer.build_unet", lambda full: build_unet(replace(full, **small)))
    data = write_labelled_folder(tmp_path / "data", lesions=3, size=20)
    run = ["--data", str(data), "--output", str(tmp_path / "run"), "--name", "tiny", "--image-size", "16"]
    train.main([*run, "--images", "16", "--batch-size", "8", "--precision", "fp32", "--threads", "1"])
    UNet2DModel.from_pretrained(tmp_path / "run" / "tiny")
    train.main([*run, "--images", "32", "--batch-size", "8", "--precision", "fp32", "--threads", "1", "--resume"])
    state = torch.load(tmp_path / "run" / "last.pt", weights_only=True)
    assert state["images_seen"] == 32


def test_sheet_shows_one_row_a_class(config: DiffusionConfig, tmp_path: Path):
    write_pack(build_unet(config), tmp_path / "pack", PackDescription("tiny"))
    output = tmp_path / "sheet.png"
    sheet.main([str(tmp_path / "pack"), "--output", str(output), "--columns", "2", "--steps", "3", "--guidance", "1.5"])
    with Image.open(output) as picture:
        assert picture.size == (32, 7 * 16)


def test_sheet_puts_images_where_they_belong():
    images = torch.arange(6, dtype=torch.uint8).view(6, 1, 1, 1).expand(6, 3, 2, 2)
    picture = sheet.arrange(images, 3)
    assert [picture.getpixel((2 * x, 2 * y))[0] for y in range(2) for x in range(3)] == [0, 1, 2, 3, 4, 5]


def test_guidance_extrapolates_from_the_null_class():
    net = _Labels()
    images, labels = torch.zeros(2, 3, 2, 2), torch.tensor([1, 3])
    guided = sheet.predict(net, images, torch.tensor(5), labels, 2.0)
    assert guided[:, 0, 0, 0].tolist() == [7 + 2 * (1 - 7), 7 + 2 * (3 - 7)]
    assert sheet.predict(net, images, torch.tensor(5), labels, 1)[:, 0, 0, 0].tolist() == [1, 3]


class _Labels:
    """Predicts the label itself."""

    def __call__(self, images: torch.Tensor, _: torch.Tensor, class_labels: torch.Tensor):
        self.sample = class_labels.view(-1, 1, 1, 1).expand_as(images).float()
        return self


def test_held_out_loss_does_not_depend_on_the_day(config: DiffusionConfig, tmp_path: Path):
    images = read_labels(write_labelled_folder(tmp_path, lesions=2))
    net = build_unet(config).eval()
    losses = {mean_loss(net, build_scheduler(), images, 5.0, 0) for _ in range(2)}
    assert len(losses) == 1
    assert losses != {mean_loss(net, build_scheduler(), images, 5.0, 1)}
