"""`models download`: the original checkpoints, or an archive or folder of one's own, checked and put in their place."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from cli.console import Console
from cli.options import ANY_PATH, OUTPUT_FOLDER, json_option
from cli.signals import EXIT_INTERRUPTED, stop_on_signal
from core.errors import ModelRefusedError, UsageError
from core.message import Message
from core.utils.path_manager import PathManager
from download.source import ORIGINALS, DriveSource, Source, checked_sum, local_source, remote_source

if TYPE_CHECKING:
    from core.events import Event
    from download.events import Finished


@click.command()
@click.option("--to", "target", type=OUTPUT_FOLDER, help="Models folder to fill [default: checkpoints].")
@click.option("--from-file", "file", type=ANY_PATH, metavar="ZIP|FOLDER", help="Take them from here; no network.")
@click.option("--url", help="Address of another zip archive [default: the predecessor's, on Google Drive].")
@click.option("--sha256", metavar="SUM", help="What the archive must have; otherwise its first arrival is remembered.")
@json_option
def download(target: Path | None, file: Path | None, url: str | None, sha256: str | None, json_mode: bool) -> int:
    """Fetch the predecessor's seven checkpoints (about 750 MB), or import an archive or folder.

    An interrupted download goes on where it stopped. Every file is read as it will be used before it gets its place;
    one that is refused is named, the others are kept. Running it again verifies what is there.
    """
    source = source_of(file, url, sha256)
    from download.job import fetch

    console = Console(json_mode=json_mode)
    with stop_on_signal() as cancel:
        return _follow(fetch(source, target or PathManager().checkpoints_dir, cancel), console)


def source_of(file: Path | None, url: str | None, sha256: str | None) -> Source:
    """Return the source that the flags name.

    Raises
    ------
    UsageError
        If they name two, or what they name cannot be one.
    """
    if file is not None and url is not None:
        raise UsageError(
            Message("The models can come from --from-file or from --url, not from both."),
            remedy=Message("Leave one out."),
        )
    if file is not None:
        return local_source(file, sha256)
    return DriveSource(ORIGINALS.file_id, checked_sum(sha256)) if url is None else remote_source(url, sha256)


def _follow(events: Iterator[Event], console: Console) -> int:
    """Print the stream and return the exit code."""
    from download.events import Finished

    code = 0
    with _Bar() as bar:
        for event in events:
            bar.show(event)
            console.event(event)
            _tell(event, console)
            if isinstance(event, Finished):
                code = _exit_code(event)
    return code


def _exit_code(end: Finished) -> int:
    if end.status == "stopped":
        return EXIT_INTERRUPTED
    return ModelRefusedError.exit_code if end.refused else 0


def _tell(event: Event, console: Console) -> None:
    from download.events import Fetching, Finished, Installed, Refused, Restarting, Retrying

    if isinstance(event, Fetching):
        console.warn(_beginning(event))
    elif isinstance(event, Retrying | Restarting):
        console.warn(event.message)
    elif isinstance(event, Refused):
        console.warn(f"REFUSED {event.message} {event.remedy}")
    elif isinstance(event, Installed) and event.replaced is not None:
        console.warn(f"Another {event.member} was there; it is now {event.replaced.name}.")
    elif isinstance(event, Finished):
        console.say(_summary(event))


def _beginning(event: Any) -> str:
    from download.space import size

    about = "" if event.expected is None else f" of about {size(event.expected)}"
    if event.received:
        return f"Going on with {event.address}: {size(event.received)}{about} are there."
    return f"Fetching {event.address}{about and ',' + about.removeprefix(' of')}; {size(event.free)} are free."


def _summary(end: Finished) -> str:
    if end.status == "stopped":
        kept = f" What has arrived is kept in {end.kept}." if end.kept else ""
        return f"Stopped; {_files(end)} in {end.folder}.{kept} The same command goes on."
    lines = [f"{_files(end)} in {end.folder}: {', '.join(end.files) or 'nothing'}."]
    if end.status == "already":
        lines.append("All of it was there already and is unchanged.")
    if end.refused:
        lines.append(f"Refused: {', '.join(end.refused)}.")
    if end.first_seen:
        lines.append(
            f"SHA-256 of the archive {end.sha256}. Nobody has published one: this is remembered, and every later "
            "download is compared with it."
        )
    if end.kept is not None:
        lines.append(f"The archive is kept as {end.kept}, so that trying again needs no network.")
    if end.classes:
        lines.append(
            f'Use them: python main.py generate --classes {end.classes[0]}=4 --models "{end.folder}" --output OUT'
        )
    return "\n".join(lines)


def _files(end: Finished) -> str:
    return f"{len(end.files)} file{'' if len(end.files) == 1 else 's'}"


class _Bar:
    """Bytes on standard error; silent where nobody watches."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._stage = ""

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._close()

    def show(self, event: Event) -> None:
        """Let the bar follow an event."""
        from download.events import Downloading, Extracting

        if isinstance(event, Downloading):
            self._to("downloading", event.received, event.total)
        elif isinstance(event, Extracting):
            self._to("unpacking and checking", event.done, event.total)
        else:
            self._close()

    def _to(self, stage: str, done: int, total: int | None) -> None:
        if self._bar is None or stage != self._stage:
            self._close()
            self._stage = stage
            self._bar = tqdm(
                total=total, initial=done, desc=stage, unit="B", unit_scale=True, disable=None, dynamic_ncols=True,
                file=sys.stderr,
            )  # fmt: skip
        self._bar.update(done - self._bar.n)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
