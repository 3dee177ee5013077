"""A whole run on a few pictures: what it writes, what it never sees, and how it goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL

from core.cancel import CancelToken, StopMode
from core.errors import UsageError
from core.events import Event
from diffusion.autoencoder.data import read_pictures
from diffusion.autoencoder.events import AutoencoderFinished, ReconstructionMeasured
from diffusion.autoencoder.request import TrainAutoencoderRequest
from diffusion.autoencoder.run import run_training
from photographs.pixels import load_pixels
from photographs.sources import read_dataset
from photographs.splits import split_by_lesion
from tests.diffusion.autoencoder.conftest import TINY
from tests.support.labelled_data import write_labelled_folder
from training.experiments import read_run

pytestmark = pytest.mark.slow


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("diffusion.autoencoder.report.default_evaluator", lambda: None)
    return write_labelled_folder(tmp_path / "photos", lesions=8)


def request(**changes: Any) -> TrainAutoencoderRequest:
    settings = tuple(f"{key}={json.dumps(value)}" for key, value in TINY.items())
    return TrainAutoencoderRequest(**{"assignments": settings, **changes})


def carried_out(asked: TrainAutoencoderRequest, until: int | None = None) -> list[Event]:
    cancel, events = CancelToken(), []
    for event in run_training(asked, cancel):
        events.append(event)
        if until is not None and getattr(event, "images", 0) >= until:
            cancel.request(StopMode.NOW)
    return events


def test_a_run_writes_a_pack_a_report_and_a_card(photos: Path, tmp_path: Path):
    events = carried_out(request(data=photos, output=tmp_path / "run"))
    finished = events[-1]
    assert isinstance(finished, AutoencoderFinished)
    assert (finished.status, finished.images, finished.exit_code) == ("completed", 24, 0)
    assert any(isinstance(event, ReconstructionMeasured) for event in events)
    pack = tmp_path / "run" / "pack"
    assert {path.name for path in pack.iterdir()} >= {
        "config.json", "diffusion_pytorch_model.safetensors", "training.json", "reconstruction.json",
        "README.md", "SHA256SUMS",
    }  # fmt: skip
    assert not list(pack.glob("*.png"))  # packs are passed on, photographs are not
    assert (tmp_path / "run" / "reconstruction.png").is_file()
    net = AutoencoderKL.from_pretrained(pack)
    assert len(net.config.latents_mean) == len(net.config.latents_std) == 2
    report = json.loads((pack / "reconstruction.json").read_text())
    expected = split_by_lesion(read_dataset(photos).images)
    assert report["images"] == len(expected.test)
    assert report["measured_on"] == "test"
    training = json.loads((pack / "training.json").read_text())
    assert training["split_fingerprint"] == expected.fingerprint
    run = read_run(tmp_path / "run").run
    assert (run.kind, run.status, run.images) == ("autoencoder", "finished", 24)
    assert run.metric is not None
    assert run.metric.name.startswith("PSNR")


def test_held_out_lesions_are_never_drawn(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Every whole image that the network is shown is a training photograph, however it is turned."""
    seen: list[torch.Tensor] = []
    original = read_pictures

    def spy(*args: Any, **named: Any) -> Any:
        data = original(*args, **named)
        seen.append(data.train.pixels)
        return data

    monkeypatch.setattr("diffusion.autoencoder.run.read_pictures", spy)
    carried_out(request(data=photos, output=tmp_path / "run", images=8))
    splits = split_by_lesion(read_dataset(photos).images)
    own = torch.from_numpy(load_pixels(splits.train, 16).array)
    assert torch.equal(seen[0], own)
    held_out = {image.lesion_id for image in (*splits.validation, *splits.test)}
    assert held_out.isdisjoint(image.lesion_id for image in splits.train)
    assert len(held_out) == len({image.lesion_id for image in splits.validation}) + len(
        {image.lesion_id for image in splits.test}
    )


def test_a_stopped_run_goes_on_to_the_same_weights(photos: Path, tmp_path: Path):
    carried_out(request(data=photos, output=tmp_path / "whole"))
    stopped = carried_out(request(data=photos, output=tmp_path / "parts"), until=8)[-1]
    assert isinstance(stopped, AutoencoderFinished)
    assert stopped.exit_code == 130
    assert not (tmp_path / "parts" / "pack" / "reconstruction.json").exists()
    with pytest.raises(UsageError, match="holds a run already"):
        carried_out(request(data=photos, output=tmp_path / "parts"))
    carried_out(TrainAutoencoderRequest(output=tmp_path / "parts", resume=True))
    name = "pack/diffusion_pytorch_model.safetensors"
    assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_larger_pictures_by_one_flag(photos: Path, tmp_path: Path):
    """Crops keep their share of the side, and the latent image grows with the picture."""
    carried_out(request(data=photos, output=tmp_path / "run", image_size=32, images=8))
    report = json.loads((tmp_path / "run" / "pack" / "reconstruction.json").read_text())
    assert report["image_size"] == 32


def test_a_side_that_crops_do_not_divide_is_refused(photos: Path, tmp_path: Path):
    with pytest.raises(UsageError, match="image_size = 18 must be a multiple"):
        carried_out(request(data=photos, output=tmp_path / "run", image_size=18))


def test_another_kind_of_run_is_not_continued(tmp_path: Path):
    (tmp_path / "config.json").write_text(json.dumps({"kind": "diffusion", "data": "x", "settings": {}}))
    with pytest.raises(UsageError, match="no run of 'train autoencoder'"):
        TrainAutoencoderRequest(output=tmp_path, resume=True).plan()
