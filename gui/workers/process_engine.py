"""The engine in a worker of its own, so that importing torch, computing and even crashing never touch the window.

Why a process: importing torch holds the interpreter's lock for stretches of up to half a second, in which a window
that shares it stands still; see
docs/adr/0003-the-window-keeps-its-engine-in-a-process.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from core.cancel import CancelToken
from core.events import Event
from core.generation import GenerationRequest, RunChanges
from core.generator.cost import RunEstimate
from core.jobs.client import JobClient
from core.jobs.worker import CANCEL
from gui.workers.engine import DeviceMemory, Engine, EngineInfo, MadeAgain
from xai.explanation import ExplainOptions, Explanation, Style

_ANSWER: Final = "gui.workers.process_engine:answer"

_engines: Final[list[Engine]] = []
"""In the worker's process: the one engine that answers."""


def host(make_engine: Callable[[], Engine]) -> None:
    """Make the engine of this process; called once, in the worker."""
    _engines.append(make_engine())


def answer(method: str, threads: int, *arguments: Any) -> Any:
    """Call a method of the engine of this process; called in the worker, in a thread of its own."""
    (engine,) = _engines
    engine.use_threads(threads)
    return getattr(engine, method)(*arguments)


class ProcessEngine:
    """Implements `Engine` by asking a worker, which is started by the first call and again after a crash.

    Parameters
    ----------
    make_engine
        Makes the engine inside that process; must be importable by name.
    """

    def __init__(self, make_engine: Callable[[], Engine]) -> None:
        self._client = JobClient("isicgui-engine", prepare=partial(host, make_engine))
        self._threads = 0
        self._loaded: int | None = None

    @property
    def pid(self) -> int | None:
        """The process id, while there is a process."""
        return self._client.pid

    def warm_up(self) -> EngineInfo:
        """Start the process and load the libraries in it."""
        info: EngineInfo = self._call("warm_up")
        self._loaded = self.pid
        return info

    def use_threads(self, count: int) -> None:
        """Compute with so many threads from the next call on, in this process and in one that takes its place."""
        self._threads = count

    def memory(self) -> tuple[DeviceMemory, ...]:
        """Look up the memory of every device."""
        devices: tuple[DeviceMemory, ...] = self._call("memory")
        return devices

    def estimate_run(self, request: GenerationRequest) -> RunEstimate:
        """Say what a request will come to."""
        estimate: RunEstimate = self._call("estimate_run", request)
        return estimate

    def time_step(self, request: GenerationRequest) -> float:
        """Try out how long one step of one image takes."""
        seconds: float = self._call("time_step", request)
        return seconds

    def generate(self, request: GenerationRequest, cancel: CancelToken) -> Iterator[Event]:
        """Carry out a request."""
        yield from self._stream("generate", request, CANCEL, cancel=cancel)

    def resume(self, output: Path, changes: RunChanges, cancel: CancelToken) -> Iterator[Event]:
        """Finish the interrupted runs of a folder."""
        yield from self._stream("resume", output, changes, CANCEL, cancel=cancel)

    def explain(
        self, image: Path, options: ExplainOptions, label: str | None, cancel: CancelToken
    ) -> Iterator[Explanation]:
        """Explain one image, method after method."""
        yield from self._stream("explain", image, options, label, CANCEL, cancel=cancel)

    def explain_to_disk(self, image: Path, options: ExplainOptions) -> Path:
        """Explain one image and keep the overlay."""
        saved: Path = self._call("explain_to_disk", image, options)
        return saved

    def compare(self, explanations: tuple[Explanation, ...]) -> list[dict[str, Any]]:
        """Say how far the maps of one picture agree."""
        table: list[dict[str, Any]] = self._call("compare", explanations)
        return table

    def keep(self, explanations: tuple[Explanation, ...], image: Path, folder: Path | None, style: Style) -> Path:
        """Write explanations to a folder."""
        page: Path = self._call("keep", explanations, image, folder, style)
        return page

    def make_again(self, image: Path, models: Path | None) -> MadeAgain:
        """Make an image again from the recipe inside it."""
        made: MadeAgain = self._call("make_again", image, models)
        return made

    def close(self) -> None:
        """Say goodbye to the process; one that does not leave within a few seconds is ended."""
        self._client.close()

    def _call(self, method: str, *arguments: Any) -> Any:
        return self._client.call(_ANSWER, method, self._threads, *arguments)

    def _stream(self, method: str, *arguments: Any, cancel: CancelToken) -> Iterator[Any]:
        """Follow a stream; a stop does not wait for libraries that are still being loaded.

        The load goes on, since whoever stops one thing begins another. What was asked for finds itself stopped then.
        """
        stream = self._client.stream(
            _ANSWER, method, self._threads, *arguments, cancel=cancel, can_be_left=lambda: not self._is_loaded
        )
        for item in stream:
            self._loaded = self.pid
            yield item

    @property
    def _is_loaded(self) -> bool:
        """Whether the process that there is now has its libraries."""
        return self._loaded is not None and self._loaded == self.pid
