"""Packs whose network draws latent images: what diffusers makes of them, previews, recipes, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, UNet2DModel

from core.events import ImageDone, Step
from core.generator.image_generator import ImageGenerator
from core.generator.model_manager import LatentSpace, fit_sketch, sketch_from_json, sketch_to_json
from core.generator.reproduce import reproduce
from core.images import read_image
from core.models.discovery import discover
from core.models.networks import read_autoencoder
from core.samplers import SAMPLERS
from tests.support.tiny_latents import write_tiny_autoencoder, write_tiny_latent_pack


@pytest.fixture(scope="module")
def latent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_latent_pack(tmp_path_factory.mktemp("latent") / "pack")


def files(request: Any) -> list[Path]:
    return [event.file for event in ImageGenerator().generate(request) if isinstance(event, ImageDone)]


def test_diffusers_itself_draws_the_same_image(ask: Any, latent: Path):
    """Network, schedule and autoencoder as diffusers loads them, put together in a few lines."""
    (made,) = files(ask({"NV": 1}, models=latent, sampler="euler", steps=6, guidance=2.0, seed=11))
    net = UNet2DModel.from_pretrained(latent / "unet")
    schedule = FlowMatchEulerDiscreteScheduler.from_pretrained(latent / "scheduler")
    vae = AutoencoderKL.from_pretrained(latent / "vae")
    mean, std = (torch.tensor(vae.config[name]).view(1, -1, 1, 1) for name in ("latents_mean", "latents_std"))
    schedule.set_timesteps(sigmas=np.linspace(1, 1 / 6, 6))
    (recipe_seed,) = {reproduce(made, models=latent).recipe.seed}
    x = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(recipe_seed))
    with torch.no_grad():
        for timestep in schedule.timesteps:
            own, none = (net(x, timestep, class_labels=torch.tensor([label])).sample for label in (1, 7))
            x = schedule.step(none + 2.0 * (own - none), timestep, x).prev_sample
        picture = vae.decode(x * std + mean).sample[0]
    theirs = ((picture + 1) / 2).clamp(0, 1) * 255
    ours = torch.from_numpy(read_image(made)).movedim(-1, 0).float()
    assert (ours - theirs).abs().max() <= 1.01  # truncated to whole numbers


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("flow", [True, False])
def test_every_sampler_is_reproduced_to_the_bit(ask: Any, tmp_path: Path, sampler: str, precision: str, flow: bool):
    pack = write_tiny_latent_pack(tmp_path / "models" / "pack", flow=flow)
    for path in files(ask({"MEL": 3}, models=pack, sampler=sampler, precision=precision, batch_size=2)):
        again = reproduce(path)
        assert again.identical
        assert again.same_weights


def test_an_image_depends_on_its_own_seed_alone(ask: Any, latent: Path, tmp_path: Path):
    together = files(ask({"MEL": 3}, models=latent, batch_size=3, output=tmp_path / "a"))
    alone = files(ask({"MEL": 3}, models=latent, batch_size=1, output=tmp_path / "b"))
    for one, other in zip(together, alone, strict=True):
        assert np.abs(read_image(one).astype(int) - read_image(other)).max() <= 1


def test_an_image_remembers_its_autoencoder(ask: Any, tmp_path: Path):
    """Other weights of the autoencoder are other weights, though the network is the same."""
    pack = write_tiny_latent_pack(tmp_path / "models" / "pack")
    (path,) = files(ask({"MEL": 1}, models=pack))
    write_tiny_autoencoder(pack / "vae", seed=9)
    assert not reproduce(path).same_weights


def test_pictures_have_their_full_size(ask: Any, latent: Path):
    (path,) = files(ask({"DF": 1}, models=latent))
    assert read_image(path).shape == (16, 16, 3)


@pytest.mark.parametrize("sketch", [None, {"weight": [[0.2, 0, 0, 0]] * 3, "bias": [0.1, 0, -0.1]}])
def test_previews_have_their_full_size(ask: Any, tmp_path: Path, sketch: Any):
    pack = write_tiny_latent_pack(tmp_path / "models" / "pack", sketch=sketch)
    events = list(ImageGenerator().generate(ask({"MEL": 1}, models=pack)))
    previews = [event.preview for event in events if isinstance(event, Step) and event.preview is not None]
    assert previews
    assert {preview.noisy.shape for preview in previews} == {(16, 16, 3)}
    assert {preview.predicted.shape for preview in previews} == {(16, 16, 3)}


def test_trajectories_hold_decoded_pictures(ask: Any, latent: Path):
    (path,) = files(ask({"MEL": 1}, models=latent, trajectory=True, sampler="euler", steps=4))
    (kept,) = path.parent.parent.rglob("*.npz")
    with np.load(kept) as steps:
        assert steps["x_t"].shape == steps["x0"].shape == (4, 16, 16, 3)
        assert np.array_equal(steps["x0"][-1], read_image(path))  # Euler's last step ends at what it predicts


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scaling_factor": 0.18215}, "scaling_factor"),
        ({"latents_std": None}, "latents_std"),
        ({"latents_mean": [0.0]}, "latents_mean"),
        ({"_class_name": "VQModel"}, "VQModel"),
        ({"down_block_types": ["AttnDownEncoderBlock2D"] * 2}, "down_block_types"),
    ],
)
def test_odd_autoencoders_are_refused_by_name(tmp_path: Path, changes: dict[str, Any], words: str):
    pack = write_tiny_latent_pack(tmp_path / "models" / "pack")
    write_tiny_autoencoder(pack / "vae", **changes)
    catalog = discover(tmp_path / "models")
    assert not catalog.available
    (reason,) = [reason for path, reason in catalog.ignored if path == pack]
    assert "autoencoder" in reason
    assert words in reason


def test_a_network_of_other_channels_is_refused(tmp_path: Path):
    pack = write_tiny_latent_pack(tmp_path / "models" / "pack")
    config = pack / "unet" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "in_channels": 5, "out_channels": 5}))
    ((_, reason),) = discover(tmp_path / "models").ignored
    assert "4 channels" in reason


def test_a_pack_without_the_autoencoders_weights_is_refused(tmp_path: Path):
    pack = write_tiny_latent_pack(tmp_path / "models" / "pack")
    (pack / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    assert not discover(tmp_path / "models").available


def test_sketch_finds_linear_colours_again(tmp_path: Path):
    """Colours that are linear in the latent pixels are found exactly, and drawn at full size."""
    torch.manual_seed(0)
    weight, bias = torch.randn(3, 4), torch.randn(3)
    latents = torch.randn(5, 4, 8, 8)
    colours = torch.einsum("rc,nchw->nrhw", weight, latents) + bias.view(1, 3, 1, 1)
    found = fit_sketch(latents, colours.repeat_interleave(2, 2).repeat_interleave(2, 3))
    assert torch.allclose(found[0], weight, atol=1e-4)
    assert torch.allclose(found[1], bias, atol=1e-4)
    space = LatentSpace(read_autoencoder(write_tiny_autoencoder(tmp_path / "ae")), found)
    assert space.sketched(latents).shape == (5, 3, 16, 16)
    flat = torch.full((1, 4, 8, 8), 0.5)
    assert torch.allclose(space.sketched(flat)[0, :, 3, 5], weight.sum(1) * 0.5 + bias, atol=1e-4)


@pytest.mark.parametrize("data", [None, {}, {"weight": 3, "bias": [0, 0, 0]}, {"weight": [["a"]], "bias": []}, [1]])
def test_an_odd_sketch_is_none(data: Any):
    assert sketch_from_json(data, 4) is None


def test_a_sketch_survives_being_written():
    sketch = torch.arange(12.0).view(3, 4), torch.tensor([1.0, 2.0, 3.0])
    again = sketch_from_json(json.loads(json.dumps(sketch_to_json(sketch))), 4)
    assert again is not None
    assert torch.equal(again[0], sketch[0])
    assert torch.equal(again[1], sketch[1])
