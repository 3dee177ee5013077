"""One case: a valid sample, one mutated file in it, the product's own reader, and what may come of that."""

from __future__ import annotations

import os
import shutil
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from core.errors import ISICGUIError
from tests.fuzz.forms import Form
from tests.fuzz.values import Hostile
from tests.support.sentinel import changes, make_sentinel, snapshot

MEMORY = 768 * 1024**2
"""Bytes by which one case may raise the process' peak."""


class Endless(BaseException):  # not an Exception: no reader may catch it
    """A case took longer than it may."""


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Parameters
    ----------
    make
        Write a valid sample into an empty folder with the product's own writers.
    files
        What is mutated: path inside the sample, and its form.
    read
        Read the folder as the product does; raise nothing but `ISICGUIError`.
    refuses
        Whether a typed error may end the reading; False for files that are set aside, so that the rest goes on.
    """

    make: Callable[[Path], object]
    files: Mapping[str, Form]
    read: Callable[[Path], object]
    refuses: bool = True


@dataclass
class Outcome:
    """What came of a case; `fault` is empty if all is well."""

    answer: str = ""
    fault: str = ""
    trace: str = ""
    wall: float = 0.0
    cpu: float = 0.0
    memory: int = 0


@dataclass
class Bench:
    """The folder in which the cases of one kind are tried, with the tree beside it that nothing may touch."""

    kind: Kind
    folder: Path
    seconds: float = 5.0
    clock: bool = True
    sample: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        self.watched = make_sentinel(self.folder / "watched")
        valid = self.folder / "valid"
        valid.mkdir()
        self.kind.make(valid)
        files = (path for path in sorted(valid.rglob("*")) if path.is_file())
        self.sample = {path.relative_to(valid).as_posix(): path.read_bytes() for path in files}
        shutil.rmtree(valid)
        self.before = snapshot(self.watched, links=True)

    def mutated(self, random: Random) -> dict[str, bytes]:
        """Return the sample with one file mutated."""
        name = random.choice(sorted(self.kind.files))
        form = self.kind.files[name]
        return {**self.sample, name: form(self.sample[name], Hostile(random, self.watched))}

    def try_files(self, files: Mapping[str, bytes]) -> Outcome:
        """Write the files, read them as the product does, and judge what comes of it."""
        place = self.folder / "case"
        self._write(place, files)
        outcome = Outcome()
        peak, wall, cpu = _peak(), time.monotonic(), time.process_time()
        try:
            with limited(self.seconds, clock=self.clock), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.kind.read(place)
            outcome.answer = "read"
        except ISICGUIError as error:
            self._judge_error(error, outcome)
        except (Exception, Endless) as error:  # noqa: BLE001  any other type is what is looked for
            outcome.fault, outcome.trace = f"{type(error).__name__}: {error}"[:300], traceback.format_exc()
        outcome.wall, outcome.cpu = time.monotonic() - wall, time.process_time() - cpu
        outcome.memory = _peak() - peak
        self._judge_effects(outcome)
        return outcome

    def _judge_error(self, error: ISICGUIError, outcome: Outcome) -> None:
        outcome.answer = error.kind
        trace = traceback.format_exc()
        if not self.kind.refuses:
            outcome.fault, outcome.trace = f"refused: {error}"[:300], trace
        elif not (error.message and error.remedy):
            outcome.fault, outcome.trace = f"no words or no remedy: {error!r}", trace
        with suppress(UnicodeEncodeError):
            str(error).encode()
            return
        outcome.fault, outcome.trace = "the error cannot be printed: a lone surrogate in it", trace

    def _judge_effects(self, outcome: Outcome) -> None:
        found = changes(self.before, snapshot(self.watched, links=True))
        if found:
            outcome.fault = "outside: " + "; ".join(found)[:500]
            shutil.rmtree(self.watched)
            self.before = snapshot(make_sentinel(self.watched), links=True)
        if not outcome.fault and outcome.memory > MEMORY:
            outcome.fault = f"the peak of memory rose by {outcome.memory / 1e6:.0f} MB"

    @staticmethod
    def _write(place: Path, files: Mapping[str, bytes]) -> None:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        for name, data in files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


@contextmanager
def limited(seconds: float, *, clock: bool):
    """Raise `Endless` after so many seconds of processor time.

    With `clock`, twelve times as many of real time are the limit of waiting, those not counted in which other programs
    had the processor; pytest has a clock of its own for that.
    """
    if not hasattr(signal, "setitimer"):
        yield
        return
    began = _rested()

    def ring(number: int, _frame: object) -> None:
        if number == signal.SIGALRM and (left := 12 * seconds - (_rested() - began)) > 0:
            signal.setitimer(signal.ITIMER_REAL, left)
            return
        raise Endless("busy" if number == signal.SIGPROF else "waiting")

    timers = [(signal.ITIMER_PROF, signal.SIGPROF, seconds)]
    timers += [(signal.ITIMER_REAL, signal.SIGALRM, 12 * seconds)] if clock else []
    before = [signal.signal(number, ring) for _, number, _ in timers]
    for timer, _, limit in timers:
        signal.setitimer(timer, limit)
    try:
        yield
    finally:
        for (timer, number, _), handler in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


def _rested() -> float:
    """Return the seconds of a clock that stands still while this thread waits for the processor."""
    try:
        queued = int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):  # another system, which does not tell
        queued = 0.0
    return time.monotonic() - queued


def _peak() -> int:
    if os.name == "nt":
        return 0
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def random_of(kind: str, seed: int, number: int) -> Random:
    """Return the source of one case of the tool."""
    return Random(f"{seed} {kind} {number}")
