"""Every job there is, through one client: started, watched, paused, stopped in three ways, killed, and gone on with.

The jobs come from the registry: one without a case here fails.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from PIL import Image

import cli.app  # noqa: F401 - imports every request
from cli.derive import request_of, request_options
from core.cancel import CancelToken, StopMode
from core.events import Continued, Event, Paused
from core.jobs.client import JobClient, WorkerDiedError
from core.jobs.registry import Job, Request, known_jobs
from core.jobs.stream import JobStopped
from core.taxonomy import CLASS_CODES
from tests.e2e import dying_job
from tests.e2e.commands import COMMANDS, CPU, Command, as_bytes, make_world

pytestmark = pytest.mark.slow

JOBS: dict[str, Job] = {
    one.key: one for one in known_jobs().values() if not one.request.__module__.startswith("tests.")
}


@dataclass(frozen=True)
class Case:
    """What is asked of one job.

    Attributes
    ----------
    command
        Its command line, what it ends in, and how it goes on.
    again
        Another command that goes on with it.
    begun
        Folder of the world that is copied to where it works.
    dies_after
        Events until it is killed.
    is_counted
        Whether it says how far it is.
    """

    command: Command
    again: tuple[str, ...] = ()
    begun: str = ""
    dies_after: int = 2
    is_counted: bool = True

    def request(self, world: Path, out: Path, *, again: bool = False) -> Request:
        """Return what is asked, the second time if it is `again`."""
        if again and self.again:
            return request_from([word.format(world=world, out=out) for word in self.again])
        return request_from(self.command.line(world, out, again=again))

    def prepare(self, world: Path, out: Path) -> None:
        """Put there what it goes on with."""
        if self.begun:
            shutil.copytree(world / self.begun, out)


def as_images(out: Path) -> dict[str, Any]:
    """Compare the pixels of all images of an output folder."""
    return {p.relative_to(out).as_posix(): np.asarray(Image.open(p)).tolist() for p in sorted(out.glob("[A-Z]*/*.png"))}


MODELS = ("--models", "{world}/models")
SHORT = (*MODELS, "--steps", "3", "--batch-size", "1", "--precision", "fp32", *CPU)
GENERATE = ("--classes", "MEL=4", *SHORT)

CASES: dict[str, Case] = {
    **{key: Case(command, dies_after=3) for key, command in COMMANDS.items() if key in JOBS},
    "generate": Case(
        Command(("generate", "--output", "{out}", *GENERATE), {".": as_images}),
        again=("resume", "{out}", *MODELS),
        dies_after=8,
    ),
    "image2image": Case(
        Command(
            ("image2image", "{world}/collection/MEL", "--class", "NV", "--output", "{out}", *SHORT), {".": as_images}
        ),
        again=("resume", "{out}", *MODELS),
        dies_after=8,
    ),
    "inpaint": Case(
        Command(
            ("inpaint", "{world}/collection/MEL/ISIC_0000001.png", "--mask", "{world}/mask.png", "--class", "MEL",
             "--count", "4", "--output", "{out}", *SHORT),
            {".": as_images},
        ),
        again=("resume", "{out}", *MODELS),
        dies_after=8,
    ),
    "interpolate": Case(
        Command(
            ("interpolate", "{world}/collection/MEL/ISIC_0000001.png", "{world}/collection/NV/ISIC_0000001.png",
             "--count", "4", "--output", "{out}", *SHORT),
            {".": as_images},
        ),
        again=("resume", "{out}", *MODELS),
        dies_after=8,
    ),
    "resume": Case(Command(("resume", "{out}", *MODELS), {".": as_images}), begun="interrupted", dies_after=6),
    "reproduce": Case(
        Command(("reproduce", "{world}/whole/MEL/ISIC_0000001.png", *MODELS, "--save", "{out}.png"), {}),
        dies_after=1,
    ),
    "classify": Case(Command(("classify", "{world}/collection/MEL", "--classifier", "{world}/judge", *CPU), {})),
    "models download": Case(
        Command(("models", "download", "--from-file", "{world}/stick", "--to", "{out}"),
                {"color_statistics.json": as_bytes})
    ),
    "data check": Case(Command(("data", "check", "{world}/collection"), {})),
    "doctor": Case(Command(("doctor",), {}), is_counted=False),
}  # fmt: skip


def request_from(words: list[str]) -> Request:
    """Return the request that a command line stands for."""
    key = max((key for key in JOBS if words[: len(key.split())] == key.split()), key=len)
    kind = JOBS[key].request
    command = request_options(kind)(click.command()(lambda **values: None))
    return request_of(kind, command.make_context(key, words[len(key.split()) :]).params)


@dataclass
class Followed:
    """What a job has told, and how it ended."""

    events: list[Event] = field(default_factory=list)
    is_stopped: bool = False

    @property
    def exit_code(self) -> int:
        return max((event.exit_code for event in self.events), default=0)


@pytest.fixture(scope="module")
def dying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The file that says when the next job dies."""
    file = tmp_path_factory.mktemp("dying") / "after"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(dying_job.FILE, str(file))
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("MPLBACKEND", "Agg")
        yield file


@pytest.fixture(scope="module")
def client(dying: Path) -> Iterator[JobClient]:
    made = JobClient(prepare=dying_job.install)
    yield made
    made.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, client: JobClient) -> Path:
    world = make_world(tmp_path_factory.mktemp("world"))
    statistics = {code: {"rgb": {"mean": [180, 140, 130], "std": [30, 30, 30]}} for code in CLASS_CODES}
    (world / "stick").mkdir()
    (world / "stick/color_statistics.json").write_text(json.dumps(statistics), encoding="utf-8")
    follow(client, CASES["generate"].request(world, world / "whole"))
    cancel = CancelToken()
    for event in client.run(CASES["generate"].request(world, world / "interrupted"), cancel):
        if event.name == "image":
            cancel.request(StopMode.NOW)
    return world


@pytest.fixture(scope="module")
def whole(client: JobClient, world: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """Return what a job tells and ends in when nothing disturbs it; each is run once."""
    found: dict[str, Any] = {}

    def run(key: str) -> Any:
        if key not in found:
            out = tmp_path_factory.mktemp("whole") / "out"
            CASES[key].prepare(world, out)
            found[key] = follow(client, CASES[key].request(world, out)), CASES[key].command.outcome(out)
        return found[key]

    return run


def follow(client: JobClient, request: Request, cancel: CancelToken | None = None) -> Followed:
    followed = Followed()
    try:
        for event in client.run(request, cancel):
            followed.events.append(event)
            if isinstance(event, Paused) and cancel is not None:
                cancel.go_on()
    except JobStopped:
        followed.is_stopped = True
    return followed


def test_every_job_has_a_case() -> None:
    assert set(CASES) == set(JOBS)


@pytest.mark.parametrize("key", sorted(JOBS))
def test_it_is_started_and_watched(key: str, whole: Callable[[str], Any]) -> None:
    followed, outcome = whole(key)
    assert not followed.is_stopped
    assert followed.exit_code in ((0, 1) if key == "doctor" else (0,))
    assert set(outcome) == set(CASES[key].command.results)
    told = [event.progress for event in followed.events if event.progress is not None]
    assert bool(told) is CASES[key].is_counted
    assert all(0 <= progress.fraction <= 1 for progress in told)
    ends = [event for event in followed.events if event.ends]
    assert ends == followed.events[-1:] or not ends


@pytest.mark.parametrize("key", sorted(key for key, one in JOBS.items() if one.pauses))
def test_it_is_paused_where_that_can_be(
    key: str, client: JobClient, world: Path, whole: Callable[[str], Any], tmp_path: Path
) -> None:
    cancel, case = CancelToken(), CASES[key]
    cancel.pause()
    case.prepare(world, tmp_path / "out")
    followed = follow(client, case.request(world, tmp_path / "out"), cancel)
    kinds = [type(event) for event in followed.events]
    assert kinds.count(Paused) == kinds.count(Continued) == 1
    assert case.command.outcome(tmp_path / "out") == whole(key)[1]


@pytest.mark.parametrize("mode", list(StopMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("key", sorted(JOBS))
def test_it_is_stopped(
    key: str, mode: StopMode, client: JobClient, world: Path, whole: Callable[[str], Any], tmp_path: Path
) -> None:
    cancel, case = CancelToken(), CASES[key]
    cancel.request(mode)
    case.prepare(world, tmp_path / "out")
    followed = follow(client, case.request(world, tmp_path / "out"), cancel)
    assert followed.is_stopped or followed.exit_code == 130
    if case.command.results:
        assert case.command.outcome(tmp_path / "out") != whole(key)[1]
    if key == "generate" and mode is StopMode.DISCARD:
        assert as_images(tmp_path / "out") == {}


@pytest.mark.parametrize("key", sorted(JOBS))
def test_it_is_killed_and_goes_on(
    key: str, client: JobClient, world: Path, whole: Callable[[str], Any], dying: Path, tmp_path: Path
) -> None:
    case, out = CASES[key], tmp_path / "out"
    expected = whole(key)[1]
    case.prepare(world, out)
    dying.write_text(str(case.dies_after))
    with pytest.raises(WorkerDiedError):
        list(client.run(case.request(world, out)))
    parts = case.command.finished_parts(out)
    followed = follow(client, case.request(world, out, again=True))
    assert not followed.is_stopped
    assert followed.exit_code in ((0, 1) if key == "doctor" else (0,))
    assert case.command.outcome(out) == expected
    assert parts.items() <= case.command.finished_parts(out).items()
