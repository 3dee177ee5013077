"""`train autoencoder` on the command line: what is said, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.train_autoencoder import autoencoder_command
from tests.diffusion.autoencoder.conftest import TINY
from tests.support.labelled_data import write_labelled_folder
from training.run_folder import read_run_settings
from training.settings import SettingsRefusedError

pytestmark = pytest.mark.slow

SETTINGS = [f"--set={key}={json.dumps(value)}" for key, value in TINY.items() if key != "images"]


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("diffusion.autoencoder.report.default_evaluator", lambda: None)
    return write_labelled_folder(tmp_path / "photos", lesions=8)


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(
        autoencoder_command, [str(a) for a in arguments], catch_exceptions=False, standalone_mode=False
    )


def events(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_run_from_flags_and_its_continuation(photos: Path, tmp_path: Path):
    run = tmp_path / "run"
    first = invoke("--data", photos, "--output", run, "--images", 8, "--preset", "quick", *SETTINGS)
    assert first.return_value == 0
    for part in ("Leakage: 0 of", "8 images: PSNR", "Reconstruction: PSNR", f"The model is in {run / 'pack'}"):
        assert part in first.stdout
    assert read_run_settings(run)["name"] == "quick-autoencoder"

    second = invoke("--output", run, "--resume", "--images", 12, "--json")
    assert second.return_value == 0
    names = [event["event"] for event in events(second)]
    assert names[0] == "data"
    assert names.count("step") == 1
    assert names[-2:] == ["measured", "finished"]
    assert events(second)[-1]["images"] == 12


def test_an_unknown_setting_is_named(photos: Path, tmp_path: Path):
    with pytest.raises(SettingsRefusedError, match="did you mean kl_weight"):
        invoke("--data", photos, "--output", tmp_path / "run", "--set", "kl_weigth=1")
