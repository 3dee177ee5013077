"""The pack: diffusers loads it by itself and reconstructs the same pixels, and what is no such pack is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL

from core.errors import ModelRefusedError
from core.models.networks import decode, encode, read_autoencoder
from diffusion.autoencoder.card import write_card
from diffusion.autoencoder.config import AutoencoderConfig
from diffusion.autoencoder.model import build_autoencoder
from diffusion.autoencoder.norm import quicken
from diffusion.autoencoder.pack import write_autoencoder
from diffusion.autoencoder.reconstruct import reconstruct
from diffusion.autoencoder.statistics import measure_latents
from tests.diffusion.autoencoder.conftest import photographs


@pytest.fixture
def pack(config: AutoencoderConfig, tmp_path: Path) -> Path:
    torch.manual_seed(0)
    net = quicken(build_autoencoder(config)).eval()
    statistics = measure_latents(net, photographs().pixels, "fp32")
    training = {"images_seen": 5, "settings": config.model_dump(mode="json"), "licence": "CC0"}
    write_autoencoder(net, statistics, tmp_path / "pack", training)
    return tmp_path / "pack"


def test_diffusers_loads_it_and_reconstructs_the_same_pixels(pack: Path):
    theirs = AutoencoderKL.from_pretrained(pack, torch_dtype=torch.float32).eval()
    assert type(theirs.encoder.conv_norm_out) is torch.nn.GroupNorm
    pictures = photographs(5, seed=3).pixels.float() / 127.5 - 1
    with torch.no_grad():
        mean, std = (torch.tensor(theirs.config[name]).view(1, -1, 1, 1) for name in ("latents_mean", "latents_std"))
        latents = (theirs.encode(pictures).latent_dist.mode() - mean) / std
        made = theirs.decode(latents * std + mean).sample
        ours = read_autoencoder(pack)
        assert torch.equal(encode(ours, pictures), latents)
        assert torch.equal(decode(ours, latents), made)
    expected = ((made + 1) * 127.5).round().clamp(0, 255).byte()
    found = reconstruct(ours, photographs(5, seed=3).pixels)
    assert (found.int() - expected.int()).abs().max() <= 1  # a sum in another order may round to the next level
    assert (found == expected).float().mean() > 0.99


def test_checksum_and_card(pack: Path):
    sums = (pack / "SHA256SUMS").read_text().split()
    assert sums[0] == hashlib.sha256((pack / "diffusion_pytorch_model.safetensors").read_bytes()).hexdigest()
    (pack / "NOTES.md").write_text("- Hairs are lost.", encoding="utf-8")
    card = write_card(pack).read_text(encoding="utf-8")
    for part in (
        "encodes 16 x 16 pixels as 8 x 8 latent pixels of 2 channels",
        "CC0",
        "--set widths=8,8",
        "5 images processed",
        "Hairs are lost",
    ):
        assert part in card


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"scaling_factor": 0.18215}, "scaling_factor"),
        ({"latents_mean": None}, "latents_mean"),
        ({"latents_std": [1.0]}, "2 numbers each"),
        ({"latents_std": [1.0, 0.0]}, "latents_std"),
        ({"block_out_channels": [10**9, 10**9]}, "block_out_channels"),
        ({"_class_name": "UNet2DModel"}, "it is a UNet2DModel"),
    ],
)
def test_another_habit_of_normalising_is_refused(pack: Path, change: dict[str, Any], why: str):
    config = json.loads((pack / "config.json").read_text())
    (pack / "config.json").write_text(json.dumps({**config, **change}))
    with pytest.raises(ModelRefusedError, match=why):
        read_autoencoder(pack)


def test_weights_of_another_network_are_refused(pack: Path):
    config = json.loads((pack / "config.json").read_text())
    (pack / "config.json").write_text(json.dumps({**config, "block_out_channels": [8, 16]}))
    with pytest.raises(ModelRefusedError, match="does not fit"):
        read_autoencoder(pack)


def test_an_empty_folder_is_refused(tmp_path: Path):
    with pytest.raises(ModelRefusedError, match="no autoencoder"):
        read_autoencoder(tmp_path)
