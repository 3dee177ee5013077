"""A command line of this program as a process beside the window: its events as they come, its end, and its stop."""

from __future__ import annotations

import json
import re
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PyQt5.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, pyqtSignal

from core import wire
from core.errors import ISICGUIError
from core.utils.leash import STOP, VARIABLE

MAIN: Final = Path(__file__).resolve().parents[2] / "main.py"

GRACE_MS: Final = 20_000
"""Time from a polite stop to the end by force: enough for one denoising step on a slow machine, and for writing."""

KILLED: Final = 137
"""Exit code told for a process that was ended from outside or crashed; the number is what shells say."""

NOT_STARTED: Final = 127
TAIL_LINES: Final = 200
LINES_AT_ONCE: Final = 200
"""Lines taken in before the GUI thread gets its turn again."""

LONGEST_LINE: Final = 1_000_000
LONGEST_WORDS: Final = 2000
_ANSI: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How a command ended.

    Attributes
    ----------
    exit_code
        The command's own: 0 done, 130 interrupted with everything finished kept; `KILLED` if it was ended by force.
    cancelled
        Whether it was stopped from here before it was done.
    log_tail
        The last lines that it wrote for people.
    error
        The error the command told of, if it did.
    """

    exit_code: int
    cancelled: bool
    log_tail: str
    error: ISICGUIError | None = None


class CommandJob(QObject):
    """Runs ``main.py`` with some arguments and ``--json``, once.

    The command ends when this window asks it to or is gone (see `core.utils.leash`).

    Parameters
    ----------
    script
        What is run; tests run other things than ``main.py``.
    grace_ms
        Time from `stop` to the end by force.

    Signals
    -------
    told
        One object of the command's JSON lines; carries a dict with the key ``event``. (A signal cannot be called
        `event`: that is how Qt delivers events to an object.)
    said
        A line that the command wrote for people.
    ended
        The process has ended and everything it said has been told; carries a `JobEnd`. Comes once.
    """

    told = pyqtSignal(dict)
    said = pyqtSignal(str)
    ended = pyqtSignal(object)

    def __init__(
        self,
        arguments: Sequence[str],
        parent: QObject | None = None,
        *,
        script: Path = MAIN,
        grace_ms: int = GRACE_MS,
    ) -> None:
        super().__init__(parent)
        self.arguments = tuple(arguments)
        self._grace_ms = grace_ms
        self._stopping = False
        self._exit_code: int | None = None
        self._error: ISICGUIError | None = None
        self._lines = _Lines()
        self._words = _Lines()
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._process = self._make_process(script)
        self._grace = QTimer(self)
        self._grace.setSingleShot(True)
        self._grace.timeout.connect(self._end_by_force)
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.timeout.connect(self._take_turn)

    @property
    def running(self) -> bool:
        """Whether `start` was called and `ended` has not come."""
        return self._process.state() != QProcess.ProcessState.NotRunning or self._exit_code is not None

    @property
    def tail(self) -> str:
        """The last lines written for people."""
        return "\n".join(self._tail)

    @property
    def pid(self) -> int:
        """The process id; 0 when there is no process."""
        return int(self._process.processId())

    def start(self) -> None:
        """Start the process; what comes of it is told by signals."""
        self._process.start()

    def stop(self, grace_ms: int | None = None) -> None:
        """Ask the command to keep what is finished and end; one that does not is ended by force after a while.

        Parameters
        ----------
        grace_ms
            That while; the job's own if None. A second call can only shorten it.
        """
        if not self.running:
            return
        wait = self._grace_ms if grace_ms is None else grace_ms
        if not self._grace.isActive() or wait < self._grace.remainingTime():
            self._grace.start(wait)
        if not self._stopping:
            self._stopping = True
            self._process.write(STOP)

    def leave(self, grace_ms: int) -> None:
        """Stop, and do not return before the process has ended: for a window that is gone already.

        Parameters
        ----------
        grace_ms
            After that the process is ended by force.
        """
        self.stop(grace_ms)
        if not self._process.waitForFinished(grace_ms):
            self._process.kill()
            self._process.waitForFinished(grace_ms)

    def _make_process(self, script: Path) -> QProcess:
        process = QProcess(self)
        process.setProgram(sys.executable)
        process.setArguments([str(script), *self.arguments, "--json"])
        process.setProcessEnvironment(_environment())
        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._read_words)
        process.finished.connect(self._finished)
        process.errorOccurred.connect(self._not_started)
        return process

    def _end_by_force(self) -> None:
        if self._process.state() != QProcess.ProcessState.NotRunning:
            self._process.kill()

    def _read(self) -> None:
        self._lines.add(bytes(self._process.readAllStandardOutput()))
        if not self._turn.isActive():
            self._take_turn()

    def _read_words(self) -> None:
        self._words.add(bytes(self._process.readAllStandardError()))
        for line in self._words.take(TAIL_LINES):
            self._say(line)

    def _take_turn(self) -> None:
        """Take in some lines, and the rest when everything else in the window has had its turn."""
        for line in self._lines.take(LINES_AT_ONCE):
            self._understand(line)
        if self._lines.has_line:
            self._turn.start(0)
        elif self._exit_code is not None:
            self._tell_end(self._exit_code)

    def _understand(self, line: bytes) -> None:
        event = _parse(line)
        if event is None:
            self._say(line)
            return
        if event["event"] == "error":
            self._error = _error_of(event)
        self.told.emit(event)

    def _say(self, line: bytes) -> None:
        text = _ANSI.sub("", line[:LONGEST_WORDS].decode("utf-8", "replace")).rstrip()
        if text:
            self._tail.append(text)
            self.said.emit(text)

    def _finished(self, exit_code: int, status: QProcess.ExitStatus) -> None:
        self._read_words()
        self._lines.add(bytes(self._process.readAllStandardOutput()))
        self._lines.close()
        for line in self._words.close().take(TAIL_LINES):
            self._say(line)
        self._exit_code = exit_code if status == QProcess.ExitStatus.NormalExit else KILLED
        if not self._turn.isActive():
            self._take_turn()

    def _not_started(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._tail.append(self._process.errorString())
            self._tell_end(NOT_STARTED)

    def _tell_end(self, exit_code: int) -> None:
        self._exit_code = None
        cancelled = self._stopping and exit_code != 0
        self.ended.emit(JobEnd(exit_code, cancelled, self.tail, self._error))


class _Lines:
    """Bytes that arrive in any pieces, as whole lines."""

    def __init__(self) -> None:
        self._whole: deque[bytes] = deque()
        self._rest = b""

    @property
    def has_line(self) -> bool:
        """Whether there is a line to take."""
        return bool(self._whole)

    def add(self, piece: bytes) -> None:
        """Take in what has arrived; a line beyond all measure is cut, which makes it no event."""
        *whole, rest = (self._rest + piece).replace(b"\r", b"\n").split(b"\n")
        self._whole.extend(line for line in whole if line)
        self._rest = rest[:LONGEST_LINE]

    def close(self) -> _Lines:
        """Nothing more comes: what is left is a line, too."""
        self.add(b"\n")
        return self

    def take(self, most: int) -> list[bytes]:
        """Return and forget up to `most` lines, in order."""
        return [self._whole.popleft() for _ in range(min(most, len(self._whole)))]


def _environment() -> QProcessEnvironment:
    environment = QProcessEnvironment.systemEnvironment()
    for name, value in (
        ("PYTHONUTF8", "1"),
        ("PYTHONIOENCODING", "utf-8"),
        ("PYTHONUNBUFFERED", "1"),
        ("MPLBACKEND", "Agg"),
        (VARIABLE, "stdin"),
        (wire.VARIABLE, "1"),
    ):
        environment.insert(name, value)
    return environment


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    is_event = isinstance(event, dict) and isinstance(event.get("event"), str)
    return wire.with_messages(event) if is_event else None


def _error_of(event: dict[str, Any]) -> ISICGUIError:
    error = ISICGUIError(_sentence(event.get("message")), remedy=_sentence(event.get("remedy")))
    error.kind = str(event.get("kind", "error"))  # type: ignore[misc]  # per instance: the class is not known here
    return error


def _sentence(value: object) -> str:
    """Return a sentence as it came: a message stays one."""
    return value if isinstance(value, str) else ""
