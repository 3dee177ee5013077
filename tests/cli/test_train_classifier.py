"""`train classifier` as it is typed: flags become settings, refusals end in the right code, results are said."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from classifier.events import TrainingFinished, TrainingStep
from cli.app import main
from cli.console import Console
from tests.support.labelled_data import write_labelled_folder
from training.run_folder import read_run_settings

pytestmark = pytest.mark.slow

FAST = [
    "--architecture",
    "small_cnn",
    "--image-size",
    "16",
    "--epochs",
    "1",
    "--precision",
    "fp32",
    "--tracker",
    "none",
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_labelled_folder(tmp_path_factory.mktemp("photographs"), lesions=6, size=16)


def command(data: Path, run: Path, *more: str) -> list[str]:
    return ["train", "classifier", "--data", str(data), "--output", str(run), *more]


def test_one_command_trains_measures_and_says_how_to_use_the_result(data, tmp_path, capsys):
    run = tmp_path / "run"
    flags = ["--dropout-rate", "0.1", "--use-class-weights", "--set", "rate_decay=0.5", "--device", "cpu"]
    assert main(command(data, run, *FAST, *flags)) == 0
    said = capsys.readouterr()
    assert f'classify IMAGE --classifier "{run / "model"}"' in said.out
    assert "balanced accuracy" in said.out
    assert "from scratch: nothing is pretrained" in said.err
    assert "0 of" in said.err
    assert "show a lesion that is also in training" in said.err
    assert "epoch   1" in said.err
    settings = read_run_settings(run)
    assert (settings["dropout"], settings["balance"], settings["rate_decay"]) == (0.1, "weights", 0.5)
    assert {path.name for path in run.iterdir()} >= {
        "config.json", "training.log", "training_history.csv", "training_history.json", "test_results.json", "plots",
        "report.html", "model", "last.pt", "best.pt",
    }  # fmt: skip
    assert "measured" in (run / "training.log").read_text(encoding="utf-8")

    # a second start into the same folder is refused, a resumed one keeps the settings
    assert main(command(data, run, *FAST)) == 2
    assert "--resume" in capsys.readouterr().err
    assert main(command(data, run, "--resume", "--epochs", "2", "--tracker", "none", "--json")) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events if event["event"] != "step"] == [
        "data", "split", "started", "evaluated", "finished", "measured",
    ]  # fmt: skip
    assert events[-1]["model"] == str(run / "model")
    assert read_run_settings(run)["epochs"] == 2
    assert main(command(data, run, "--resume", "--learning-rate", "0.5")) == 2
    assert "learning_rate" in capsys.readouterr().err
    assert main(command(data, run, "--resume", "--tracker", "none")) == 0  # the refusal has changed nothing
    assert "finished already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (["--preset", "huge"], 2, ["huge", "quick, starter, gpu"]),
        (["--set", "epoch=3"], 2, ["epoch", "did you mean epochs"]),
        (["--scenario", "head_only"], 2, ["head_only", "pretrained"]),
        (["--architecture", "resnet19"], 2, ["architecture", "resnet18"]),
        (["--seeds", "1,one"], 2, ["seeds", "one"]),
        (["--folds", "40"], 3, ["fold"]),
    ],
)
def test_refusals_name_the_mistake_and_leave_no_folder(data, tmp_path, capsys, flags, code, words):
    assert main(command(data, tmp_path / "run", *flags)) == code
    said = capsys.readouterr().err
    assert all(word in said for word in words), said
    assert not (tmp_path / "run").exists()


def test_a_run_that_could_not_begin_does_not_block_its_folder(data, tmp_path, capsys):
    run = tmp_path / "run"
    missing = ["--pretrained", str(tmp_path / "missing.pth"), "--weights-sha256", "0" * 64]
    assert main(command(data, run, *FAST, *missing)) == 3
    assert "missing.pth" in capsys.readouterr().err
    assert main(command(data, run, *FAST)) == 0


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends the process there")
@pytest.mark.parametrize(("moment", "code"), [(TrainingStep, 130), (TrainingFinished, 0)])
def test_ctrl_c_stops_training_but_does_not_call_stopped_what_is_done(
    data, tmp_path, capsys, monkeypatch, moment, code
):
    interrupted = []

    def interrupt(_console, event):
        if isinstance(event, moment) and not interrupted:
            interrupted.append(event)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Console, "event", interrupt)
    run = tmp_path / "run"
    assert main(command(data, run, *FAST, "--batch-size", "8")) == code
    words = f'Stopped; everything is kept. Continue with the same --data and --resume --output "{run}"'
    assert (words in capsys.readouterr().out) == bool(code)
    assert (tmp_path / "run" / "test_results.json").exists() != bool(code)


def test_resume_must_name_a_run(data, tmp_path, capsys):
    assert main(["train", "classifier", "--data", str(data), "--resume"]) == 2
    assert "--output" in capsys.readouterr().err
    assert main(command(data, tmp_path / "nothing", "--resume")) == 3
    assert "holds no training run" in capsys.readouterr().err
    (tmp_path / "config.json").write_text('{"kind": "diffusion", "settings": {"widths": [8]}}')
    assert main(command(data, tmp_path, "--resume")) == 2
    assert "no run of 'train classifier' (kind: diffusion)" in capsys.readouterr().err


def test_data_that_is_not_there_is_refused(tmp_path, capsys):
    assert main(command(tmp_path / "nowhere", tmp_path / "run")) == 3
    assert "nowhere" in capsys.readouterr().err
