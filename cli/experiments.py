"""`experiments list|show|compare|clean`: the runs of both trainers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.console import Console
from cli.derive import FOLDER, OUTPUT_FILE, json_option
from core.errors import UsageError

if TYPE_CHECKING:
    from core.message import Message
    from training.experiments import Comparison, Run, RunDetails

_DEFAULT_ROOT = Path("runs")

root_option = click.option(
    "--root", type=FOLDER, default=_DEFAULT_ROOT, show_default=True, help="Folder that holds the runs."
)


@click.group()
def experiments() -> None:
    """List, compare and clean up training runs. `runs` is the same command."""


@experiments.command("list")
@root_option
@json_option
def list_experiments(root: Path, json_mode: bool) -> None:
    """List the runs: kind, status, images and best metric."""
    console = Console(json_mode=json_mode)
    runs = _runs(root)
    for run in runs:
        console.event({"event": "run", **_run_json(run)})
    damaged = _damaged(root)
    for folder, problem in damaged.items():
        console.event({"event": "damaged_run", "run": folder.name, "folder": str(folder), "problem": problem})
        console.warn(_printable(f"Not listed: '{folder}': {problem}."))
    if json_mode or (damaged and not runs):
        return
    if not runs:
        console.say(f"No runs in '{root}' yet. Start one with: python main.py train")
        return
    rows = [_run_cells(run) for run in runs]
    console.say(_table(("run", "kind", "status", "images", "size", "begun", "best"), rows))


@experiments.command()
@click.argument("run")
@root_option
@json_option
def show(run: str, root: Path, json_mode: bool) -> None:
    """Show a run's settings, its latest metrics and its files.

    RUN is the name of its folder under --root, or a path.
    """
    from training.experiments import find_run, read_run
    from training.run_folder import newest

    console = Console(json_mode=json_mode)
    details = read_run(find_run(run, root))
    last = newest(details.rows)
    console.event({"event": "run", **_run_json(details.run), "config": _plain(details.config), "newest": _plain(last),
                   "files": dict(details.files)})  # fmt: skip
    if not json_mode:
        console.say("\n\n".join(_show(details, last)))


@experiments.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN...")
@click.option("--output", type=OUTPUT_FILE, help="PNG file for the curves of all runs.")
@root_option
@json_option
def compare(runs: tuple[str, ...], output: Path | None, root: Path, json_mode: bool) -> None:
    """Compare runs: the settings in which they differ, and their latest metrics."""
    from training import experiments as runs_module

    if len(runs) < 2:
        raise UsageError("There is only one run to compare.", remedy="Name two or more; 'experiments show' shows one.")
    console = Console(json_mode=json_mode)
    details = [runs_module.read_run(runs_module.find_run(run, root)) for run in runs]
    comparison = runs_module.compare(details)
    console.event({
        "event": "compared",
        "runs": [_run_json(run) for run in comparison.runs],
        "settings": {name: _plain(list(values)) for name, values in comparison.settings.items()},
        "newest": {name: _plain(list(values)) for name, values in comparison.metrics.items()},
    })  # fmt: skip
    if not json_mode:
        console.say("\n\n".join(_comparison(comparison)))
    if output is not None:
        _write_curves(details, output)
        console.warn(f"The curves are in {output}.")


@experiments.command()
@click.option("--keep", type=click.IntRange(min=0), required=True, help="Number of newest runs to keep.")
@click.option("--dry-run", is_flag=True, help="Only report what would be deleted.")
@click.option("--yes", is_flag=True, help="Delete without confirmation.")
@root_option
@json_option
def clean(keep: int, dry_run: bool, yes: bool, root: Path, json_mode: bool) -> None:
    """Delete all but the newest runs. A run in progress is neither deleted nor counted."""
    from training.experiments import delete_run, runs_to_clean

    console = Console(json_mode=json_mode)
    old = runs_to_clean(_runs(root), keep)
    size = sum(run.size for run in old)
    if not old:
        console.say("There is nothing to delete.")
    for run in old:
        console.event({"event": "to_delete", **_run_json(run)})
        console.warn(f"{'Would delete' if dry_run else 'To delete'}: {root / run.name}  ({_size_text(run.size)})")
    if old and dry_run:
        console.warn(f"Would delete {_count(len(old))}, {_size_text(size)}.")
    if not old or dry_run:
        return
    if not yes:
        _confirm(len(old), size, json_mode=json_mode)
    for run in old:
        delete_run(run, root)
        console.event({"event": "deleted", "run": run.name, "folder": str(root / run.name), "bytes": run.size})
    console.warn(f"Deleted {_count(len(old))}, {_size_text(size)}.")


def _confirm(count: int, size: int, *, json_mode: bool) -> None:
    if json_mode:
        raise UsageError(
            "With --json the deletion cannot be confirmed.", remedy="Add --yes to delete, or --dry-run to look only."
        )
    click.confirm(f"Delete {_count(count)}, {_size_text(size)}, for good?", abort=True, err=True)


def _runs(root: Path) -> list[Run]:
    from training.experiments import list_runs

    return list_runs(root) if root.exists() or root != _DEFAULT_ROOT else []


def _damaged(root: Path) -> dict[Path, Message]:
    from training.experiments import damaged_runs

    return damaged_runs(root) if root.exists() or root != _DEFAULT_ROOT else {}


def _write_curves(details: Sequence[RunDetails], output: Path) -> None:
    from core.files.atomic import output_errors
    from core.keeping import replace_kept
    from training.curves import draw_curves

    with output_errors(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        replace_kept(output, draw_curves(details))


def _run_json(run: Run) -> dict[str, Any]:
    return {
        "run": run.name,
        "folder": str(run.folder),
        "kind": run.kind,
        "status": run.status,
        "images": run.images,
        "metric": None if run.metric is None else asdict(run.metric),
        "bytes": run.size,
        "date": run.date.isoformat(timespec="seconds"),
    }


def _plain(data: Any) -> Any:
    from core.files.text import finite

    return finite(data)


def _run_cells(run: Run) -> tuple[str, ...]:
    best = "not measured yet" if run.metric is None else str(run.metric)
    begun = f"{run.date:%Y-%m-%d %H:%M}"
    return run.name, run.kind, run.status, f"{run.images:,}", _size_text(run.size), begun, best


def _show(details: RunDetails, last: dict[str, Any]) -> list[str]:
    head = ("run", "kind", "status", "images", "size", "begun", "best")
    facts = [*zip(head, _run_cells(details.run), strict=True), ("folder", str(details.run.folder))]
    outer = {name: value for name, value in details.config.items() if name not in ("settings", "kind", "name")}
    return [
        _table((), facts),
        "Settings\n" + _table((), [(name, _text(value)) for name, value in details.settings.items()]),
        "Recorded at the start\n" + _table((), [(name, _text(value)) for name, value in outer.items()]),
        "Latest metrics\n" + _table((), [(name, _text(value)) for name, value in last.items()]),
        "Files\n" + _table((), [(name, _size_text(size)) for name, size in details.files.items()]),
    ]


def _comparison(comparison: Comparison) -> list[str]:
    names = [run.name for run in comparison.runs]
    facts = [(label, *cells) for label, *cells in zip(
        ("kind", "status", "images", "size", "begun", "best"),
        *(_run_cells(run)[1:] for run in comparison.runs), strict=True,
    )]  # fmt: skip
    tables = [_table(("", *names), facts)]
    for title, table in (("Settings that differ", comparison.settings), ("Latest metrics", comparison.metrics)):
        rows = [(name, *map(_text, values)) for name, values in table.items()]
        tables.append(f"{title}\n" + (_table(("", *names), rows) if rows else "  none"))
    return tables


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows in columns as wide as their widest cell, without the control characters that a file may hold."""
    lines = [[_printable(cell) for cell in row] for row in ([head] if head else []) + list(rows)]
    if not lines:
        return "  none"
    widths = [max(len(row[column]) for row in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in lines
    )


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _count(number: int) -> str:
    return "1 run" if number == 1 else f"{number} runs"


def _size_text(size: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
