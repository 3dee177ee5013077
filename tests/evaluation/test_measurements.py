"""A measure that is added in one place is made, and found by every door."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.app import cli
from core.errors import UsageError
from core.events import Event
from core.jobs.registry import run
from core.message import Message
from evaluation.finding import Finding
from evaluation.measurements import MEASUREMENTS, measurement
from evaluation.request import EvaluationRequest, Judged
from scripts.reference import render
from tests.evaluation.pictures import photographs, write_set


@pytest.fixture
def added() -> Iterator[str]:
    @measurement("size", title=Message("Size of the set"), weight=1.0)
    def measure(context: Any, synthetic: Any, job: Any) -> Finding:
        """How many images there are."""
        return Finding("size", Message("Size of the set"), "good", Message("It has %n image(s).", n=len(synthetic)))

    yield "size"
    MEASUREMENTS.remove("size")


@pytest.fixture
def request_(tmp_path: Path) -> EvaluationRequest:
    sets = [write_set(tmp_path / name, photographs(6, seed=seed)) for seed, name in enumerate(("made", "real"))]
    return EvaluationRequest((sets[0],), sets[1], tmp_path / "out", measures=("size",), cache=tmp_path / "cache")


def test_it_alone_is_made_where_it_alone_is_asked_for(added: str, request_: EvaluationRequest) -> None:
    events: list[Event] = list(run(request_))
    judged = [event for event in events if isinstance(event, Judged)]
    assert [(event.section, event.verdict) for event in judged] == [("size", "It has 6 images.")]
    assert "It has 6 images." in (request_.output / "report.html").read_text(encoding="utf-8")


def test_the_command_line_knows_it(added: str, tmp_path: Path) -> None:
    assert "--measures" in CliRunner().invoke(cli, ["evaluate", "--help"]).output
    words = ["evaluate", "--synthetic", "a", "--real", "b", "--output", "c", "--measures", "size"]
    with cli.make_context("main.py", words) as context:
        name, command, rest = cli.resolve_command(context, words)
        assert command.make_context(name, rest).params["measures"] == ("size",)


def test_what_is_not_there_is_refused_with_what_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no measure 'size'") as caught:
        EvaluationRequest((tmp_path,), tmp_path, tmp_path, measures=("size",))
    assert "fidelity" in caught.value.remedy


def test_the_docs_name_it(added: str) -> None:
    assert "| `size` | Size of the set | 1 | How many images there are. |" in render()
