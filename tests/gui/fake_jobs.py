"""Jobs that play a script: the window's worker process carries out whatever request it gets by reading a JSON file.

    model.make_client = fake_client        # a `JobClient` whose process is prepared by `install`

The script is the file that FAKE_TRAINING names, a list of lines:

====================================  ==================================================================================
``{"event": NAME, ...}``              the event of that name of the job's own, or of `core.events`; fields that are left
                                      out are empty, and one that does not exist is a mistake of the test. ``OUTPUT`` in
                                      a text is the request's folder; a sentence may be ``as_json(Message(...))``
``{"event": "error", "kind": K,       the job is refused in these words when the next line says ``{"exit": N}``, with
"message": M, "remedy": R}``          that exit code
``{"wait": FILE}``                    until that file is there, or the job is stopped
``{"exit": N}``                       the end: 0 as usual; any other without an error before is the end of the process
``{"die": N}``                        the process gets signal N, as from a system that is short of memory
====================================  ==================================================================================

A stop ends it as the job says it: by its own event ``stopped``, or ``finished`` with the status ``stopped``, or by
`JobStopped`. What was asked for lies in the request's folder as ``arguments.json``; a training's folder looks like one
(`tests.gui.fake_runs`).
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import json
import os
import sys
import time
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import core.events
from core.cancel import CancelToken
from core.errors import ISICGUIError
from core.events import Event
from core.jobs import registry
from core.jobs.client import JobClient
from core.jobs.registry import Request
from core.jobs.stream import JobStopped
from core.message import Message
from tests.gui.fake_runs import FakeRun

SCRIPT = "FAKE_TRAINING"


def fake_client() -> JobClient:
    """Return a client whose jobs play the script."""
    return JobClient(prepare=install)


def install() -> None:
    """Declare, in this process, that every job is carried out by `play`."""
    known = registry.job_of
    registry.job_of = lambda request: dataclasses.replace(known(request), run=f"{__name__}:play")


def as_json(message: str) -> Any:
    """Return a sentence in a form that a script can hold and that is a `Message` again for the window."""
    if not isinstance(message, Message):
        return message
    return {"template": message.template, "values": {key: as_json(value) for key, value in message.values.items()}}


def play(request: Request, cancel: CancelToken) -> Iterator[Event]:
    """Carry out the script instead of the job."""
    output: Path | None = getattr(request, "output", None)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        (output / "arguments.json").write_text(json.dumps(request.arguments()), encoding="utf-8")
    run = FakeRun.of(request)
    error: ISICGUIError | None = None
    for line in _script(output):
        if "wait" in line:
            _wait(Path(line["wait"]), cancel)
        if cancel.mode is not None:
            run.keep()
            yield from _stopped(request, output)
            return
        if "die" in line:
            os.kill(os.getpid(), line["die"])
        elif "exit" in line:
            _end(line["exit"], error)
            return
        elif line.get("event") == "error":
            error = _error(line)
        elif "event" in line:
            event = _event(request, line, output)
            run.log(event)
            yield event


def _script(output: Path | None) -> list[dict[str, Any]]:
    text = Path(os.environ[SCRIPT]).read_text(encoding="utf-8")
    lines: list[dict[str, Any]] = json.loads(text if output is None else text.replace("OUTPUT", output.as_posix()))
    return lines


def _wait(gate: Path, cancel: CancelToken) -> None:
    while not gate.exists() and cancel.mode is None:
        time.sleep(0.01)


def _stopped(request: Request, output: Path | None) -> Iterator[Event]:
    known = _events(request)
    if "stopped" in known:
        yield _event(request, {"event": "stopped"}, output)
        return
    if "status" not in {field.name for field in dataclasses.fields(known["finished"])}:
        raise JobStopped
    yield _event(request, {"event": "finished", "status": "stopped"}, output)


def _end(exit_code: int, error: ISICGUIError | None) -> None:
    if error is not None:
        error.exit_code = exit_code  # type: ignore[misc]  # per instance
        raise error
    if exit_code:
        os._exit(exit_code)


def _error(line: Mapping[str, Any]) -> ISICGUIError:
    error = ISICGUIError(_value(str, line["message"]), remedy=_value(str, line.get("remedy", "")))
    error.kind = line["kind"]  # type: ignore[misc]  # per instance
    return error


def _events(request: Request) -> dict[str, type[Event]]:
    """Return the events that a job may tell, by name: those beside its request hide the common ones."""
    found: dict[str, type[Event]] = {}
    beside = sys.modules[type(request).__module__]
    own = f"{beside.__package__}.events"
    others = [importlib.import_module(own)] if importlib.util.find_spec(own) else []
    for module in (core.events, beside, *others):
        for one in vars(module).values():
            if isinstance(one, type) and issubclass(one, Event):
                found[one.name] = one
    return found


def _event(request: Request, line: Mapping[str, Any], output: Path | None) -> Event:
    kind = _events(request)[line["event"]]
    hints = get_type_hints(kind)
    told = {"class_code" if key == "class" else key: value for key, value in line.items() if key != "event"}
    values = {name: _value(hints.get(name, object), value) for name, value in told.items()}
    for field in dataclasses.fields(kind):
        is_needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if is_needed and field.name not in values:
            values[field.name] = _empty(hints[field.name], output)
    return kind(**values)


def _value(hint: Any, value: Any) -> Any:
    """Return a value of the script as the event has it."""
    if isinstance(value, dict) and set(value) == {"template", "values"}:
        return Message(value["template"], **{key: _value(str, part) for key, part in value["values"].items()})
    if isinstance(value, list) and get_origin(hint) is tuple:
        return tuple(_value(get_args(hint)[0], item) for item in value)
    is_path = hint is Path or Path in get_args(hint)
    return Path(value) if is_path and isinstance(value, str) else value


def _empty(hint: Any, output: Path | None) -> Any:
    """Return what stands for nothing in a field of a type."""
    if NoneType in get_args(hint):
        return None
    origin = get_origin(hint) or hint
    if origin is Path:
        return output or Path()
    return get_args(hint)[0] if origin is typing.Literal else origin()
