"""Bringing folder, journal and table back to agreement when an output folder is opened.

Whatever moment the last writer died at, one of these holds for each image: nothing lies under its final name (then it
is made again by `resume`), or the complete PNG does (then it carries its recipe, from which sidecar, journal line and
row are made good). ISICGenerator's images come in by the same way.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path
from typing import Final

from core.files.atomic import fsync_dir, write_bytes_atomic
from core.files.opening import open_regular
from core.files.own import require_own
from core.utils.path_manager import PathManager
from dataset import table as csv_table
from dataset import trash
from dataset.journal import Journal
from dataset.layout import Layout, Names, file_names, strangers_in, taken_names, taken_number
from dataset.reading import (
    Rows,
    describe_by_recipe,
    describe_by_sidecar,
    embedded_recipe,
    is_complete_png,
    sidecar_recipe,
)
from dataset.recipe import read_sidecar, sidecar_bytes, sidecar_path
from dataset.record import ImageRecord, Run
from dataset.state import DatasetState

_TRAJECTORY_MEMBERS: Final = {"x_t.npy", "x0.npy", "timesteps.npy"}


class Recovery:
    """One pass over an output folder whose lock is held.

    Attributes
    ----------
    notices
        What the user should know, one sentence or two each.
    """

    def __init__(self, layout: Layout, journal: Journal, table: csv_table.Table, state: DatasetState) -> None:
        self._layout = layout
        self._journal = journal
        self._table = table
        self._state = state
        self.notices: list[str] = []

    def run(self) -> None:
        """Replay the journal, complete what was begun, adopt what is unknown, drop what is gone."""
        damage = self._journal.load(self._state.apply)
        self.notices += [damage] if damage else []
        for run_id in tuple(self._state.discarding):
            complete_discard(self._layout, self._journal, self._state, run_id)
        self._settle_trash()
        names, taken = file_names(self._layout), taken_names(self._layout)
        self._note_numbers(taken)
        self._adopt(names)
        self._drop_missing(names)
        self._restore_sidecars(taken)
        self._state.mark_done()
        self._table.sync(self._state.records.values())

    def _settle_trash(self) -> None:
        trash.adopt(self._layout, self._journal, self._state)
        for deletion in [d for d in self._state.deletions.values() if d.wish is not None]:
            stuck = trash.settle(self._layout, self._journal, self._state, deletion)
            self.notices += [f"'{'/'.join(key)}' could not be moved: {error.strerror}." for key, error in stuck.items()]

    def _adopt(self, names: Names) -> None:
        """Take in pictures that the journal does not know, by their recipe, or else by what ISICGenerator noted."""
        found = strangers_in(self._layout, names, self._state.records)
        strangers = [(code, path, number) for code, path, number in found if self._is_whole(path)]
        rescued = [describe_by_recipe(path, code, number) for code, path, number in strangers]
        own = [record for record in rescued if record is not None]
        for record in own:
            self._state.add(record)
        rows = self._import_table()
        others = [stranger for stranger, record in zip(strangers, rescued, strict=True) if record is None]
        legacy = [describe_by_sidecar(path, code, number, rows) for code, path, number in others]
        for record in legacy:
            self._state.add(record)
        if strangers:
            self._journal.append(*({"type": "image", **r.to_json()} for r in (*own, *legacy)))

    def _is_whole(self, path: Path) -> bool:
        whole = is_complete_png(path)
        if not whole:
            self.notices.append(f"'{path}' is only half a picture; it was left alone and has no row.")
        return whole

    def _import_table(self) -> Rows:
        """Keep a copy of a table that is not ours, or was edited, before it is rewritten; return its rows."""
        path = self._layout.table
        if not csv_table.holds_foreign_text(path, self._state.remembered()):
            return {}
        raw = csv_table.read_bytes(path) or b""
        backup = self._layout.state / f"table-{hashlib.sha256(raw).hexdigest()[:8]}.csv"
        if not backup.exists():
            write_bytes_atomic(backup, raw, tmp_dir=self._layout.temporary)
        rows = csv_table.read_rows(path)
        self._import_numbers(rows)
        self.notices.append(f"'{path.name}' held rows of another program; the original is kept as '{backup}'.")
        return rows

    def _import_numbers(self, rows: Rows) -> None:
        # Rows without a file will be gone from the table; their numbers stay taken all the same.
        before = self._state.numbering.highest()
        for code, name in rows:
            self._state.numbering.note(code, taken_number(name) or 0)
        highest = self._state.numbering.highest()
        if highest != before:
            self._journal.append({"type": "import", "highest": highest})

    def _note_numbers(self, taken: Names) -> None:
        for code, present in taken.items():
            for name in present:
                self._state.numbering.note(code, taken_number(name) or 0)

    def _drop_missing(self, names: Names) -> None:
        gone = [key for key in self._state.records if key[1] not in names.get(key[0], ())]
        for key in gone:
            del self._state.records[key]
        if gone:
            first = "/".join(gone[0])
            self.notices.append(
                f"{len(gone)} images were removed since the last run (first: {first}); so are their rows."
            )

    def _restore_sidecars(self, taken: Names) -> None:
        for record in self._state.records.values():
            sidecar = sidecar_path(record.path)
            recipe = None
            if record.run_id and sidecar.name not in taken[record.class_code]:
                recipe = embedded_recipe(record.path)
            if recipe is not None:
                data = sidecar_bytes(record.path, recipe, record.generated_at)
                write_bytes_atomic(sidecar, data, tmp_dir=self._layout.temporary)


def complete_discard(layout: Layout, journal: Journal, state: DatasetState, run_id: str) -> None:
    """Remove the files of a run whose removal stands in the journal, then note that it is done."""
    files = _files_of(layout, state.runs.get(run_id), state.discarding[run_id])
    for path in files:
        if is_of_run(layout, path, run_id):
            _remove_image(layout, path)
    for folder in {path.parent for path in files}:
        if folder.exists():
            fsync_dir(folder)
    journal.append({"type": "end", "run_id": run_id, "status": "discarded"})
    state.end_run(run_id, "discarded")


def _files_of(layout: Layout, run: Run | None, records: tuple[ImageRecord, ...]) -> set[Path]:
    slots = run.slots if run is not None else ()
    planned = {
        layout.class_dir(slot.planned.class_code) / f"{PathManager.isic_name(slot.isic_number)}.png" for slot in slots
    }
    return planned | {record.path for record in records}


def is_of_run(layout: Layout, path: Path, run_id: str) -> bool:
    """Whether what is at the place of an image was made by a run: the picture, or else its sidecar, says so.

    Where neither lies, a trajectory that has the place of a planned image is what its run left when it died.
    """
    if os.path.lexists(path):
        recipe = embedded_recipe(path)
    elif os.path.lexists(sidecar_path(path)):
        recipe = sidecar_recipe(read_sidecar(path))
    else:
        return is_trajectory(layout.trajectory(path.parent.name, path.stem))
    return recipe is not None and recipe.run_id == run_id


def _remove_image(layout: Layout, path: Path) -> None:
    for gone in (layout.trajectory(path.parent.name, path.stem), sidecar_path(path), path):
        require_own(layout.folder, gone.parent)
        gone.unlink(missing_ok=True)


def is_trajectory(path: Path) -> bool:
    """Whether a file is named inside as a trajectory of this program is."""
    try:
        with open_regular(path, follow=False) as stream, zipfile.ZipFile(stream) as archive:
            return set(archive.namelist()) == _TRAJECTORY_MEMBERS
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return False
