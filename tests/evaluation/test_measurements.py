"""A measure that is added in one place is made, and found by every door."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from cli.app import cli
from core.errors import UsageError
from core.events import Event
from core.jobs.registry import run
from core.jobs.stream import JobContext
from core.message import Message
from evaluation.context import Context
from evaluation.distribution import compare
from evaluation.features import FeatureCache
from evaluation.finding import Finding
from evaluation.measurements import (
    MEASUREMENTS,
    measure_distribution,
    measure_fidelity,
    measure_masks,
    measure_memorisation,
    measure_pairs,
    measurement,
    parse_measures,
)
from evaluation.request import EvaluationRequest, Judged
from evaluation.sets import ImageSet, read_set
from evaluation.spaces import Space
from measures.features import Extractor
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


def context_of(tmp_path: Path, spaces: tuple[Space, ...], **values: Any) -> tuple[Context, ImageSet]:
    places = [write_set(tmp_path / name, photographs(count, seed=count)) for name, count in (("s", 14), ("r", 42))]
    synthetic, real = (read_set(place) for place in places)
    request = EvaluationRequest((places[0],), places[1], tmp_path / "out", **values)
    cache = FeatureCache(tmp_path / "cache")
    return Context(request, real, None, 32, None, spaces, torch.device("cpu"), cache), synthetic


class Shares(JobContext):
    """Notes how far the whole is at every report; what a listener hears depends on the speed of the machine."""

    def __init__(self, begin: float = 0.0, share: float = 1.0, told: list[float] | None = None) -> None:
        super().__init__()
        self.begin, self.share, self.told = begin, share, [] if told is None else told

    def part(self, begin: float, share: float, words: str = "") -> Shares:
        return Shares(self.begin + begin * self.share, share * self.share, self.told)

    def progress(self, done: int, total: int, words: str = "", unit: str = "") -> None:
        self.told.append(self.begin + self.share * done / total)


def spaces_of(*names: str) -> tuple[Space, ...]:
    return tuple(Space(Extractor(name, lambda pixels: pixels.mean(dim=(2, 3))), False, Message("x")) for name in names)


def test_distances_are_of_every_space_and_their_progress_is_that_of_the_images(tmp_path: Path) -> None:
    context, synthetic = context_of(tmp_path, spaces_of("one", "two"))
    job = Shares()
    found = measure_distribution(context, synthetic, job)
    assert job.told == pytest.approx([42 / 56 / 2, 1 / 2, 1 / 2 + 42 / 56 / 2, 1])
    assert set(found.data) == {"one", "two"}
    assert (found.data["one"]["all"]["n_synthetic"], found.data["one"]["all"]["n_real"]) == (14, 14)
    assert (found.data["one"]["MEL"]["n_synthetic"], found.data["one"]["MEL"]["n_real"]) == (2, 6)
    sides = [context.features(images, context.spaces[0]) for images in (synthetic, context.real)]
    assert found.data["one"]["all"] == compare(*sides, context.request.seed)["all"].to_json()


def test_what_was_not_asked_for_is_not_measured(tmp_path: Path) -> None:
    context, synthetic = context_of(tmp_path, spaces_of("one"))
    for measure in (measure_memorisation, measure_pairs, measure_masks):
        assert measure(context, synthetic, JobContext()) is None
    assert measure_fidelity(context, synthetic, JobContext()).level == "unknown"


def test_every_measure_has_its_share_of_the_time_and_they_are_named_in_the_order_of_the_report() -> None:
    assert {key: one.weight for key, one in MEASUREMENTS.items()} == {
        "distribution": 5, "fidelity": 2, "memorisation": 12, "diversity": 8, "appearance": 1, "pairs": 1, "masks": 1,
    }  # fmt: skip
    assert parse_measures(" pairs, ,masks,") == ("pairs", "masks")
    with pytest.raises(UsageError):
        parse_measures("pairs,nothing")


def test_references_and_masks_are_read_where_they_are_named(tmp_path: Path) -> None:
    context, synthetic = context_of(tmp_path, spaces_of("one"), reference=tmp_path / "r", masks=tmp_path / "s")
    pairs = measure_pairs(context, synthetic, JobContext())
    assert pairs is not None
    assert (pairs.data["pairs"], pairs.data["unmatched"]) == (14, 0)
    masks = measure_masks(context, synthetic, JobContext())
    assert masks is not None
    assert masks.key == "masks"
