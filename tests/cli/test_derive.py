"""A command's flags come from its request: what is parsed is the request, and what it writes is parsed to it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from cli.curate import curate
from cli.evaluate import evaluate
from cli.utility import utility
from core.jobs.request import Request
from evaluation.curation.request import CurationRequest
from evaluation.request import EvaluationRequest
from evaluation.utility.request import UtilityRequest

HERE = Path("/here")


def parsed(command: click.Command, words: list[str]) -> dict[str, Any]:
    values = dict(command.make_context(command.name, list(words)).params)
    del values["json_mode"]
    return values


def test_a_flag_may_have_another_name() -> None:
    words = ["--synthetic", "a", "--real", "b", "--output", "c", "--inception", "d"]
    assert EvaluationRequest(**parsed(evaluate, words)).features == Path("d")


@pytest.mark.parametrize(
    ("command", "request_"),
    [
        (evaluate, EvaluationRequest((HERE / "a", HERE / "b"), HERE / "real", HERE / "out")),
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
    ],
)  # fmt: skip
def test_the_copied_command_asks_for_exactly_the_request(command: click.Command, request_: Request) -> None:
    name, *words = request_.arguments()
    assert name == command.name
    assert type(request_)(**parsed(command, words)) == request_
