"""A request says itself how it is asked for on the command line."""

from __future__ import annotations

from pathlib import Path

from core.jobs.options import options_of
from core.jobs.registry import job_of, known_jobs
from tests.core.jobs.counting import CountRequest


def test_only_what_differs_from_the_defaults_is_written_and_what_always_is() -> None:
    assert CountRequest().arguments() == ["count", "--mode", "up"]


def test_every_kind_of_field_is_written() -> None:
    request = CountRequest(
        inputs=(Path("/a b"), Path("/c")), to=5, output=Path("/out"), part=(2, 4), colour=False, loud=True,
        tags=("x", "y"), mode="down",
    )  # fmt: skip
    assert request.arguments() == [
        "count", "/a b", "/c", "--to", "5", "--output", "/out", "--part", "2/4", "--no-colour", "--loud",
        "--tag", "x", "--tag", "y", "--mode", "down",
    ]  # fmt: skip


def test_a_relative_path_is_written_in_full() -> None:
    assert CountRequest(output=Path("here")).arguments()[2] == str(Path("here").absolute())


def test_a_field_without_an_option_has_no_flag() -> None:
    assert "does" not in [one.name for one, _ in options_of(CountRequest)]


def test_a_request_is_known_by_the_words_of_its_command() -> None:
    assert job_of(CountRequest()).key == "count"
    assert CountRequest in known_jobs()
    assert CountRequest(output=Path("/x")).to_json()["output"] == "/x"
