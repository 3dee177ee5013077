"""Whole runs on latent images: encoded once, learnt, kept, continued exactly, and drawn by the product."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.cancel import CancelToken, StopMode
from core.errors import ModelRefusedError, UsageError
from core.events import ImageDone
from core.generation import GenerationRequest
from core.generator.image_generator import ImageGenerator
from core.models.discovery import discover
from core.models.networks import encode, read_autoencoder
from diffusion.config import DiffusionConfig
from diffusion.evaluation import SAMPLE_SEED
from diffusion.events import Evaluated, TrainingFinished, TrainingStep
from diffusion.latent.latents import CACHE, views_of
from diffusion.memorisation import read_sheet
from diffusion.request import TrainDiffusionRequest
from diffusion.run import carry_out
from tests.diffusion.conftest import TINY
from tests.support.labelled_data import write_labelled_folder
from tests.support.tiny_latents import write_tiny_autoencoder
from training.request import TrainingPlan
from training.runtime import CHECKPOINT, dihedral

MakePlan = Callable[..., TrainingPlan[DiffusionConfig]]

LATENT: dict[str, Any] = {
    **TINY,
    "widths": (8, 16),
    "attention": (1,),
    "prediction_type": "flow",
    "decay_share": 0.5,
    "images": 48,
    "evaluate_images": 24,
    "validation_fraction": 0.5,
}


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_autoencoder(tmp_path_factory.mktemp("vae") / "ae")


@pytest.fixture
def plan(tmp_path: Path, autoencoder: Path) -> MakePlan:
    photos = write_labelled_folder(tmp_path / "photos", lesions=8)

    def make(folder: str = "run", resume: bool = False, **changes: Any) -> TrainingPlan[DiffusionConfig]:
        config = DiffusionConfig.model_validate({**LATENT, "autoencoder": autoencoder, **changes})
        return TrainingPlan(config, photos, tmp_path / folder, resume)

    return make


def carried_out(plan: TrainingPlan[DiffusionConfig], until: int | None = None) -> list[Any]:
    cancel, events = CancelToken(), []
    for event in carry_out(plan, cancel):
        events.append(event)
        if until is not None and isinstance(event, TrainingStep) and event.images >= until:
            cancel.request(StopMode.NOW)
    return events


def state_of(folder: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(folder / CHECKPOINT, weights_only=True)
    return state


def flat(tensors: Any) -> torch.Tensor:
    return torch.cat([tensor.flatten().float() for tensor in tensors])


@pytest.mark.parametrize("objective", ["epsilon", "v_prediction", "flow"])
def test_a_run_leaves_a_pack_that_generates(plan: MakePlan, tmp_path: Path, objective: str):
    events = carried_out(plan(prediction_type=objective))
    finished = events[-1]
    assert isinstance(finished, TrainingFinished)
    assert {path.name for path in finished.models.iterdir()} >= {"unet", "vae", "scheduler", "isicgui.json"}
    catalog = discover(finished.models)
    assert len(catalog.available) == 7
    request = GenerationRequest(
        (("MEL", 2),), finished.models, tmp_path / "out", steps=2, device="cpu", precision="fp32"
    )
    done = [event for event in ImageGenerator().generate(request) if isinstance(event, ImageDone)]
    assert len(done) == 2


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_continued_run_is_an_uninterrupted_one(plan: MakePlan, tmp_path: Path, precision: str):
    carried_out(plan("whole", precision=precision))
    carried_out(plan("parts", precision=precision), until=16)
    assert state_of(tmp_path / "parts")["images_seen"] < 48
    carried_out(plan("parts", resume=True, precision=precision))
    whole, parts = (state_of(tmp_path / name) for name in ("whole", "parts"))
    assert whole["images_seen"] == parts["images_seen"] == 48
    assert torch.equal(flat(whole["net"].values()), flat(parts["net"].values()))
    assert torch.equal(flat(whole["ema"]["shadow_params"]), flat(parts["ema"]["shadow_params"]))


def test_photographs_are_encoded_once(plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    carried_out(plan(), until=8)
    monkeypatch.setattr("diffusion.run.encode_photographs", None)
    carried_out(plan(resume=True))
    assert state_of(tmp_path / "run")["images_seen"] == 48
    assert (tmp_path / "run" / CACHE).is_file()


def test_another_autoencoder_is_other_data(plan: MakePlan, tmp_path: Path):
    carried_out(plan(), until=8)
    other = write_tiny_autoencoder(tmp_path / "other", seed=1)
    with pytest.raises(UsageError, match="other photographs"):
        carried_out(plan(resume=True, autoencoder=other))


def test_the_same_autoencoder_may_lie_elsewhere(plan: MakePlan, tmp_path: Path):
    carried_out(plan(), until=8)
    carried_out(plan(resume=True, autoencoder=write_tiny_autoencoder(tmp_path / "moved")))
    assert state_of(tmp_path / "run")["images_seen"] == 48


def test_an_odd_autoencoder_is_refused(plan: MakePlan, tmp_path: Path):
    odd = write_tiny_autoencoder(tmp_path / "odd", scaling_factor=0.18215)
    with pytest.raises(ModelRefusedError, match="scaling_factor"):
        carried_out(plan(autoencoder=odd))


def test_a_new_run_begins_with_other_weights(plan: MakePlan, tmp_path: Path):
    carried_out(plan("first"))
    first = plan("second", images=8, learning_rate=1e-9)
    begun = TrainingPlan(first.config, first.data, first.output, init_from=tmp_path / "first" / "last.pt")
    carried_out(begun)
    before, after = (flat(state_of(tmp_path / name)["net"].values()) for name in ("first", "second"))
    assert torch.allclose(before, after, atol=1e-6)


def test_views_are_those_of_the_photographs(autoencoder: Path):
    """Each view is the latent image of the turned photograph, in the order of `dihedral`; not the turned latent."""
    net = read_autoencoder(autoencoder)
    torch.manual_seed(0)
    pixels = torch.randint(0, 255, (2, 3, 16, 16), dtype=torch.uint8)
    views = views_of(net, pixels)
    assert views.shape == (2, 8, 4, 8, 8)
    seen = set()
    for seed in range(60):
        choice = int(torch.randint(8, (1,), generator=torch.Generator().manual_seed(seed)))
        turned = dihedral(pixels[:1], torch.Generator().manual_seed(seed))
        with torch.no_grad():
            wanted = encode(net, turned.float() / 127.5 - 1)[0]
        assert torch.allclose(views[0, choice].float(), wanted, atol=2e-3)
        seen.add(choice)
    assert len(seen) == 8
    assert not torch.allclose(views[0, 1].float(), torch.rot90(views[0, 0].float(), 1, (-2, -1)), atol=0.05)


def test_the_flag_takes_presets_of_its_own(autoencoder: Path, tmp_path: Path):
    request = TrainDiffusionRequest(data=tmp_path, latent=autoencoder, preset="quick")
    config = request.plan().config
    assert config.prediction_type == "flow"
    assert config.autoencoder == autoencoder
    with pytest.raises(UsageError, match="pixels"):
        TrainDiffusionRequest(data=tmp_path, latent=autoencoder, preset="predecessor").plan()


def test_packs_tell_no_paths(plan: MakePlan, tmp_path: Path):
    carried_out(plan())
    training = json.loads((tmp_path / "run" / "pack" / "training.json").read_text())
    assert str(tmp_path) not in json.dumps(training)


@pytest.mark.parametrize("objective", ["v_prediction", "flow"])
def test_samples_of_an_evaluation_are_those_of_the_product(plan: MakePlan, tmp_path: Path, objective: str):
    """The first sheet shows what `generate` makes of those weights with the same seeds; fp16 moves it a little."""
    cancel = CancelToken()
    for event in carry_out(plan(prediction_type=objective, sample_steps=3, learning_rate=0.05), cancel):
        if isinstance(event, Evaluated):
            cancel.request(StopMode.NOW)
    run = tmp_path / "run"
    sheet = read_sheet(run / "samples" / "000000024.png", 16)
    generator = ImageGenerator(models=run / "best", device="cpu", precision="fp32")
    made = generator.sample({"MEL": 4}, seed=SAMPLE_SEED, steps=3, guidance=1.0)
    pictures = np.stack([one.pixels.transpose(2, 0, 1) for one in made]).astype(int)
    assert np.abs(pictures - sheet[:4]).mean() < 2
    assert np.abs(pictures - sheet[4:8]).mean() > 10
