"""Who asks for the impossible has no run afterwards: no folder, or the empty one; and the log is no blank."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.app import main
from core.cancel import CancelToken, StopMode
from diffusion.events import TrainingStep
from diffusion.request import TrainDiffusionRequest
from diffusion.run import run_training
from tests.diffusion.conftest import TINY
from tests.support.labelled_data import write_labelled_folder
from training.experiments import list_runs


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return write_labelled_folder(tmp_path_factory.mktemp("data") / "photos", lesions=8)


@pytest.fixture
def nonsense(tmp_path):
    path = tmp_path / "nonsense.safetensors"
    path.write_bytes(b"no weights")
    return path


def commands(photos, nonsense):
    """Return commands that are refused after their data were read, by what is wrong."""
    train = ["--data", photos, "--device", "cpu"]
    return {
        "diffusion, first weights": ["train", "diffusion", *train, "--init-from", nonsense],
        "diffusion, autoencoder": ["train", "diffusion", *train, "--latent", nonsense],
        "diffusion, features": ["train", "diffusion", *train, "--set", f"extractor={nonsense}"],
        "diffusion, data": ["train", "diffusion", "--data", nonsense.parent / "nowhere"],
        "autoencoder, first weights": ["train", "autoencoder", *train, "--init-from", nonsense],
        "classifier, first weights": ["train", "classifier", *train, "--pretrained", nonsense],
        "evaluate, photographs": ["evaluate", "--synthetic", photos, "--real", nonsense.parent / "nowhere"],
        "evaluate, judge": ["evaluate", "--synthetic", photos, "--real", photos, "--evaluator", nonsense],
        "utility, test": ["utility", "--train", photos, "--synthetic", photos, "--test", nonsense],
        "curate, rules": ["curate", photos, "--rules", "nonsense"],
    }


NAMES = tuple(commands("", Path()))


@pytest.mark.parametrize("was", ["missing", "empty"])
@pytest.mark.parametrize("name", NAMES)
def test_a_refusal_leaves_no_run(name, was, photos, nonsense, tmp_path, capsys):
    output = tmp_path / "runs" / "mine"
    if was == "empty":
        output.mkdir(parents=True)
    code = main([*map(str, commands(photos, nonsense)[name]), "--output", str(output)])
    assert code in (2, 3), capsys.readouterr().err
    assert not output.exists() if was == "missing" else output.is_dir() and not list(output.iterdir())


def test_a_stopped_run_says_so_in_its_log_and_is_not_running(photos, tmp_path):
    settings = {**TINY, "images": 400, "max_minutes": None}
    sets = tuple(f"{key}={_plain(value)}" for key, value in settings.items())
    request = TrainDiffusionRequest(data=photos, output=tmp_path / "run", assignments=sets)
    cancel = CancelToken()
    for event in run_training(request, cancel):
        if isinstance(event, TrainingStep):
            cancel.request(StopMode.NOW)
    (run,) = list_runs(tmp_path)
    assert run.status == "interrupted", "at once"
    log = (tmp_path / "run" / "training.log").read_text(encoding="utf-8")
    assert '"event": "data"' in log
    assert '"status": "stopped"' in log
    assert '"event": "step"' not in log


def _plain(value):
    if value is None:
        return "null"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
