"""`export`: a data set for training elsewhere, previewed or written."""

from __future__ import annotations

from typing import Any, Final

import click

from cli.console import Console
from cli.derive import Words, carry_out, json_option, request_of, request_options
from dataset.export.request import FORMATS, ExportFinished, ExportPlanned, ExportRequest, LeftOut

EPILOG = "\b\nFormats\n" + "\n".join(f"  {name:<12} {words}" for name, words in FORMATS.items())
_STOPPED: Final = "Stopped; nothing was written."


@click.command(short_help="Export a data set for training elsewhere, with splits and a data set card.", epilog=EPILOG)
@request_options(ExportRequest)
@json_option
def export(json_mode: bool, **values: Any) -> int:
    """Export the finished images of OUTPUT as a data set for training elsewhere.

    Rejected images are left out. Images that share a seed always go to the same split. The folder appears when it is
    complete, or not at all.
    """
    return carry_out(request_of(ExportRequest, values), Console(json_mode=json_mode), WORDS, stopped=_STOPPED)


def _plan(plan: ExportPlanned) -> str:
    lines = [f"{plan.options['target']}"]
    for folder, files in plan.tree.items():
        lines.append(f"  {folder or '.':<40} {_count(files, 'file'):>12}")
    for part, counts in plan.counts.items():
        codes = ", ".join(f"{code} {count}" for code, count in counts.items())
        lines.append(f"{part:<6}{sum(counts.values()):>7}   {codes}")
    archive = f" and {plan.archive_bytes / 1e6:.1f} MB" if plan.options["zip"] else ""
    size = f"{plan.bytes / 1e6:.1f} MB{archive}"
    lines.append(f"{_count(plan.images, 'image')}, {_count(plan.files, 'file')}, {size}. Nothing written.")
    return "\n".join(lines)


def _summary(end: ExportFinished) -> str:
    if end.status == "stopped":
        return _STOPPED
    beside = f" and {end.archive}" if end.archive else ""
    return f"{_count(end.images, 'image')} in {end.target}{beside} ({end.seconds:.1f} s). Read README.md first."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


WORDS: Final[Words] = {
    LeftOut: lambda event: f"Left out: {event.reason}",
    ExportPlanned: _plan,
    ExportFinished: _summary,
}
