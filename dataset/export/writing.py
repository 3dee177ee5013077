"""Carrying out the plan of an export: into a hidden folder first, which gets its name when it is complete.

A process that dies leaves a hidden folder and nothing else; the next export to the same place removes it.

As a job, an export has three parts: look at the pictures, plan, and write, or only say what would be written.
"""

from __future__ import annotations

import dataclasses
import glob
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from core.cancel import CancelToken
from core.errors import InputRefusedError
from core.events import Event, Notice, Progress
from core.files.atomic import fsync_dir, output_errors, write_new_file
from core.files.folder_lock import HOLDER_FILE, LOCK_FILE, FolderLock, is_locked
from core.files.opening import MAX_PICTURE_BYTES, FileTooLargeError, NotRegularFileError, read_regular
from core.files.own import ForeignPathError, read_own, remove_tree
from core.jobs.stream import SECONDS_BETWEEN, JobStopped, stream
from core.message import Message
from dataset.export.archive import pack
from dataset.export.pictures import Picture
from dataset.export.plan import ExportPlan, ImageFile, check_plan, check_target, plan_export
from dataset.export.request import ExportFinished, ExportPlanned, ExportRequest, ExportStarted, LeftOut
from dataset.png import as_passed_on

_FOLDER: Final = "folder"
_ARCHIVE: Final = "archive.zip"
MARK_FILE: Final = "unfinished-export"
_MARK: Final = b"An export of ISICGUI that has not ended.\n"
_PARTS: Final = {_FOLDER, _ARCHIVE, MARK_FILE, LOCK_FILE, HOLDER_FILE}
_HIDDEN_NAME: Final = re.compile(r"\..+\.[0-9a-f]{8}\.export", re.DOTALL)


def export(plan: ExportPlan, cancel: CancelToken | None = None) -> Iterator[Event]:
    """Write what was planned, whole or not at all.

    Yields
    ------
    Event
        `ExportStarted`, a `Notice` for each warning, `Progress` again and again, `ExportFinished` at the end. A stop
        of any kind leaves nothing behind; then the status of the last event is ``stopped``.

    Raises
    ------
    InputRefusedError, UsageError, OutputError
        See `check_plan`; also if a picture has changed or vanished since it was planned.
    """
    check_plan(plan)
    options = plan.options
    total = plan.files * (2 if options.zip else 1)
    began = time.perf_counter()
    yield ExportStarted(options.target, options.format, plan.rows, plan.files, plan.bytes + plan.archive_bytes)
    yield from (Notice("export", warning) for warning in plan.warnings)
    is_complete = True
    with output_errors(options.target):
        place = _make_place(options.target)
        try:
            write_new_file(place / MARK_FILE, _MARK)
            with FolderLock(place, subject=options.target):
                yield from _paced(_write(plan, place), total, cancel)
                _publish(plan, place)
        except JobStopped:
            is_complete = False
        finally:
            shutil.rmtree(place, ignore_errors=True)
    yield _finished(plan, is_complete, time.perf_counter() - began)


def _finished(plan: ExportPlan, is_complete: bool, seconds: float) -> ExportFinished:
    options = plan.options
    return ExportFinished(
        status="completed" if is_complete else "stopped",
        target=options.target,
        archive=options.archive if options.zip and is_complete else None,
        format=options.format,
        images=plan.rows if is_complete else 0,
        files=plan.files if is_complete else 0,
        bytes=plan.bytes if is_complete else 0,
        counts=plan.counts if is_complete else {},
        seconds=round(seconds, 3),
    )


def _paced(written: Iterator[str], total: int, cancel: CancelToken | None) -> Iterator[Event]:
    told = 0.0
    for done, _ in enumerate(written, start=1):
        if cancel is not None and cancel.mode is not None:
            raise JobStopped
        if time.monotonic() - told >= SECONDS_BETWEEN or done == total:
            told = time.monotonic()
            yield Progress.of(done, total, "files", Message("Writing the files"))


def _write(plan: ExportPlan, place: Path) -> Iterator[str]:
    """Write all files, then the archive, and yield each path."""
    folder = place / _FOLDER
    folder.mkdir()
    for name in plan.tree:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for image in plan.images:
        write_new_file(folder / image.path, _read(image))
        yield image.path
    for text in plan.texts:
        write_new_file(folder / text.path, text.data)
        yield text.path
    for name in plan.tree:
        fsync_dir(folder / name)
    if plan.options.zip:
        yield from pack(folder, tuple(plan.sizes), place / _ARCHIVE)


def _read(image: ImageFile) -> bytes:
    picture = image.entry.picture
    try:
        data = read_regular(picture.path, MAX_PICTURE_BYTES)
    except (FileNotFoundError, NotRegularFileError, FileTooLargeError) as error:
        raise _changed(picture) from error
    if not picture.is_file_of(data):
        raise _changed(picture)
    return as_passed_on(picture.path, data)


def _changed(picture: Picture) -> InputRefusedError:
    return InputRefusedError(
        Message("'{path}' has changed since the export was planned; nothing was exported.", path=picture.path),
        remedy=Message("Export again."),
        path=picture.path,
    )


def _publish(plan: ExportPlan, place: Path) -> None:
    """Give the finished folder and archive their names; the archive last, so that it never stands alone."""
    target = plan.options.target
    check_target(plan.options)  # minutes have passed
    if target.is_dir():
        target.rmdir()
    os.rename(place / _FOLDER, target)
    if plan.options.zip:
        os.rename(place / _ARCHIVE, plan.options.archive)
    fsync_dir(target.parent)


def _make_place(target: Path) -> Path:
    """Make the hidden folder next to the target; those that dead processes have left are removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f".{glob.escape(target.name)}.*.export"):
        if not is_locked(left):
            with suppress(OSError, ForeignPathError):
                remove_tree(target.parent, left, is_left_behind)
    place = target.parent / f".{target.name}.{secrets.token_hex(4)}.export"
    place.mkdir()
    return place


def is_left_behind(folder: Path) -> bool:
    """Whether an export of this program that did not end left a hidden folder: it is named and marked as such.

    An empty one was left before the mark was written.
    """
    if not _HIDDEN_NAME.fullmatch(folder.name) or not folder.is_dir():
        return False
    names = {entry.name for entry in folder.iterdir()}
    try:
        mark = read_own(folder, folder / MARK_FILE, len(_MARK))
        return not names or (names <= _PARTS and mark is not None and _MARK.startswith(mark))
    except (OSError, ForeignPathError):
        return False


def run_export(request: ExportRequest, cancel: CancelToken) -> Iterator[Event]:
    """Carry an export out, whole or not at all.

    Yields
    ------
    Event
        How far the look at the pictures is, what stays away, and then the plan of a preview, or what `export` yields.

    Raises
    ------
    InputRefusedError, UsageError, OutputError, DiskFullError
        If it cannot be carried out; also if the pictures are not what was agreed to.
    JobStopped
        If it was stopped before anything was written.
    """
    plan = yield from stream(lambda context: plan_export(request.output, request.options, context), cancel)
    yield from (LeftOut(item.path, item.reason) for item in plan.left_out)
    if request.preview:
        yield from (Notice("export", warning) for warning in plan.warnings)
        yield _planned(plan)
        check_plan(plan)
        return
    if request.expected not in ("", plan.fingerprint):
        raise InputRefusedError(
            Message("'{path}' has changed since the export was planned; nothing was exported.", path=plan.output),
            remedy=Message("Export again."),
            path=plan.output,
        )
    yield from export(plan, cancel)


def _planned(plan: ExportPlan) -> ExportPlanned:
    return ExportPlanned(
        output=plan.output,
        options=dataclasses.asdict(plan.options),
        images=plan.rows,
        files=plan.files,
        bytes=plan.bytes,
        archive_bytes=plan.archive_bytes,
        counts=plan.counts,
        tree=plan.tree,
        left_out=tuple({"file": item.path, "reason": item.reason} for item in plan.left_out),
        warnings=plan.warnings,
    )
