"""`train diffusion` on the command line: where settings come from, what is said, and how it ends."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.train_diffusion import diffusion_command
from core.errors import InputRefusedError, UsageError
from diffusion.trainer import DiffusionTrainer
from tests.support.labelled_data import write_labelled_folder
from training.run_folder import read_run_settings
from training.settings import SettingsRefusedError

pytestmark = pytest.mark.slow

SETTINGS = (
    "widths=8,16",
    "attention=1",
    "attention_head_dim=8",
    "norm_groups=4",
    "samples_per_class=1",
    "sample_steps=1",
)
TINY = (
    *("--image-size=16", "--batch-size=8", "--precision=fp32", "--device=cpu", "--tracker=none", "--classes=NV,VASC"),
    *(f"--set={setting}" for setting in SETTINGS),
)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_labelled_folder(tmp_path / "photos", lesions=8)


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(
        diffusion_command, [str(a) for a in arguments], catch_exceptions=False, standalone_mode=False
    )


def events(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_run_from_flags_and_its_continuation(photos: Path, tmp_path: Path):
    run = tmp_path / "run"
    (tmp_path / "s.toml").write_text("images = 8\nseed = 7\n")
    first = invoke("--data", photos, "--output", run, "--config", tmp_path / "s.toml", "--images", 16, *TINY)
    assert first.return_value == 0
    for part in ("Leakage: 0 of", "train ", "16 images:", f"generate --models {run / 'best'}", "Memorisation: 0 of 2"):
        assert part in first.stdout
    settings = read_run_settings(run)
    assert (settings["images"], settings["seed"], settings["classes"]) == (16, 7, ["NV", "VASC"])

    second = invoke("--output", run, "--resume", "--images", 24, "--json")  # data and settings are the run's own
    assert second.return_value == 0
    names = [event["event"] for event in events(second)]
    assert names[0] == "data"
    assert names.count("step") == 1
    assert names[-1] == "finished"
    assert events(second)[-1]["images"] == 24
    assert read_run_settings(run)["images"] == 24


def test_a_stop_by_signal_keeps_everything_and_ends_with_130(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    run = tmp_path / "run"
    original = DiffusionTrainer._step
    monkeypatch.setattr(
        "diffusion.trainer.DiffusionTrainer._step",
        lambda *args: (signal.raise_signal(signal.SIGTERM), original(*args))[1],
    )
    stopped = invoke("--data", photos, "--output", run, "--images", 10**6, *TINY)
    assert stopped.return_value == 130
    assert f"train diffusion --output {run} --resume" in stopped.stdout
    assert f"generate --models {run / 'pack'}" in stopped.stdout
    assert (run / "last.pt").is_file()
    assert (run / "pack" / "isicgui.json").is_file()


def test_a_classifiers_run_is_not_continued_as_a_generators(tmp_path: Path):
    (tmp_path / "config.json").write_text('{"kind": "classifier", "settings": {"architecture": "resnet18"}}')
    with pytest.raises(UsageError, match="no run of 'train diffusion'"):
        invoke("--output", tmp_path, "--resume")


def test_a_run_that_began_with_other_weights_is_continued_under_the_same_preset(photos: Path, tmp_path: Path):
    """`starter` shows the first quarter at half the side, but not to weights that know shapes already."""
    first, run = tmp_path / "first", tmp_path / "run"
    invoke("--data", photos, "--output", first, "--images", 8, *TINY)
    command = ("--preset", "starter", "--output", run, *TINY)
    invoke("--data", photos, "--init-from", first / "last.pt", "--images", 8, *command)
    assert invoke("--resume", "--images", 16, *command).return_value == 0


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (["--data", "photos", "--precision", "fp16"], SettingsRefusedError, "precision.*bf16"),
        (["--data", "photos", "--set", "widht=3"], SettingsRefusedError, "did you mean widths"),
        (["--data", "photos", "--preset", "quick", "--image-size", "60"], SettingsRefusedError, "multiple of 8"),
        (["--data", "photos", "--per-class", "--image-size", "64"], SettingsRefusedError, "image_size.*128"),
        (["--resume"], UsageError, "folder of the run"),
        (["--preset", "quick"], UsageError, "--data"),
        (["--data", "nowhere"], InputRefusedError, "nowhere"),
        (["--resume", "--output", "nowhere"], InputRefusedError, "no training run"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_written(
    arguments: list[str], error: type[UsageError], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error) as refusal:
        invoke(*arguments)
    assert re.search(words, str(refusal.value))
    assert not list(tmp_path.iterdir())
