"""SyntheticDataset: the only writer of an output folder. What it has stored is never lost and never overwritten."""

from __future__ import annotations

import dataclasses
import logging
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from core.errors import OutputError
from core.events import RunStatus
from core.files.atomic import create_bytes_atomic, fsync_dir, output_errors, write_bytes_atomic
from core.files.folder_lock import FolderLock
from core.files.opening import sha256_of
from core.files.own import ForeignPathError, remove_temporary, require_own
from core.generation import GenerationRequest, PlannedImage
from core.message import Message
from core.utils.path_manager import PathManager
from dataset.journal import Journal
from dataset.layout import Layout, check_own_paths, part_from_other_names
from dataset.png import encode_png
from dataset.reading import embedded_recipe, read_records, sidecar_recipe
from dataset.recipe import Recipe, read_sidecar, sidecar_bytes, sidecar_path
from dataset.record import ImageRecord, Run, RunSlot, run_to_json
from dataset.recovery import Recovery, complete_discard
from dataset.state import DatasetState
from dataset.table import Table
from dataset.trash import Trash

__all__ = ["ImageRecord", "Run", "RunSlot", "SyntheticDataset", "read_records"]

logger = logging.getLogger(__name__)


class SyntheticDataset:
    """An output folder, held exclusively for writing. Use `open`, as a context manager; not thread-safe.

    An image is stored in the order PNG (with its recipe inside), sidecar, journal line, table row, each of them
    complete and durable before the next. A process that dies at any point leaves a folder that `open` brings back to
    agreement.

    Attributes
    ----------
    folder
        The output folder, absolute.
    trash
        What was deleted and can be brought back.
    notices
        What `open` found that the user should know.
    """

    def __init__(self, folder: Path, lock: FolderLock) -> None:
        self.folder = folder
        self._lock = lock
        self._layout = Layout(folder)
        part_from_other_names(self._layout)
        self._remove_temporary()
        self._journal = Journal(self._layout.journal, self._layout.temporary)
        self._table = Table(self._layout.table, self._layout.temporary)
        self._state = DatasetState(folder)
        recovery = Recovery(self._layout, self._journal, self._table, self._state)
        recovery.run()
        self.trash = Trash(self._layout, self._journal, self._state, self._table)
        self.notices = tuple(recovery.notices)
        for notice in self.notices:
            logger.warning("%s", notice)

    @classmethod
    def open(cls, folder: Path, *, create: bool = True) -> SyntheticDataset:
        """Lock a folder, recover what an earlier process left half done, and take over ISICGenerator's images.

        Parameters
        ----------
        create
            Make the folder if it does not exist.

        Raises
        ------
        FolderLockedError
            If another process is writing to it.
        OutputError
            If it does not exist (and `create` is off) or cannot be written; `ForeignPathError` if one of the paths
            inside that are the program's own is a link. Then nothing has been touched.
        """
        folder = folder.absolute()
        if not create and not folder.is_dir():
            raise OutputError(
                Message("There is no folder '{folder}'.", folder=folder), remedy=Message("Check the path."), path=folder
            )
        layout = Layout(folder)
        with output_errors(folder):
            check_own_paths(layout)
            layout.temporary.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(layout.state, subject=folder)
        lock.acquire()
        with ExitStack() as undo:
            undo.callback(lock.release)
            with output_errors(folder):
                opened = cls(folder, lock)
            undo.pop_all()
        return opened

    def close(self) -> None:
        """Remove temporary files and give the folder back; what cannot be removed now, the next `open` removes."""
        with suppress(OSError, ForeignPathError):
            self._remove_temporary()
        self._lock.release()

    def __enter__(self) -> SyntheticDataset:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def seeds(self, class_code: str) -> frozenset[int]:
        """Return the seeds of a class that are taken: by finished images, and by images that `resume` will make."""
        return self._state.seeds(class_code)

    def unfinished(self) -> tuple[Run, ...]:
        """Return the interrupted, stopped or failed runs with images still to be made, oldest first."""
        return self._state.unfinished()

    def keep_inputs(self, files: Mapping[str, bytes]) -> None:
        """Keep the pictures and masks that images begin from; what else is in the place of one is replaced.

        Parameters
        ----------
        files
            Content of each PNG file, by its SHA-256.

        Raises
        ------
        OutputError
            If one cannot be written.
        """
        folder = self._layout.inputs
        with output_errors(self.folder):
            for sha256 in files:
                folder.mkdir(exist_ok=True)
                path = folder / f"{sha256}.png"
                if not _is_kept(path, sha256):
                    write_bytes_atomic(path, files[sha256], tmp_dir=self._layout.temporary)

    def begin_run(self, request: GenerationRequest, planned: Sequence[PlannedImage]) -> Run:
        """Note a new run with its plan and the numbers reserved for it.

        Raises
        ------
        OutputError
            If the journal cannot be written.
        """
        slots = tuple(RunSlot(image, self._state.numbering.take(image.class_code)) for image in planned)
        run = Run(_new_run_id(), request, slots)
        with output_errors(self.folder):
            self._journal.append({"type": "run", "format": 1, **run_to_json(run)})
        self._state.runs[run.run_id] = run
        return run

    def store(self, run: Run, slot: RunSlot, pixels: NDArray[np.uint8], recipe: Recipe) -> Path:
        """Write a finished image with its sidecar, journal line and row; storing a slot again is harmless.

        Parameters
        ----------
        pixels
            RGB, uint8, shape (H, W, 3).
        recipe
            Its class, index and seed are those of the slot; run id and time are filled in here.

        Returns
        -------
        Path
            The PNG file. Its number is the slot's, unless a foreign file has meanwhile been put there.

        Raises
        ------
        DiskFullError, OutputError
            If something cannot be written. Nothing finished is lost, and the slot can be stored again.
        """
        recipe = _complete_recipe(run, slot, recipe)
        data = encode_png(pixels, recipe)
        with output_errors(self.folder):
            number, path = self._place(slot, recipe, data)
            record = ImageRecord.from_recipe(path, number, recipe)
            if not _has_foreign_sidecar(path, recipe):
                sidecar = sidecar_bytes(path, recipe, record.generated_at)
                write_bytes_atomic(sidecar_path(path), sidecar, tmp_dir=self._layout.temporary)
            self._journal.append({"type": "image", **record.to_json()})
            self._state.add(record)
            run.mark_done(slot.planned)
            self._table.append(record)
        return path

    def end_run(self, run: Run, status: RunStatus) -> None:
        """Note how a run ended; `stopped` and `failed` runs can be resumed.

        Raises
        ------
        OutputError
            If the journal or the table cannot be written.
        """
        with output_errors(self.folder):
            self._journal.append({"type": "end", "run_id": run.run_id, "status": status})
            self._state.end_run(run.run_id, status)
            run.status = status
            if self._table.is_behind:
                self._table.sync(self._state.records.values())
            self._remove_temporary()

    def discard_run(self, run: Run) -> None:
        """Remove a run's finished images, sidecars, trajectories and rows; its numbers are not used again.

        A process that dies in the middle has decided all the same: the next `open` completes the removal.

        Raises
        ------
        OutputError
            If something cannot be removed.
        """
        with output_errors(self.folder):
            self._journal.append({"type": "discard", "run_id": run.run_id})
            self._state.begin_discard(run.run_id)
            complete_discard(self._layout, self._journal, self._state, run.run_id)
            run.status = "discarded"
            self._table.sync(self._state.records.values())
            self._remove_temporary()

    def _place(self, slot: RunSlot, recipe: Recipe, data: bytes) -> tuple[int, Path]:
        """Put the PNG under the slot's number, or the next free one if a foreign file or sidecar is there."""
        folder = self._class_dir(slot.planned.class_code)
        number = slot.isic_number
        while True:
            path = folder / f"{PathManager.isic_name(number)}.png"
            if not os.path.lexists(path) and _has_foreign_sidecar(path, recipe):
                number = self._state.numbering.take(slot.planned.class_code)
                continue
            try:
                # The sidecar follows into the same folder, and its fsync makes both names durable.
                create_bytes_atomic(path, data, tmp_dir=self._layout.temporary, sync_folder=False)
            except FileExistsError:
                if not _is_same_image(path, recipe):
                    number = self._state.numbering.take(slot.planned.class_code)
                    continue
            return number, path

    def _class_dir(self, class_code: str) -> Path:
        folder = self._layout.class_dir(class_code)
        require_own(self.folder, folder)
        if not folder.is_dir():
            folder.mkdir(exist_ok=True)
            fsync_dir(self.folder)
        return folder

    def _remove_temporary(self) -> None:
        remove_temporary(self.folder, self._layout.temporary)


def _complete_recipe(run: Run, slot: RunSlot, recipe: Recipe) -> Recipe:
    planned = slot.planned
    if (recipe.class_code, recipe.index, recipe.seed) != (planned.class_code, planned.index, planned.seed):
        raise ValueError(f"The recipe is not that of the slot: {recipe.class_code} {recipe.index} is not {planned}.")
    created = recipe.created or datetime.now(timezone.utc).isoformat(timespec="seconds")
    return dataclasses.replace(recipe, run_id=run.run_id, created=created)


def _is_same_image(path: Path, recipe: Recipe) -> bool:
    """Whether the file is what an earlier attempt to store this very image left."""
    return _is_same(embedded_recipe(path), recipe)


def _has_foreign_sidecar(path: Path, recipe: Recipe) -> bool:
    """Whether something is at the place of an image's sidecar that no attempt to store this very image has left."""
    sidecar = sidecar_path(path)
    return os.path.lexists(sidecar) and not _is_same(sidecar_recipe(read_sidecar(path)), recipe)


def _is_same(present: Recipe | None, recipe: Recipe) -> bool:
    return present is not None and (present.run_id, present.class_code, present.index, present.seed) == (
        recipe.run_id,
        recipe.class_code,
        recipe.index,
        recipe.seed,
    )


def _new_run_id() -> str:
    return f"{datetime.now(timezone.utc):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def _is_kept(path: Path, sha256: str) -> bool:
    """Whether a file of this content, and no link or pipe, is there."""
    return path.is_file() and not path.is_symlink() and sha256_of(path) == sha256
