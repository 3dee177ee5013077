"""Looking into an output folder without locking it: for the gallery, exports and evaluation."""

from __future__ import annotations

from pathlib import Path

from core.files.own import read_own
from dataset.deletion import Deletion, Key
from dataset.journal import MAX_BYTES, complete_lines, replay
from dataset.layout import Layout
from dataset.legacy import describe_by_sidecar
from dataset.record import ImageRecord
from dataset.scan import file_names, strangers_in
from dataset.state import DatasetState
from dataset.table import read_rows


def read_records(folder: Path) -> list[ImageRecord]:
    """Return the images that lie in a folder now, oldest first; another process may be writing to it.

    Works for folders of the predecessor too. Nothing is written, and no picture is opened.

    Raises
    ------
    ForeignPathError
        If the journal or the table is a link, or no regular file.
    OSError
        If one of them cannot be read.
    """
    layout = Layout(folder.absolute())
    state = read_state(layout)
    names = file_names(layout)
    known = [record for key, record in state.records.items() if key[1] in names.get(key[0], ())]
    strangers = list(strangers_in(layout, names, state.records))
    rows = read_rows(layout.table) if strangers else {}
    return known + [describe_by_sidecar(path, code, number, rows) for code, path, number in strangers]


def read_deletions(folder: Path) -> list[Deletion]:
    """Return what lies in the trash of a folder now, the oldest deletion first; nothing is written."""
    return [deletion for deletion in read_state(Layout(folder.absolute())).deletions.values() if deletion.files]


def read_state(layout: Layout) -> DatasetState:
    """Return what the journal of a folder adds up to; errors as of `read_records`."""
    state = DatasetState(layout.folder)
    replay(complete_lines(read_own(layout.folder, layout.journal, MAX_BYTES) or b""), state.apply)
    return state


def read_models_folders(folder: Path) -> dict[str, Path]:
    """Return where the models of each run of a folder lay, by run id; errors as of `read_records`."""
    return {run.run_id: run.request.models for run in read_state(Layout(folder.absolute())).runs.values()}


def read_run_ids(folder: Path) -> dict[Key, str]:
    """Return the run of every image that a run of this program made, by (class, file name); no picture is opened."""
    state = read_state(Layout(folder.absolute()))
    return {key: record.run_id for key, record in state.records.items() if record.run_id}
