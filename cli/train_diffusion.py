"""`train diffusion`: settings from preset, file and flags; progress in images; how to use the model at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from cli.console import Console
from cli.options import ANY_PATH, OUTPUT_FOLDER, json_option
from cli.signals import EXIT_INTERRUPTED
from core.errors import UsageError
from core.events import Event, Notice
from diffusion.events import (
    DataRead,
    Evaluated,
    MemorisationJudged,
    TrainingFinished,
    TrainingStarted,
    TrainingStep,
)
from diffusion.presets import PRESETS, one_network_a_class

if TYPE_CHECKING:
    from diffusion.run import RunRequest


@click.command(name="diffusion", short_help="Train a generator.")
@click.option("--data", type=ANY_PATH, help="Photographs: a folder, or a CSV; with --resume those of the run.")
@click.option("--output", type=OUTPUT_FOLDER, help="Folder of the run [default: runs/NAME_DATE_TIME].")
@click.option("--config", "file", type=ANY_PATH, help="Settings as TOML or JSON; only what differs from the defaults.")
@click.option("--preset", type=click.Choice(list(PRESETS)), help="Starting point; file and flags win over it.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Any other setting; can be repeated.")
@click.option("--images", type=int, help="Training images to process, repetitions included.")
@click.option("--max-minutes", type=float, help="Time limit; the learning rate ends with it.")
@click.option("--batch-size", type=int, help="Images of one step, over all processes.")
@click.option("--learning-rate", type=float, help="Highest learning rate.")
@click.option("--image-size", type=int, help="Side of the images in pixels.")
@click.option("--seed", type=int, help="Of the weights and of every draw.")
@click.option("--device", help="auto, cpu, cuda or cuda:N.")
@click.option("--precision", metavar="auto|fp32|bf16", help="Number format.")
@click.option("--classes", metavar="MEL,NV,...", help="Classes to learn [default: all seven].")
@click.option("--per-class", is_flag=True, help="One network a class, in the predecessor's architecture.")
@click.option("--tracker", help="tensorboard, wandb or none.")
@click.option("--init-from", type=ANY_PATH, help="Begin with the weights of a model pack, checkpoint or last.pt.")
@click.option("--allow-leakage", is_flag=True, help="Go on although held-out lesions are also in training.")
@click.option("--resume", is_flag=True, help="Continue the run in --output.")
@json_option
def diffusion_command(json_mode: bool, **values: Any) -> int:
    """Train a generator on your own photographs.

    Lesions are held out, never single images, and the weights whose samples come nearest to the held-out photographs
    are kept in RUN/best. Ctrl-C stops and keeps everything; --resume goes on. Several GPUs: accelerate launch main.py
    train diffusion ...
    """
    request = _request(**values)
    from core.training.runtime import StopRequest
    from diffusion.run import train_generator

    with StopRequest().listening() as stop:
        return _follow(train_generator(request, stop), Console(json_mode=json_mode))


def _request(
    *,
    data: Path | None,
    output: Path | None,
    file: Path | None,
    preset: str | None,
    assignments: tuple[str, ...],
    per_class: bool,
    init_from: Path | None,
    allow_leakage: bool,
    resume: bool,
    **flags: object,
) -> RunRequest:
    """Put the settings together; a continued run begins with its own."""
    from core.training.settings import load_settings, parse_assignments
    from diffusion.config import DiffusionConfig
    from diffusion.run import RunRequest

    if resume and output is None:
        raise UsageError("--resume needs to know which run.", remedy="Name its folder with --output.")
    saved, settings = _saved(output) if resume and output is not None else ({}, {})
    data = data or _path(saved.get("data"))
    if data is None:
        raise UsageError("There are no photographs to learn from.", remedy="Name their folder with --data.")
    init_from = init_from or _path(saved.get("init_from"))
    config = load_settings(
        DiffusionConfig,
        file=file,
        preset={**settings, **_preset(preset, per_class, warm=init_from is not None)},
        overrides={
            **parse_assignments(assignments),
            **{key: value for key, value in flags.items() if value is not None},
        },
    )
    return RunRequest(config, data, output, resume=resume, init_from=init_from, allow_leakage=allow_leakage)


def _saved(run: Path) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return what is known of a run, and its settings."""
    from core.training.run_folder import read_run_config, read_run_settings

    return read_run_config(run), read_run_settings(run, "diffusion")


def _preset(name: str | None, one_a_class: bool, *, warm: bool) -> Mapping[str, Any]:
    values = PRESETS[name] if name else {}
    if one_a_class:
        values = one_network_a_class(values)
    # weights that come from elsewhere know colours and shapes already
    return {**values, "half_size_share": 0.0} if warm else values


def _path(text: object) -> Path | None:
    return Path(text) if isinstance(text, str) else None


def _follow(events: Iterator[Event], console: Console) -> int:
    """Print the stream and return the exit code."""
    code = 0
    with _Progress() as progress:
        for event in events:
            console.event(event)
            with progress.following(event):
                for line in _tell(event, progress):
                    console.say(line)
            if isinstance(event, TrainingFinished) and event.status == "stopped":
                code = EXIT_INTERRUPTED
    return code


class _Progress:
    """A bar on standard error that counts images; silent where nobody watches."""

    def __init__(self) -> None:
        self._bar: Any = None
        self.estimated = False

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._close()

    @contextmanager
    def following(self, event: Event) -> Iterator[None]:
        """Let the bar follow an event, and keep out of the way of what is said about it."""
        if isinstance(event, TrainingStarted):
            self._open(event)
        elif isinstance(event, TrainingStep) and self._bar is not None:
            self._bar.set_postfix(loss=f"{event.loss:.4f}", refresh=False)
            self._bar.update(event.images - self._bar.n)
        with tqdm.external_write_mode(file=sys.stderr):
            yield
        if isinstance(event, TrainingFinished):
            self._close()

    def _open(self, event: TrainingStarted) -> None:
        self._close()
        self.estimated = False
        self._bar = tqdm(
            total=event.total,
            initial=event.images,
            desc=event.class_code or None,
            unit="image",
            disable=None,
            dynamic_ncols=True,
            file=sys.stderr,
        )

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _tell(event: Event, progress: _Progress) -> Iterable[str]:
    """Return what people are told about an event."""
    if isinstance(event, TrainingStep):
        if progress.estimated or event.remaining is None:
            return ()
        progress.estimated = True
        return (_estimate(event),)
    return _WORDS[type(event)](event) if type(event) in _WORDS else ()


def _estimate(event: TrainingStep) -> str:
    assert event.remaining is not None
    assert event.images_per_second is not None
    end = datetime.now() + timedelta(seconds=event.remaining)
    return (
        f"{event.images_per_second:.1f} images a second; at this pace {_duration(event.remaining)} more, until "
        f"{end:%H:%M} on {end:%d.%m.}, plus the evaluations."
    )


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{round(seconds)} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _about_data(event: DataRead) -> list[str]:
    lines = [f"Photographs from {event.source}:"]
    for part, counts in event.counts.items():
        numbers = ", ".join(f"{code} {count}" for code, count in counts.items())
        lines.append(f"  {part:<11}{sum(counts.values()):>6}   {numbers}")
    return [*lines, f"Leakage: {event.leakage}"]


def _about_start(event: TrainingStarted) -> list[str]:
    what = f"{event.class_code}: " if event.class_code else ""
    where = f"{event.device} in {event.precision}" + (f", {event.processes} processes" * (event.processes > 1))
    begun = f", continued at {event.images} images" if event.images else ""
    return [f"{what}{event.parameters / 1e6:.1f} M parameters on {where}; run in {event.output}{begun}."]


def _about_evaluation(event: Evaluated) -> list[str]:
    distance = "no class has enough held-out photographs for a distance"
    if event.kid is not None:
        distance = f"KID {event.kid:.4f} ({event.kid_low:.4f} to {event.kid_high:.4f}) in {event.space}"
    best = ", the best so far" if event.best else ""
    return [f"{event.images} images: {distance}{best}; validation loss {event.validation_loss:.5f}; {event.sheet}"]


def _about_memorisation(event: MemorisationJudged) -> list[str]:
    return [f"Memorisation: {event.sentence} ({event.file})"]


def _about_end(event: TrainingFinished) -> list[str]:
    counts = ",".join(f"{code}=2" for code in event.classes)
    use = f"Use the model: python main.py generate --models {event.models} --classes {counts} --output OUT"
    if event.status == "completed":
        return [f"Done: {event.images} images in {_duration(event.seconds)}.", use]
    again = f"Go on with: python main.py train diffusion --output {event.run} --resume"
    return [f"Stopped after {event.images} images; everything is kept in {event.run}.", again, use]


def _about_notice(event: Notice) -> list[str]:
    return [f"Note: {event.message}"]


_WORDS: Mapping[type[Event], Callable[[Any], list[str]]] = {
    DataRead: _about_data,
    TrainingStarted: _about_start,
    Evaluated: _about_evaluation,
    MemorisationJudged: _about_memorisation,
    TrainingFinished: _about_end,
    Notice: _about_notice,
}
