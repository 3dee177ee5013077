"""The base of all requests, frozen and complete, and which function carries out which: found when it is needed.

Naming a job imports no library.
"""

from __future__ import annotations

import dataclasses
import importlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

from core.cancel import CancelToken
from core.events import Event
from core.jobs.options import arguments_of


class Request:
    """Base of all requests; a subclass is a frozen dataclass whose fields are declared by `core.jobs.options.option`.

    Nothing further down reads settings, environment or widgets: what a job needs to know stands in its request.

    Attributes
    ----------
    command
        Words of the command line, such as ``("train", "diffusion")``.
    """

    __slots__ = ()
    command: ClassVar[tuple[str, ...]]

    def arguments(self) -> list[str]:
        """Return the words behind `python main.py` that ask for exactly this."""
        return [*self.command, *arguments_of(self)]

    def to_json(self) -> dict[str, Any]:
        """Return the request as plain JSON types, paths in full."""
        assert dataclasses.is_dataclass(self)
        return {one.name: _plain(getattr(self, one.name)) for one in dataclasses.fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value.absolute())
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    return value


Run = Callable[[Any, CancelToken], Iterator[Event]]
R = TypeVar("R", bound=type[Request])


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of job.

    Attributes
    ----------
    key
        Its name: the words of its command, joined by blanks.
    request
        The class of its requests.
    run
        ``module:function`` of what carries it out; takes a request and a `CancelToken`, yields events.
    pauses
        Whether it can be paused.
    """

    key: str
    request: type[Request]
    run: str
    pauses: bool = False


_JOBS: Final[dict[type[Request], Job]] = {}
_IMPORTING: Final = threading.Lock()


def job(run: str, *, pauses: bool = False) -> Callable[[R], R]:
    """Declare, as a decorator of a request class, which function carries it out."""

    def declare(request: R) -> R:
        _JOBS[request] = Job(" ".join(request.command), request, run, pauses)
        return request

    return declare


def known_jobs() -> Mapping[type[Request], Job]:
    """Return the jobs whose requests have been imported."""
    return dict(_JOBS)


def job_of(request: Request) -> Job:
    """Return the kind of job that a request asks for."""
    return _JOBS[type(request)]


def run(request: Request, cancel: CancelToken | None = None) -> Iterator[Event]:
    """Carry out a request and yield what it tells; the last event is its end.

    Parameters
    ----------
    cancel
        Asks it to stop or to pause.

    Raises
    ------
    ISICGUIError
        If it cannot be carried out.
    """
    function: Run = resolve(job_of(request).run)
    yield from function(request, cancel or CancelToken())


def resolve(name: str) -> Any:
    """Import what ``module:function`` names, one thread at a time: two that import torch at once see it half made."""
    module, _, function = name.partition(":")
    with _IMPORTING:
        return getattr(importlib.import_module(module), function)
