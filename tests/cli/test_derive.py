"""A command's flags come from its request: what is parsed is the request, and what it writes is parsed to it again."""

from __future__ import annotations

import signal
from dataclasses import MISSING
from pathlib import Path
from typing import Any

import click
import pytest

from classifier.request import TrainClassifierRequest
from cli.classify import classify
from cli.console import Console
from cli.curate import curate
from cli.derive import carry_out, request_options
from cli.evaluate import evaluate
from cli.explain import explain
from cli.export import export
from cli.models import download
from cli.train_autoencoder import autoencoder_command
from cli.train_classifier import classifier_command
from cli.train_diffusion import diffusion_command
from cli.trajectory import trajectory
from cli.utility import utility
from core.events import Event
from core.jobs.options import options_of
from core.jobs.registry import Request, known_jobs
from core.taxonomy import CLASS_CODES
from dataset.export.request import ExportRequest
from diffusion.autoencoder.request import TrainAutoencoderRequest
from diffusion.request import TrainDiffusionRequest
from download.request import DownloadRequest
from evaluation.curation.request import CurationRequest
from evaluation.request import EvaluationRequest
from evaluation.utility.request import UtilityRequest
from tests.core.jobs.counting import CountRequest, ReportedRequest
from xai.explanation import ClassifyRequest, ExplainRequest
from xai.trajectory.request import TrajectoryRequest

HERE = Path("/here")


def parsed(command: click.Command, words: list[str]) -> dict[str, Any]:
    values = dict(command.make_context(command.name, list(words)).params)
    del values["json_mode"]
    return values


@pytest.mark.parametrize(
    ("command", "words", "field", "value"),
    [
        (evaluate, ["--synthetic", "a", "--real", "b", "--output", "c", "--inception", "d"], "features", Path("d")),
        (export, ["a", "--to", "b", "--format", "csv", "--split-seed", "other"], "salt", "other"),
        (explain, ["a", "--output", "b", "--superpixels", "9"], "players", 9),
    ],
)
def test_a_flag_may_have_another_name(command: click.Command, words: list[str], field: str, value: object) -> None:
    assert parsed(command, words)[field] == value


@pytest.mark.parametrize(
    ("command", "request_"),
    [
        (evaluate, EvaluationRequest((HERE / "a", HERE / "b"), HERE / "real", HERE / "out")),
        (export, ExportRequest(output=HERE, target=HERE / "set", format="csv")),
        (
            export,
            ExportRequest(
                output=HERE, target=HERE / "set", format="isic", rating=2, classes=("MEL", "NV"), split=None,
                salt="other", zip=True, curation=HERE / "curation.csv", preview=True,
            ),
        ),
        (download, DownloadRequest(HERE)),
        (download, DownloadRequest(HERE, file=HERE / "a.zip", sha256="0" * 64)),
        (download, DownloadRequest(HERE, url="https://example.org/a.zip")),
        (
            evaluate,
            EvaluationRequest(
                (HERE,), HERE / "real", HERE / "out", HERE / "train", HERE / "masks", HERE / "reference",
                HERE / "features", HERE / "lpips", HERE / "judge", device="cpu", seed=3,
            ),
        ),
        (curate, CurationRequest(HERE, HERE / "out")),
        (curate, CurationRequest(HERE, HERE / "out", "best=10%", HERE / "train", HERE / "real", HERE / "judge")),
        (utility, UtilityRequest(HERE / "train", HERE / "test", (HERE / "a",), HERE / "out")),
        (utility, UtilityRequest(HERE / "train", HERE / "test", (HERE / "a",), HERE / "out", preset="gpu")),
        (
            utility,
            UtilityRequest(
                HERE / "train", HERE / "test", (HERE / "a", HERE / "b"), HERE / "out", preset="standard",
                ratios=(1 / 3, 2.0), seeds=9, steps=7, architecture="small_cnn", image_size=16, curate="none",
                device="cpu",
            ),
        ),
        (classify, ClassifyRequest((HERE / "a", HERE / "b.png"), HERE / "judge", "cpu")),
        (explain, ExplainRequest((HERE / "a",), HERE / "out")),
        (
            explain,
            ExplainRequest(
                (HERE / "a", HERE / "b"), HERE / "out", ("shapley", "ig"), ("MEL", "predicted"), HERE / "judge", "blur",
                9, 64, "jet", faithfulness=True, mask=HERE / "masks", seed=7, device="cpu",
            ),
        ),
        (trajectory, TrajectoryRequest(HERE / "out")),
        (trajectory, TrajectoryRequest(HERE / "out", image=HERE / "a.png", quick=True)),
        (
            trajectory,
            TrajectoryRequest(
                HERE / "out", CLASS_CODES, 7, 2, 30, None, HERE / "models", "ddim", 9, 1.5, "fp32", False,
                HERE / "judge", "cpu", 2, ("occlusion",), "blur", 3, "hold", True,
            ),
        ),
        (autoencoder_command, TrainAutoencoderRequest()),
        (
            autoencoder_command,
            TrainAutoencoderRequest(
                HERE / "data", HERE / "run", HERE / "settings.toml", "gpu", ("kl_weight=0.1", "crops=4"), images=10**6,
                max_minutes=0.1, batch_size=8, learning_rate=1e-5, image_size=256, latent_channels=16, seed=2,
                device="cuda:1", precision="bf16", tracker="none", init_from=HERE / "last.pt", allow_leakage=True,
                resume=True,
            ),
        ),
        (diffusion_command, TrainDiffusionRequest()),
        (
            diffusion_command,
            TrainDiffusionRequest(
                HERE / "data", HERE / "run", HERE / "settings.toml", "gpu", ("sample_steps=9", "licence=CC BY=4"),
                images=10**6, max_minutes=0.1, batch_size=8, learning_rate=1e-5, image_size=32, seed=2, device="cuda:1",
                precision="bf16", classes="MEL,NV", per_class=True, tracker="none", init_from=HERE / "last.pt",
                allow_leakage=True, resume=True,
            ),
        ),
        (classifier_command, TrainClassifierRequest(HERE)),
        (
            classifier_command,
            TrainClassifierRequest(
                HERE, HERE / "run", HERE / "settings.toml", "gpu", ("rate_decay=0.5",), "resnet18", "head_only", 12.5,
                "imagenet", "ab", 8, 3, 0.1, 1e-5, 0.25, 32, "dihedral", use_class_weights=True,
                early_stopping_patience=2, seed=4, seeds="1,2", folds=3, device="cpu", precision="fp32", threads=2,
                tracker="wandb", resume=True, allow_leakage=True,
            ),
        ),
    ],
)  # fmt: skip
def test_the_copied_command_asks_for_exactly_the_request(command: click.Command, request_: Request) -> None:
    depth = len(request_.command)
    words = request_.arguments()
    assert (tuple(words[:depth]), words[depth - 1]) == (request_.command, command.name)
    words = words[depth:]
    assert type(request_)(**parsed(command, words)) == request_


class Interrupting(Console):
    """Stands for somebody who presses Ctrl-C at the first event."""

    def __init__(self) -> None:
        super().__init__(json_mode=False)
        self.told: list[Event] = []

    def event(self, event: Any) -> None:
        self.told.append(event)
        if len(self.told) == 1:
            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_is_130_and_says_what_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    console = Interrupting()
    assert carry_out(ReportedRequest(to=10**9), console, {}, stopped="Stopped; nothing was written.") == 130
    assert capsys.readouterr().err.splitlines()[-1] == "Stopped; nothing was written."
    assert console.told


def test_notices_are_told_and_the_result_stands_alone_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert carry_out(CountRequest(to=2), Console(json_mode=False), {}) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["Note: 1", "Note: 2", "Note: completed"]


@pytest.mark.parametrize("request_type", list(known_jobs()), ids=lambda one: " ".join(one.command))
def test_what_has_no_default_is_required(request_type: type[Request]) -> None:
    command = request_options(request_type)(click.command()(lambda **values: None))
    needed = {
        one.name
        for one, how in options_of(request_type)
        if one.default is MISSING and one.default_factory is MISSING and how.fallback is None
    }
    if not needed:
        return
    with pytest.raises(click.MissingParameter):
        command.make_context("command", [])
