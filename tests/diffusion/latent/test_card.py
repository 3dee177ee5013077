"""What is measured and told of a latent pack: its card, the sums of its files, its cost, its loss."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from core.cache.cache_manager import CacheManager
from core.generator.model_manager import ModelManager
from core.models.discovery import discover
from core.models.networks import encode
from diffusion.card import write_card
from diffusion.draws import Draw, timestep_at
from diffusion.heldout_loss import measure_loss_gap
from diffusion.judgement import measure_cost, with_autoencoder
from diffusion.loss import diffusion_loss
from diffusion.model import noise_schedule
from photographs.labelled import LabelledImage
from photographs.pixels import Pixels
from tests.support.tiny_latents import write_tiny_latent_pack


@pytest.fixture(params=[True, False], ids=["flow", "velocity"])
def pack(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_tiny_latent_pack(tmp_path / "tiny-latent", flow=request.param)


def test_the_card_and_its_code(pack: Path, monkeypatch: pytest.MonkeyPatch):
    """What the card tells people to type loads the parts of the pack."""
    text = write_card(pack).read_text(encoding="utf-8")
    assert "latent diffusion model" in text
    assert "16x16 pixels" in text
    monkeypatch.chdir(pack.parent)
    found: dict[str, object] = {}
    exec(text.split("```python\n")[1].split("```")[0], found)
    assert [type(found[name]).__name__ for name in ("net", "vae")] == ["UNet2DModel", "AutoencoderKL"]


def test_sums_name_every_weights_file(pack: Path):
    write_card(pack)
    lines = (pack / "SHA256SUMS").read_text().splitlines()
    files = {str(path.relative_to(pack).as_posix()): path for path in pack.rglob("*.safetensors")}
    assert {line.split("  ")[1] for line in lines} == set(files)
    for line in lines:
        found, name = line.split("  ")
        assert found == hashlib.sha256(files[name].read_bytes()).hexdigest()


def test_cost_counts_both_networks(pack: Path):
    model = ModelManager(CacheManager()).load(discover(pack).classes["MEL"], torch.device("cpu"), "fp32")
    assert model.space is not None
    weights = pack / "vae" / "diffusion_pytorch_model.safetensors"
    both = with_autoencoder(measure_cost(model.net, model.path), model.space.net, weights)
    count = sum(p.numel() for net in (model.net, model.space.net) for p in net.parameters())
    assert both.parameters == count
    assert both.bytes == sum(path.stat().st_size for path in pack.rglob("*.safetensors"))
    assert both.gmac > 0


def test_the_loss_gap_is_that_of_latent_images(pack: Path):
    """Against the loss of each photograph alone, encoded here."""
    model = ModelManager(CacheManager()).load(discover(pack).classes["MEL"], torch.device("cpu"), "fp32")
    assert model.space is not None
    vae, schedule = model.space.net, noise_schedule(model.scheduler_config)
    rng = np.random.default_rng(0)
    images = tuple(LabelledImage(str(i), "MEL", f"L{i}", "", Path()) for i in range(3))
    parts = [Pixels(rng.integers(0, 255, (3, 3, 16, 16), dtype=np.uint8), images, ()) for _ in range(2)]
    found = measure_loss_gap(model.net, schedule, {"MEL": 2}, *parts, 5.0, vae)
    flow = schedule.config.get("prediction_type") is None
    settings = SimpleNamespace(prediction_type="flow" if flow else "v_prediction", train_timesteps=1000,
                               time_location=0.0, time_spread=1.0)  # fmt: skip
    for part, told in zip(parts, (found.train, found.held_out), strict=True):
        losses = []
        for position in range(3):
            with torch.no_grad():
                latent = encode(vae, torch.from_numpy(part.array[position, None]).float() / 127.5 - 1)
                noise = torch.randn(latent.shape[1:], generator=torch.Generator().manual_seed(position))[None]
                draw = Draw(latent, torch.tensor([2]), timestep_at(0, position, settings)[None], noise)
                losses.append(float(diffusion_loss(model.net, schedule, draw, 5.0)))
        assert told == pytest.approx(np.mean(losses), rel=0.05)  # bf16, where the processor has it
