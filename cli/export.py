"""`export`: a data set that others can train on, previewed or written."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from cli.console import Console
from cli.options import ANY_PATH, FOLDER, OUTPUT_FOLDER, json_option
from cli.signals import EXIT_INTERRUPTED, stop_on_signal
from dataset.export.events import ExportFinished, Exporting
from dataset.export.options import DEFAULT_SALT, FORMATS, ExportOptions, parse_classes, parse_split
from dataset.layout import MAX_STARS

if TYPE_CHECKING:
    from core.cancel import CancelToken
    from dataset.export.pictures import Tick
    from dataset.export.plan import ExportPlan

EPILOG = "\b\nFormats\n" + "\n".join(f"  {name:<12} {words}" for name, words in FORMATS.items())


@click.command(short_help="Make a data set that others can train on, with its card.", epilog=EPILOG)
@click.argument("output", type=FOLDER)
@click.option(
    "--to", "target", type=OUTPUT_FOLDER, required=True, help="The new folder; it must not exist, or be empty."
)
@click.option("--format", type=click.Choice(list(FORMATS)), required=True, help="What it is for; see below.")
@click.option("--rating", type=click.IntRange(0, MAX_STARS), default=0, help="Only images with at least so many stars.")
@click.option("--classes", default="all", show_default=True, metavar="MEL,NV,...", help="Only these classes.")
@click.option(
    "--split", default="80/10/10", show_default=True, metavar="N/N/N|none", help="Percent of train, val and test."
)
@click.option("--salt", default=DEFAULT_SALT, show_default=True, help="Another one divides the images otherwise.")
@click.option("--curation", type=ANY_PATH, metavar="FILE", help="Obey this curation.csv, or the one in this folder.")
@click.option("--zip", "archive", is_flag=True, help="Write DIR.zip beside the folder too.")
@click.option("--preview", is_flag=True, help="Only say what would be written.")
@json_option
def export(output: Path, classes: str, split: str, archive: bool, preview: bool, json_mode: bool, **values: Any) -> int:
    """Make a data set out of the finished images of OUTPUT, for training elsewhere.

    Rejected images are left out. Images of one seed are never divided between train, val and test. The folder appears
    when it is complete, or not at all.
    """
    console = Console(json_mode=json_mode)
    options = ExportOptions(classes=parse_classes(classes), split=parse_split(split), zip=archive, **values)
    with stop_on_signal() as cancel:
        plan = _plan(output, options, cancel)
        if plan is None:
            return _stopped(console)
        return _preview(plan, console) if preview else _export(plan, console, cancel)


def _plan(output: Path, options: ExportOptions, cancel: CancelToken) -> ExportPlan | None:
    """Return the plan, or None after a stop."""
    from dataset.export.pictures import StoppedError
    from dataset.export.plan import plan_export

    with _looking(cancel) as tick:
        try:
            return plan_export(output, options, tick)
        except StoppedError:
            return None


@contextmanager
def _looking(cancel: CancelToken) -> Iterator[Tick]:
    with _bar(None, "looking at the images") as bar:

        def tick(done: int, total: int) -> bool:
            bar.total = total
            bar.update(done - bar.n)
            return cancel.mode is None

        yield tick


def _bar(total: int | None, words: str) -> Any:
    return tqdm(total=total, desc=words, disable=None, dynamic_ncols=True, leave=False, file=sys.stderr)


def _preview(plan: ExportPlan, console: Console) -> int:
    from dataset.export.plan import check_plan

    console.event({"event": "plan", **_plan_json(plan)})
    console.say(_plan_text(plan))
    _warn(plan, console)
    check_plan(plan)
    return 0


def _export(plan: ExportPlan, console: Console, cancel: CancelToken) -> int:
    from dataset.export.writing import export as write_export

    _warn(plan, console)
    with _bar(plan.files, "writing") as bar:
        for event in write_export(plan, cancel):
            console.event(event)
            if isinstance(event, Exporting):
                bar.total = event.total
                bar.update(event.done - bar.n)
    assert isinstance(event, ExportFinished)
    if event.status == "stopped":
        return _stopped(console)
    console.say(_summary(event))
    return 0


def _warn(plan: ExportPlan, console: Console) -> None:
    for warning in plan.warnings:
        console.warn(f"Note: {warning}")
    for item in plan.left_out:
        console.warn(f"Left out: {item.reason}")


def _stopped(console: Console) -> int:
    console.warn("Stopped; nothing was written.")
    return EXIT_INTERRUPTED


def _plan_json(plan: ExportPlan) -> Mapping[str, Any]:
    options = dataclasses.asdict(plan.options)
    return {
        "output": str(plan.output),
        "options": {**options, "target": str(plan.options.target), "curation": _text(plan.options.curation)},
        "images": plan.rows,
        "files": plan.files,
        "bytes": plan.bytes,
        "archive_bytes": plan.archive_bytes,
        "counts": plan.counts,
        "tree": plan.tree,
        "left_out": [{"file": str(item.path), "reason": item.reason} for item in plan.left_out],
        "warnings": list(plan.warnings),
    }


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _plan_text(plan: ExportPlan) -> str:
    lines = [f"{plan.options.target}"]
    for folder, files in plan.tree.items():
        lines.append(f"  {folder or '.':<40} {_count(files, 'file'):>12}")
    for part, counts in plan.counts.items():
        codes = ", ".join(f"{code} {count}" for code, count in counts.items())
        lines.append(f"{part:<6}{sum(counts.values()):>7}   {codes}")
    size = f"{plan.bytes / 1e6:.1f} MB" + (f" and {plan.archive_bytes / 1e6:.1f} MB" if plan.options.zip else "")
    return "\n".join([*lines, f"{_count(plan.rows, 'image')}, {_count(plan.files, 'file')}, {size}. Nothing written."])


def _summary(event: ExportFinished) -> str:
    beside = f" and {event.archive}" if event.archive else ""
    return f"{_count(event.images, 'image')} in {event.target}{beside} ({event.seconds:.1f} s). Read README.md first."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
