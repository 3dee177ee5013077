"""Whole runs: what lies in the folder afterwards, what other parts of the program make of it, and a real kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from core.cancel import CancelToken
from core.errors import FolderLockedError, OutputError, UsageError
from core.events import ImageDone
from core.files.folder_lock import FolderLock
from core.generation import GenerationRequest
from core.generator.image_generator import ImageGenerator
from core.models.discovery import discover
from core.models.networks import PREDECESSOR_NET, build_net, read_state
from diffusion.config import DiffusionConfig
from diffusion.events import Evaluated, MemorisationJudged, TrainingFinished, TrainingStarted
from diffusion.presets import one_network_a_class
from diffusion.run import carry_out
from tests.diffusion.conftest import TINY
from tests.support.labelled_data import write_labelled_folder
from training.request import TrainingPlan
from training.run_folder import read_run_config
from training.runtime import CHECKPOINT

pytestmark = pytest.mark.slow

MakeConfig = Callable[..., DiffusionConfig]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_labelled_folder(tmp_path / "photos", lesions=8)


def train(plan: TrainingPlan[DiffusionConfig]) -> list[Any]:
    return list(carry_out(plan, CancelToken()))


def test_a_run_leaves_what_people_and_programs_need(photos: Path, tmp_path: Path, make_config: MakeConfig):
    config = make_config(images=48, evaluate_images=16, validation_fraction=0.5, tracker="tensorboard")
    events = train(TrainingPlan(config, photos, tmp_path / "run"))
    folder = tmp_path / "run"
    evaluated = [event for event in events if isinstance(event, Evaluated)]
    best = min(evaluated, key=lambda event: event.kid)
    assert [event.images for event in evaluated] == [16, 32, 48]
    content = read_run_config(folder)
    assert (content["kind"], content["settings"]["images"]) == ("diffusion", 48)
    assert content["leakage"]["leaked"] == 0
    made = json.loads((folder / "best" / "training.json").read_text())
    assert (made["images_seen"], made["kid"]) == (best.images, best.kid)
    assert made["selected_by"] == best.space == "colour and texture statistics"
    assert made["generated_images"] == 0
    assert json.loads((folder / "pack" / "training.json").read_text())["images_seen"] == 48
    table = (folder / "training_history.csv").read_text().splitlines()
    assert table[0].startswith("images,event,")
    assert json.loads((folder / "log.jsonl").read_text().splitlines()[-1])["event"] == "finished"
    assert list((folder / "tensorboard").iterdir())
    with Image.open(best.sheet) as sheet:
        assert sheet.size == (4 * 16, 7 * 16)
    (judged,) = [event for event in events if isinstance(event, MemorisationJudged)]
    assert judged.n == 28
    assert judged.file.is_file()
    assert isinstance(events[-1], TrainingFinished)
    assert events[-1].models == folder / "best"
    assert_generates_the_sheet(folder / "best", best.sheet, tmp_path / "images")


def assert_generates_the_sheet(models: Path, sheet: Path, output: Path) -> None:
    """`generate` with the recommended settings draws the very samples that were evaluated."""
    request = GenerationRequest(
        counts=(("MEL", 1), ("VASC", 1)), models=models, output=output, device="cpu", precision="fp32", steps=2
    )
    done = [e for e in ImageGenerator().generate(request, CancelToken()) if isinstance(e, ImageDone)]
    with Image.open(sheet) as picture:
        shown = np.asarray(picture)
    for image, row in zip(done, (0, 6), strict=True):
        with Image.open(image.file) as picture:
            difference = np.abs(np.asarray(picture).astype(int) - shown[16 * row : 16 * row + 16, :16])
        assert difference.mean() < 2  # fp16 storage of the pack


def test_one_network_a_class_is_read_by_the_predecessors_tools(photos: Path, tmp_path: Path, make_config: MakeConfig):
    """Four images at half size through the real architecture: 25 million parameters, once."""
    values = {
        **TINY,
        **one_network_a_class({}),
        "classes": "VASC",
        "images": 2,
        "batch_size": 1,
        "half_size_share": 0.9,
    }
    config = DiffusionConfig.model_validate({**values, "samples_per_class": 1, "sample_steps": 1, "ema_decay": 0})
    events = train(TrainingPlan(config, photos, tmp_path / "run"))
    path = tmp_path / "run" / "best" / "unet_VASC_best.pth"
    state = torch.load(path, weights_only=True)
    assert len(state) == 330
    assert sum(tensor.numel() for tensor in state.values()) == 25_304_963
    assert {tensor.dtype for tensor in state.values()} == {torch.float32}
    build_net(PREDECESSOR_NET, read_state(path), torch.float32, path)  # strict
    trained = torch.load(tmp_path / "run" / "VASC" / CHECKPOINT, weights_only=True)["net"]
    assert all(torch.allclose(state[name], tensor, atol=1e-6) for name, tensor in trained.items())  # no average
    assert discover(tmp_path / "run" / "best").available == ("VASC",)
    assert discover(tmp_path / "run" / "VASC" / "best").available == ("VASC",)
    assert isinstance(events[-1], TrainingFinished)
    assert (events[-1].run, events[-1].models) == (tmp_path / "run", tmp_path / "run" / "best")


def test_a_run_is_neither_overwritten_nor_shared(photos: Path, tmp_path: Path, make_config: MakeConfig):
    config = make_config(images=8, samples_per_class=1)
    folder = tmp_path / "run"
    train(TrainingPlan(config, photos, folder))
    with pytest.raises(UsageError, match="holds a run already"):
        train(TrainingPlan(config, photos, folder))
    before = (folder / "config.json").read_bytes()
    with pytest.raises(UsageError, match="seed was 42 and is 1"):
        train(TrainingPlan(make_config(images=8, samples_per_class=1, seed=1), photos, folder, resume=True))
    assert (folder / "config.json").read_bytes() == before
    with FolderLock(folder), pytest.raises(FolderLockedError):
        train(TrainingPlan(config, photos, folder, resume=True))


def test_a_folder_that_cannot_be_written_is_named(photos: Path, tmp_path: Path, make_config: MakeConfig):
    config = make_config(images=8, samples_per_class=1)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        train(TrainingPlan(config, photos, tmp_path / "file" / "run"))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "samples").write_text("in the way")
    with pytest.raises(OutputError, match="samples"):
        train(TrainingPlan(config, photos, tmp_path / "run"))


WORKER = """
import json, sys
from pathlib import Path
from core.cancel import CancelToken
import diffusion.trainer
from diffusion.config import DiffusionConfig
from training.request import TrainingPlan
from diffusion.run import carry_out
diffusion.trainer.LOG_EVERY_STEPS = 1
config = DiffusionConfig.model_validate(json.loads(sys.argv[1]))
for event in carry_out(TrainingPlan(config, Path(sys.argv[2]), Path(sys.argv[3])), CancelToken()):
    print(event.name, getattr(event, "images", ""), flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_killed_run_is_continued_to_the_same_end(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """kill -9 in the middle, between two checkpoints; the weights end up as if nothing had happened."""
    monkeypatch.setattr("diffusion.trainer.LOG_EVERY_STEPS", 1)
    settings = {**TINY, "images": 96, "evaluate_images": 32, "samples_per_class": 1, "validation_fraction": 0.3}
    settings["threads"] = 1  # sums in one order, in whatever process
    command = [sys.executable, "-c", WORKER, json.dumps(settings), str(photos), str(tmp_path / "killed")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.split() == ["step", "56"]:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    config = DiffusionConfig.model_validate(settings)
    events = train(TrainingPlan(config, photos, tmp_path / "killed", resume=True))
    assert next(e.images for e in events if isinstance(e, TrainingStarted)) == 32
    train(TrainingPlan(config, photos, tmp_path / "whole"))
    killed, whole = (torch.load(tmp_path / n / CHECKPOINT, weights_only=True) for n in ("killed", "whole"))
    for name, tensor in whole["net"].items():
        assert torch.allclose(killed["net"][name], tensor, atol=1e-6), name
    joined, smooth = curve(tmp_path / "killed"), curve(tmp_path / "whole")
    assert [row[:2] for row in joined] == [row[:2] for row in smooth]
    assert [row[2] for row in joined] == pytest.approx([row[2] for row in smooth], rel=1e-5)


def curve(folder: Path) -> list[tuple[int, str, float]]:
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [(row["images"], row["event"], row.get("loss") or 0.0) for row in rows]


def test_two_processes_compute_what_one_computes(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The same batches shared out by torchrun, each half in two parts; gloo adds the gradients in another order."""
    monkeypatch.setattr("diffusion.trainer.LOG_EVERY_STEPS", 1)
    settings = {**TINY, "images": 40, "samples_per_class": 1, "gradient_accumulation": 2, "learning_rate": 1e-3}
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    command = [sys.executable, *launcher, str(script), json.dumps(settings), str(photos), str(tmp_path / "two")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()}
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert answer.returncode == 0, answer.stderr[-2000:]
    assert [line for line in answer.stdout.splitlines() if line.startswith("started")] == ["started 0"]  # one speaks
    config = DiffusionConfig.model_validate({**settings, "gradient_accumulation": 1})
    train(TrainingPlan(config, photos, tmp_path / "one"))
    one, two = (torch.load(tmp_path / n / CHECKPOINT, weights_only=True) for n in ("one", "two"))
    assert two["images_seen"] == one["images_seen"] == 40
    for name, tensor in one["net"].items():
        assert torch.allclose(two["net"][name], tensor, atol=5e-4), name  # five steps of Adam at a rate of 1e-3
    losses = [[row[2] for row in curve(tmp_path / n) if row[1] == "loss"] for n in ("one", "two")]
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)
