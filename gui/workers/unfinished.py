"""Looks for runs that are not finished in an output folder, without locking it or writing to it. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.files.folder_lock import who_holds
from dataset.layout import Layout
from dataset.reading import read_state


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A run that is not finished: `done` of `total` images are there.

    Attributes
    ----------
    is_stopped
        Whether somebody has stopped it, rather than that it failed or its process ended.
    """

    run_id: str
    done: int
    total: int
    is_stopped: bool = False


def find_unfinished(output: Path) -> list[Unfinished]:
    """Return the runs of a folder that are not finished, oldest first; a folder without a journal has none.

    What another process is making at this moment, another window for example, is not interrupted.

    Raises
    ------
    ForeignPathError
        If the journal is a link or no regular file.
    OSError
        If it is there but cannot be read.
    """
    layout = Layout(output.absolute())
    if not layout.journal.is_file() or who_holds(layout.state):
        return []
    state = read_state(layout)
    state.mark_done()
    return [
        Unfinished(run.run_id, len(run.slots) - len(run.pending), len(run.slots), run.status == "stopped")
        for run in state.unfinished()
    ]
