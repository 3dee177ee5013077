"""A command's flags from the fields of its request, and the one way to follow a job.

Types of parameters and options that several commands share stand here too, and the bars that show how far a job is."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, Field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeVar

import click
from tqdm import tqdm

from cli.console import EXIT_INTERRUPTED, Console, stop_on_signal
from core.errors import InputRefusedError, ISICGUIError, OutputError
from core.events import Event, Failed, ImageDone, Loading, Notice, Progress, Started, Step
from core.files.opening import special_kind
from core.generation import PRECISIONS
from core.jobs.options import Option, options_of
from core.jobs.registry import Request, run
from core.jobs.stream import JobStopped
from core.registry import Registry
from core.samplers import DEFAULT_SAMPLER, SAMPLERS


class CommandGroup(click.Group):
    """Lists its commands in the order in which a newcomer meets them, not by the alphabet."""

    def __init__(self, *words: object, **details: object) -> None:
        super().__init__(*words, **details)  # type: ignore[arg-type]  # what click takes
        self._aliases: dict[str, str] = {}

    def add_alias(self, alias: str, name: str) -> None:
        """Let a command be called by another name too; the help lists it once, under its own."""
        self._aliases[alias] = name

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name or alias."""
        return super().get_command(ctx, self._aliases.get(cmd_name, cmd_name))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which the commands were added."""
        return list(self.commands)


_ABSENT: Final = frozenset({errno.ENOENT, errno.ENOTDIR})


class GivenPath(click.Path):
    """A path that leads to a file, to a folder or to nothing yet.

    Pipes, sockets and devices are refused here, so that no command ever waits for one; so are paths that the system
    cannot follow. Whether it is the file or folder that is needed, the engine says, with the exit code that fits.

    Parameters
    ----------
    name
        For the help.
    dir_okay
        Whether it may be a folder.
    error
        What is raised: that of an input, or that of a place for an output.
    """

    def __init__(
        self, name: str = "path", error: type[ISICGUIError] = InputRefusedError, *, dir_okay: bool = True
    ) -> None:
        super().__init__(path_type=Path, dir_okay=dir_okay)
        self.name = name
        self._error = error

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if kind := special_kind(path):
            raise self._error(
                f"'{path}' is {kind}, neither a file nor a folder.", remedy="Name a file or a folder.", path=path
            )
        self._require_reachable(path)
        return path

    def _require_reachable(self, path: Path) -> None:
        try:
            os.stat(path)
        except OSError as error:
            if error.errno not in _ABSENT:
                raise self._error(
                    f"'{path}' cannot be reached: {error.strerror}.", remedy="Check the path.", path=path
                ) from error


ANY_PATH = GivenPath()
FOLDER = GivenPath("directory")
OUTPUT_FOLDER = GivenPath("directory", OutputError)
FILE = GivenPath("file", dir_okay=False)
OUTPUT_FILE = GivenPath("file", OutputError, dir_okay=False)

json_option = click.option("--json", "json_mode", is_flag=True, help="Print events as JSON lines on standard output.")
device_option = click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
models_option = click.option(
    "--models", type=FOLDER, help="Folder of models: checkpoints or diffusers folders [default: the starter models]."
)
guidance_option = click.option(
    "--guidance",
    type=float,
    help="Classifier-free guidance: 1 = none, 0 = without the class [default: the model's own].",
)
precision_option = click.option(
    "--precision", type=click.Choice(PRECISIONS), default="auto", show_default=True, help="Numeric precision."
)
no_color_option = click.option("--no-color", is_flag=True, help="Disable colour correction.")
classifier_option = click.option("--classifier", type=ANY_PATH, help="Classifier file or folder [default: starter].")
inputs_argument = click.argument("inputs", nargs=-1, required=True, type=ANY_PATH, metavar="IMAGE|FOLDER...")


class RegistryChoice(click.Choice):
    """One of the keys of a registry, those added later included."""

    def __init__(self, registry: Registry[Any]) -> None:
        self._registry = registry
        self.case_sensitive = True

    @property
    def choices(self) -> tuple[str, ...]:  # type: ignore[override]  # an attribute there
        """The keys."""
        return tuple(self._registry)


sampler_option = click.option(
    "--sampler",
    type=RegistryChoice(SAMPLERS),
    default=DEFAULT_SAMPLER,
    show_default=True,
    help="Denoising method.",
)


F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R", bound=Request)
Words = Mapping[type[Event], Callable[[Any], Iterable[str] | str]]
"""What people are told about an event, by its class: lines on standard error, the result on standard output."""

_NUMBERS: Final[Mapping[str, type]] = {"whole": int, "number": float}
_PATHS: Final[Mapping[str, GivenPath]] = {"file": FILE, "folder": FOLDER, "path": ANY_PATH}
"""Pipes and devices are refused while the command line is read; whether it is what is needed, the job says."""


class _Read(click.ParamType):
    """A value that the request's own function reads."""

    def __init__(self, how: Option) -> None:
        self.name = how.metavar or "text"
        self._how = how

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value; what is none is refused by the function, in words."""
        return self._how.read(value) if isinstance(value, str) and self._how.read else value


class _Range(click.IntRange):
    """A whole number within limits, which are told in words."""

    def __init__(self, how: Option) -> None:
        super().__init__(
            min=None if how.low is None else round(how.low), max=None if how.high is None else round(how.high)
        )

    def _describe_range(self) -> str:
        return f"from {self.min}" if self.max is None else f"from {self.min} to {self.max}"


class _Option(click.Option):
    """A flag whose help names the choices that there are when it is asked for, those added later included."""

    def __init__(self, *words: Any, how: Option, **details: Any) -> None:
        super().__init__(*words, **details)
        self._how = how

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the flag and its help."""
        hint = self._how.hint.replace("{choices}", ", ".join(self._how.known_choices()))
        words = self._how.default_words
        self.help = f"{hint.rstrip('.')} [default: {words}]." if words else hint
        return super().get_help_record(ctx)


def request_options(request: type[Request]) -> Callable[[F], F]:
    """Give a command the flags and arguments that the fields of `request` declare, in their order."""

    def decorate(function: F) -> F:
        for one, how in reversed(list(options_of(request))):
            function = _parameter(one, how)(function)
        return function

    return decorate


def request_of(request: type[R], values: Mapping[str, Any]) -> R:
    """Return the request that parsed flags stand for."""
    missing = {
        one.name: how.fallback() for one, how in options_of(request) if how.fallback and values[one.name] is None
    }
    return request(**{**values, **missing})


def _parameter(one: Field[Any], how: Option) -> Callable[[F], F]:
    required = one.default is MISSING and one.default_factory is MISSING and how.fallback is None
    kind = _kind(how)
    if not how.flag:
        count = -1 if how.many else 1
        metavar = how.metavar or None
        return click.argument(one.name, nargs=count, required=required, type=kind, metavar=metavar)
    if how.kind == "switch":
        return click.option(how.flag, one.name, flag_value=not how.opposite, default=how.opposite, help=how.hint,
                            hidden=how.hidden, type=bool, is_flag=True)  # fmt: skip
    default: Any = None if required or how.fallback else _shown_default(one, how)
    given = {} if required else {"default": default}  # a default of None is one: click would require nothing
    return click.option(
        how.flag, *how.aliases, one.name, type=kind, required=required, multiple=how.many, **given,
        hidden=how.hidden,
        cls=_Option, how=how,
        show_default=default not in (None, (), "") and not how.default_words, metavar=how.metavar or None,
    )  # fmt: skip


def _kind(how: Option) -> Any:
    if how.read is not None:
        return _Read(how)
    if how.kind in _PATHS:
        return OUTPUT_FOLDER if how.is_written else _PATHS[how.kind]
    if isinstance(how.choices, Registry):
        return RegistryChoice(how.choices)
    if how.kind == "choice":
        return click.Choice(list(how.known_choices()))
    if how.kind == "whole" and how.low is not None:
        return _Range(how)
    return _NUMBERS.get(how.kind, str)


def _shown_default(one: Field[Any], how: Option) -> Any:
    value = one.default_factory() if one.default_factory is not MISSING else one.default
    return how.write(value) if how.read is not None and value is not None else value


def carry_out(
    request: Request,
    console: Console,
    words: Words,
    *,
    results: Collection[type[Event]] = (),
    stopped: str = "Stopped.",
    bar: JobBar | None = None,
) -> int:
    """Run a job, show how far it is, print its events, and return the exit code.

    Parameters
    ----------
    words
        What people are told about its events. Notices and failures are told always.
    results
        Events whose words go to standard output, as those of the end do.
    stopped
        Said when the job ended because it was asked to, without an event that says so.
    bar
        Shows how far it is, where that is not told by `Progress`.
    """
    with stop_on_signal() as cancel:
        try:
            return follow(run(request, cancel), console, words, results, bar)
        except JobStopped:
            console.warn(stopped)
            return EXIT_INTERRUPTED


def follow(
    events: Iterator[Event],
    console: Console,
    words: Words,
    results: Collection[type[Event]] = (),
    bar: JobBar | None = None,
) -> int:
    """Show a stream of events; see `carry_out`."""
    code = 0
    with bar or JobBar() as bar:
        for event in events:
            console.event(event)
            with bar.showing(event):
                code = max(code, _tell(event, console, words, results))
    return code


def _tell(event: Event, console: Console, words: Words, results: Collection[type[Event]]) -> int:
    if isinstance(event, Notice):
        console.warn(f"Note: {event.message}")
    elif isinstance(event, Failed):
        console.warn(f"{event.class_code}: {event.message} {event.remedy}".removeprefix(": "))
    elif type(event) in words:
        lines = words[type(event)](event)
        say = console.say if event.ends or type(event) in results else console.warn
        for line in [lines] if isinstance(lines, str) else lines:
            say(line)
    return event.exit_code


class JobBar:
    """How far a job is, on standard error; silent where nobody watches."""

    def __init__(self) -> None:
        self.bar: Any = None

    def __enter__(self) -> JobBar:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    @contextmanager
    def showing(self, event: Event) -> Iterator[None]:
        """Let the bar follow an event, and make room for what is written about it."""
        self.take(event)
        with tqdm.external_write_mode(file=sys.stderr):
            yield

    def take(self, event: Event) -> None:
        """Let the bar follow an event."""
        if isinstance(event, Progress):
            if self.bar is None:
                self.open(total=100, unit="%", leave=False)
            self.bar.set_description_str(event.sentence, refresh=False)
            self.bar.update(round(100 * event.fraction) - self.bar.n)
        elif event.ends:
            self.close()

    def open(self, **details: Any) -> None:
        """Begin a new bar."""
        self.close()
        self.bar = tqdm(disable=None, dynamic_ncols=True, file=sys.stderr, **details)

    def close(self) -> None:
        """End the bar."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None


class ImageBar(JobBar):
    """Counts images; silent where nobody watches."""

    def take(self, event: Event) -> None:
        """Let the bar follow an event."""
        if isinstance(event, Started):
            self.open(total=event.total, unit="image")
        elif self.bar is not None:
            self._describe(event)

    def _describe(self, event: Event) -> None:
        if isinstance(event, Loading):
            self.bar.set_description_str(f"{event.class_code} loading model")
        elif isinstance(event, Step):
            self.bar.set_description_str(f"{event.class_code} step {event.step}/{event.steps}")
        elif isinstance(event, ImageDone):
            self.bar.update(event.done - self.bar.n)
        elif event.ends:
            self.close()


class TrainingBar(JobBar):
    """Counts the images of one network after the other.

    Parameters
    ----------
    started, step, finished
        The events of a training that begin the bar, move it and end it; it ends with the job in any case.
    """

    def __init__(self, started: type[Any], step: type[Any], finished: type[Any] | None = None) -> None:
        super().__init__()
        self._started, self._step, self._finished = started, step, finished

    def take(self, event: Any) -> None:
        """Let the bar follow an event."""
        if isinstance(event, self._started):
            name = getattr(event, "class_code", "") or None
            self.open(total=event.total, initial=event.images, desc=name, unit="image", mininterval=0.5)
        elif isinstance(event, self._step) and self.bar is not None:
            self.bar.set_postfix_str(f"loss {event.loss:.4f}", refresh=False)
            self.bar.update(event.images - self.bar.n)
        elif event.ends or (self._finished is not None and isinstance(event, self._finished)):
            self.close()
