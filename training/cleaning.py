"""Old runs, deleted.

What the files of a run say decides what is printed, never what is deleted: no path is ever taken from a file, no
symbolic link is followed, and a run that is going on is left alone.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from core.errors import FolderLockedError, InputRefusedError
from core.files.atomic import output_errors
from core.files.folder_lock import FolderLock
from core.message import Message
from training.experiments import Run, is_run, read_run
from training.run_folder import CONFIG_FILE

_DELETED_LAST: Final = frozenset({CONFIG_FILE, "lock", "lock.json"})


def runs_to_clean(runs: Sequence[Run], keep: int) -> list[Run]:
    """Return the runs to delete so that the `keep` newest stay; what is going on stays in any case.

    Parameters
    ----------
    runs
        The newest first, as `list_runs` gives them.
    """
    resting = [run for run in runs if run.status != "running"]
    return resting[keep:]


def delete_run(run: Run, root: Path) -> None:
    """Delete a run's folder, looked at once more right before.

    `config.json` goes last, so that what is left of an interrupted deletion is still a run that can be cleaned.

    Raises
    ------
    InputRefusedError
        If the folder is no longer a real one directly under `root` with a trainer's configuration.
    FolderLockedError
        If the run is going on.
    OutputError
        If something cannot be deleted.
    """
    folder = root / run.folder.name
    if not is_run(folder):
        raise InputRefusedError(
            Message("'{folder}' is no run directly under '{root}', so it is not deleted.", folder=folder, root=root),
            remedy=Message("List the runs again."),
        )
    if read_run(folder).run.status == "running":
        raise FolderLockedError(
            Message("The run '{folder}' is in progress, so it is not deleted.", folder=folder),
            remedy=Message("Stop it first, or wait until it has not written anything for a quarter of an hour."),
            path=folder,
        )
    with output_errors(folder):
        with FolderLock(folder):
            _delete(entry for entry in os.scandir(folder) if entry.name not in _DELETED_LAST)
        _delete(entry for entry in os.scandir(folder) if entry.name != CONFIG_FILE)
        (folder / CONFIG_FILE).unlink()
        folder.rmdir()


def _delete(entries: Iterable[os.DirEntry[str]]) -> None:
    for entry in list(entries):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)
