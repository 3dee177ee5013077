"""`models download`: the ISICGenerator checkpoints, or an archive or folder of one's own, checked and installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import click

from cli.console import Console
from cli.derive import JobBar, Words, carry_out, request_of, request_options
from cli.options import json_option
from core.events import Event
from download.events import (
    Downloading,
    Extracting,
    Fetching,
    Finished,
    Installed,
    Refused,
    Restarting,
    Retrying,
)
from download.request import DownloadRequest


@click.command()
@request_options(DownloadRequest)
@json_option
def download(json_mode: bool, **values: Any) -> int:
    """Download the seven ISICGenerator checkpoints (about 750 MB), or import an archive or folder.

    An interrupted download continues where it stopped. Every file is read as it will be used before it is installed; a
    refused file is named, the others are kept. Running it again verifies what is there.
    """
    return carry_out(request_of(DownloadRequest, values), Console(json_mode=json_mode), WORDS, bar=_ByteBar())


def _beginning(event: Fetching) -> str:
    from download.space import size

    about = "" if event.expected is None else f" of about {size(event.expected)}"
    if event.received:
        return f"Continuing {event.address}: {size(event.received)}{about} already downloaded."
    return f"Downloading {event.address}{about and ',' + about.removeprefix(' of')}; {size(event.free)} free."


def _replaced(event: Installed) -> Iterator[str]:
    if event.replaced is not None:
        yield f"The existing {event.member} was renamed to {event.replaced.name}."


def _summary(end: Finished) -> str:
    if end.status == "stopped":
        kept = f" The part that was downloaded is kept in {end.kept}." if end.kept else ""
        return f"Stopped; {_files(end)} in {end.folder}.{kept} Run the same command again to continue."
    lines = [f"{_files(end)} in {end.folder}: {', '.join(end.files) or 'nothing'}."]
    if end.status == "already":
        lines.append("All files were already there and are unchanged.")
    if end.refused:
        lines.append(f"Refused: {', '.join(end.refused)}.")
    if end.first_seen:
        lines.append(
            f"SHA-256 of the archive: {end.sha256}. No checksum was published: this one is remembered, and every "
            "later download is compared with it."
        )
    if end.kept is not None:
        lines.append(f"The archive is kept as {end.kept}, so another try needs no network.")
    if end.classes:
        lines.append(
            f'Use them: python main.py generate --classes {end.classes[0]}=4 --models "{end.folder}" --output OUT'
        )
    return "\n".join(lines)


def _files(end: Finished) -> str:
    return f"{len(end.files)} file{'' if len(end.files) == 1 else 's'}"


WORDS: Final[Words] = {
    Fetching: _beginning,
    Retrying: lambda event: event.message,
    Restarting: lambda event: event.message,
    Refused: lambda event: f"REFUSED {event.message} {event.remedy}",
    Installed: _replaced,
    Finished: _summary,
}


class _ByteBar(JobBar):
    """Counts bytes: those that arrive, then those of the files that are unpacked."""

    def __init__(self) -> None:
        super().__init__()
        self._stage = ""

    def take(self, event: Event) -> None:
        """Let the bar follow an event."""
        if isinstance(event, Downloading):
            self._to("downloading", event.received, event.total)
        elif isinstance(event, Extracting):
            self._to("unpacking and checking", event.done, event.total)
        else:
            self.close()

    def _to(self, stage: str, done: int, total: int | None) -> None:
        if self.bar is None or stage != self._stage:
            self._stage = stage
            self.open(total=total, initial=done, desc=stage, unit="B", unit_scale=True)
        self.bar.update(done - self.bar.n)
