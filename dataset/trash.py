"""The trash of an output folder: deleting that can be undone, and that a dying process cannot leave half done.

The decision is noted in the journal, then the files are moved, then it is noted where each of them now is. A process
that dies in between has decided all the same: the next `SyntheticDataset.open` carries the decision out. A file that
cannot be moved stays where it is, and the journal says so.
"""

from __future__ import annotations

import dataclasses
import errno
import logging
import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

from core.errors import InputRefusedError
from core.files.atomic import explain_os_error, fsync_dir, output_errors
from core.message import Message
from core.taxonomy import CLASS_INDEX
from dataset.journal import Journal
from dataset.layout import Layout, check_trashed, file_names, image_number, trashed_folders
from dataset.reading import describe_by_recipe, describe_by_sidecar
from dataset.recipe import sidecar_path
from dataset.record import Deletion, ImageRecord, Key, WindowRequest, files_to_json, is_given_id
from dataset.state import DatasetState
from dataset.table import Table

logger = logging.getLogger(__name__)

Failures = dict[Key, OSError]


class Trash:
    """The trash of a folder whose lock is held; `SyntheticDataset.trash`."""

    def __init__(self, layout: Layout, journal: Journal, state: DatasetState, table: Table) -> None:
        self._layout = layout
        self._journal = journal
        self._state = state
        self._table = table

    @property
    def deletions(self) -> tuple[Deletion, ...]:
        """What is in the trash, the oldest deletion first."""
        return tuple(self._state.deletions.values())

    def delete(self, images: Sequence[Path]) -> Deletion:
        """Move images, with their sidecars and trajectories, to the trash and take their rows out of the table.

        Their numbers and seeds stay taken, and no run makes them again, also after the trash has been emptied.

        Raises
        ------
        InputRefusedError
            If a path is not that of a file in a class folder of this output folder; then nothing is moved.
        OutputError
            If something could not be moved: that stays where it is, the rest is in the trash.
        """
        files = tuple(dict.fromkeys(self._key(path) for path in images))
        trash_id = f"{datetime.now(timezone.utc):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        with output_errors(self._layout.folder):
            self._journal.append({"type": "trash", "trash_id": trash_id, "files": files_to_json(files)})
            deletion = self._state.begin_deletion(trash_id, files)
            self._carry_out(deletion)
        return deletion

    def restore(self, trash_id: str) -> tuple[Path, ...]:
        """Move the images of a deletion back, with everything that belongs to them; return those that are there again.

        Raises
        ------
        InputRefusedError
            If there is no such deletion in the trash.
        OutputError
            If something could not be moved back, as when another file is there now: that stays in the trash.
        """
        deletion = self._state.deletions.get(trash_id)
        if deletion is None:
            raise InputRefusedError(
                Message("There is nothing left in the trash to bring back."), remedy=Message("It was emptied.")
            )
        wanted = deletion.files
        self._decide(deletion, "restore")
        return tuple(self._layout.image(key) for key in wanted if key not in deletion.files)

    def empty(self) -> int:
        """Delete everything in the trash for good and return the number of files.

        Raises
        ------
        OutputError
            If something could not be deleted; that stays in the trash.
        """
        before = sum(len(deletion.files) for deletion in self.deletions)
        for deletion in self.deletions:
            self._decide(deletion, "empty")
        return before - sum(len(deletion.files) for deletion in self.deletions)

    def _decide(self, deletion: Deletion, wish: WindowRequest) -> None:
        with output_errors(self._layout.folder):
            self._journal.append({"type": wish, "trash_id": deletion.trash_id})
            deletion.wish = wish
            self._carry_out(deletion)

    def _carry_out(self, deletion: Deletion) -> None:
        failures = settle(self._layout, self._journal, self._state, deletion)
        self._table.sync(self._state.records.values())
        for key, error in failures.items():
            raise explain_os_error(error, self._layout.image(key))

    def _key(self, path: Path) -> Key:
        path = path.absolute()
        code = path.parent.name
        if path.parent.parent != self._layout.folder or code not in CLASS_INDEX or not path.is_file():
            raise InputRefusedError(
                Message("'{path}' is not an image of '{folder}'.", path=path, folder=self._layout.folder),
                remedy=Message("Only images in the class folders of the open output folder can be moved to its trash."),
                path=path,
            )
        return code, path.name


def settle(layout: Layout, journal: Journal, state: DatasetState, deletion: Deletion) -> Failures:
    """Carry out what a deletion's `wish` says, note where everything is, and return what could not be moved."""
    place = layout.trashed(deletion.trash_id)
    act: dict[WindowRequest | None, Callable[[Key], None]] = {
        "trash": lambda key: _move(layout, place, key),
        "restore": lambda key: _move(place, layout, key),
        "empty": lambda key: _remove(place, key),
    }
    check_trashed(layout, place)
    named = deletion.files
    failures = _each(named, act[deletion.wish])
    _make_durable(layout, place, deletion)
    inside = [key for key in deletion.files if place.image(key).exists()]
    back = [key for key in deletion.files if layout.image(key).exists() and not place.image(key).exists()]
    end = {"inside": files_to_json(inside), "back": files_to_json(back)}
    journal.append({"type": "trash-end", "trash_id": deletion.trash_id, **end})
    state.end_deletion(deletion.trash_id, inside, back)
    _tidy(place, [key for key in named if key not in set(inside)])
    return failures


def adopt(layout: Layout, journal: Journal, state: DatasetState) -> None:
    """Take in what is in the trash without a line in the journal, as after the journal was lost.

    Only folders named as this program names them, and in them only files named as images: everything else was put
    there by somebody else, and stays as it is.
    """
    for folder in sorted(layout.trash.iterdir()) if layout.trash.is_dir() else ():
        place = layout.trashed(folder.name)
        if folder.name in state.deletions or not is_given_id(folder.name) or not folder.is_dir():
            continue
        names = file_names(place)
        files = tuple((code, name) for code in names for name in sorted(names[code]) if image_number(name) is not None)
        if not files:
            continue
        records = [record for record in (_described(layout, place, key) for key in files) if record is not None]
        for record in records:
            state.add(record)
        line = {"type": "trash", "trash_id": folder.name, "files": files_to_json(files)}
        journal.append(*({"type": "image", **record.to_json()} for record in records), line)
        settle(layout, journal, state, state.begin_deletion(folder.name, files))


def _described(layout: Layout, place: Layout, key: Key) -> ImageRecord | None:
    number = image_number(key[1])
    if number is None:
        return None
    path = place.image(key)
    found = describe_by_recipe(path, key[0], number) or describe_by_sidecar(path, key[0], number, {})
    return dataclasses.replace(found, path=layout.image(key))


def _each(files: Sequence[Key], act: Callable[[Key], None]) -> Failures:
    failures: Failures = {}
    for key in files:
        try:
            act(key)
        except OSError as error:
            logger.warning("%s/%s stays where it is: %s", *key, error)
            failures[key] = error
    return failures


def _move(source: Layout, target: Layout, key: Key) -> None:
    """Move an image, then what belongs to it; what was moved before stays as it is."""
    if source.image(key).exists():
        _move_file(source.image(key), target.image(key))
    if target.image(key).exists():
        for left, arrived in zip(_companions(source, key), _companions(target, key), strict=True):
            _try_to_move(left, arrived)


def _try_to_move(source: Path, target: Path) -> None:
    """Move what belongs to an image; the image decides where both count as lying, so a failure is no harm."""
    try:
        if source.exists():
            _move_file(source, target)
    except OSError as error:
        logger.warning("%s stays where it is: %s", source, error)


def _move_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    os.rename(source, target)


def _remove(place: Layout, key: Key) -> None:
    for path in (place.image(key), *_companions(place, key)):
        path.unlink(missing_ok=True)


def _tidy(place: Layout, gone: Sequence[Key]) -> None:
    """Remove what belonged to images that lie elsewhere now, and the folders that are empty; nothing else."""
    for key in gone:
        for path in _companions(place, key):
            with suppress(OSError):
                path.unlink(missing_ok=True)
    for folder in trashed_folders(place):
        with suppress(OSError):  # somebody keeps something there
            folder.rmdir()


def _companions(layout: Layout, key: Key) -> tuple[Path, ...]:
    """Return sidecar and trajectory of an image; a file that is not named as an image has none of its own."""
    image = layout.image(key)
    if image_number(image.name) is None:
        return ()
    return sidecar_path(image), layout.trajectory(key[0], image.stem)


def _make_durable(layout: Layout, place: Layout, deletion: Deletion) -> None:
    classes = {code for code, _ in deletion.files}
    folders = [where.class_dir(code) for where in (layout, place) for code in classes]
    for folder in (*folders, place.folder, layout.trash):
        if folder.is_dir():
            fsync_dir(folder)
