"""`data check`: what a folder or table of photographs holds, before anything is made of it; nothing is trained."""

from __future__ import annotations

import hashlib
import io
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from core.cancel import CancelToken
from core.errors import InputRefusedError
from core.events import Event
from core.files.atomic import output_errors
from core.jobs.options import option
from core.jobs.registry import Request, job
from core.jobs.stream import JobContext, stream
from core.keeping import replace_kept
from core.message import Message
from core.taxonomy import CLASS_CODES
from dataset.overview import Overview, overview_of
from photographs.diagnoses import class_of
from photographs.files import find_photographs, named
from photographs.label_forms import LABEL_FORMS, UnknownFormError
from photographs.labelled import LabelledImage
from photographs.masks import MASKS_FOLDER, FoundMasks, Masked, find_masks, read_mask
from photographs.sources import read_dataset

SHEET: Final = "photographs.png"
MAX_THREADS: Final = 8
SHOWN: Final = 3
"""Sizes, and names of files, that a sentence gives."""


@job("dataset.data_check:check_data")
@dataclass(frozen=True, slots=True)
class DataCheckRequest(Request):
    """What is looked at.

    Attributes
    ----------
    photos
        A folder of photographs or a table of labels.
    masks
        Folder of lesion masks; `masks` beside the photographs if None and it is there.
    output
        Where a sheet with a few photographs of each class goes; none is made if None.
    """

    command: ClassVar[tuple[str, ...]] = ("data", "check")
    photos: Path = option("", "Folder of photographs, or a table of labels.", kind="path", metavar="PHOTOS")
    masks: Path | None = option(
        "--masks", "Folder of lesion masks.", kind="folder", default=None, default_words="masks beside the photographs"
    )
    output: Path | None = option(
        "--output", f"Folder for {SHEET}: a few photographs of each class.", kind="folder", default=None
    )


@dataclass(frozen=True, slots=True)
class DataChecked(Event):
    """What a data set holds.

    Attributes
    ----------
    kind, form
        Key and name of the form of its labels; "" where nothing labels the photographs.
    total
        Number of photographs.
    classes, lesions
        Photographs and lesions by class code.
    grouped
        Whether the data set names lesions.
    leakage
        What the usual split would leak, in one sentence; "" where that is not known.
    leaks
        Whether it does.
    licence
        Terms of the photographs, or ``unknown``.
    sizes
        Number of photographs by ``WIDTHxHEIGHT``, the commonest first.
    unreadable
        File and reason of those that cannot be read.
    copies
        Number of photographs that are, pixel by pixel, a copy of another one.
    masks
        ``folder``, ``found``, ``of``, ``empty``, ``ambiguous``, ``unused`` and ``unreadable``; None where there is no
        such folder.
    notes
        What a person should know, one sentence each.
    sheet
        The sheet with a few photographs of each class, or None.
    """

    name: ClassVar[str] = "data_checked"
    ends: ClassVar[bool] = True
    source: Path
    kind: str
    form: str
    total: int
    classes: dict[str, int]
    lesions: dict[str, int]
    grouped: bool
    leakage: str
    leaks: bool
    licence: str
    sizes: dict[str, int]
    unreadable: tuple[tuple[str, str], ...]
    copies: int
    masks: dict[str, Any] | None
    notes: tuple[str, ...]
    sheet: Path | None


def check_data(request: DataCheckRequest, cancel: CancelToken) -> Iterator[Event]:
    """Look at a data set and yield progress and what was found.

    Raises
    ------
    InputRefusedError
        If nothing is there, or its labels contradict each other.
    """
    yield (yield from stream(lambda context: _look(request, context), cancel))


def _look(request: DataCheckRequest, context: JobContext) -> DataChecked:
    images, known, notes = _read(request.photos)
    looks = _open_all(images, context)
    masks, about_masks = _masks(request, images, context)
    sheet = None if request.output is None else _write_sheet(images, looks, request.output)
    return DataChecked(
        source=request.photos,
        kind="" if known is None else known.kind,
        form="" if known is None else LABEL_FORMS[known.kind].title,
        total=len(images),
        classes={code: count for code, count in _counts(images).items() if count},
        lesions={} if known is None else known.lesions,
        grouped=known is not None and known.grouped,
        leakage="" if known is None else known.leakage,
        leaks=known is not None and known.leaks,
        licence="unknown" if known is None else known.licence,
        sizes=dict(Counter(f"{one.width}x{one.height}" for one in looks if not one.problem).most_common()),
        unreadable=tuple((str(one.path), one.problem) for one in looks if one.problem),
        copies=_copies(looks),
        masks=masks,
        notes=(*notes, *_oddities(looks), *about_masks),
        sheet=sheet,
    )


def _read(path: Path) -> tuple[Sequence[Masked], Overview | None, tuple[str, ...]]:
    """Return the photographs, what is known of their labels, and what a person should know."""
    try:
        photographs = read_dataset(path)
    except UnknownFormError as error:
        return _without_labels(path, error)
    known = overview_of(photographs)
    return [_labelled(image) for image in photographs.images], known, photographs.notes


def _labelled(image: LabelledImage) -> Masked:
    return Masked(image.image_id, image.code, image.path)


def _without_labels(folder: Path, error: UnknownFormError) -> tuple[Sequence[Masked], None, tuple[str, ...]]:
    found = find_photographs(folder)
    if not found.files:
        raise InputRefusedError(
            Message("{path} holds no images.", path=folder), remedy=found.remedy, path=folder
        ) from error
    images = [Masked(file.relative_to(folder).as_posix(), class_of(file.parent.name), file) for file in found.files]
    why = Message("Nothing labels these photographs: {why}", why=error.message)
    return images, None, (why, *found.notes)


@dataclass(frozen=True, slots=True)
class _Look:
    """What one file is: its size and the hash of its pixels, or why it cannot be read."""

    path: Path
    width: int = 0
    height: int = 0
    digest: str = ""
    problem: str = ""


def _open_all(images: Sequence[Masked], context: JobContext) -> list[_Look]:
    looks: list[_Look] = []
    with ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as pool:
        for look in pool.map(_open, (image.path for image in images)):
            context.progress(len(looks), len(images), unit="images")
            looks.append(look)
    return looks


def _open(path: Path) -> _Look:
    from core.images import read_image

    try:
        pixels = read_image(path)
    except InputRefusedError as error:
        return _Look(path, problem=error.message)
    digest = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()
    return _Look(path, pixels.shape[1], pixels.shape[0], digest)


def _copies(looks: Sequence[_Look]) -> int:
    digests = [look.digest for look in looks if look.digest]
    return len(digests) - len(set(digests))


def _counts(images: Sequence[Masked]) -> Mapping[str, int]:
    found = Counter(image.code for image in images)
    return {code: found[code] for code in CLASS_CODES}


def _oddities(looks: Sequence[_Look]) -> Iterator[str]:
    sizes = Counter((one.width, one.height) for one in looks if not one.problem)
    if len(sizes) > 1:
        common = ", ".join(f"{width}×{height} ({count})" for (width, height), count in sizes.most_common(SHOWN))
        yield Message("Its images differ in size: {sizes}.", sizes=common + (", …" if len(sizes) > SHOWN else ""))
    if copies := _copies(looks):
        yield Message("Exact copies of others: %n photograph(s).", n=copies)
    bad = [one.path for one in looks if one.problem]
    if bad:
        yield Message("Skipped because unreadable: %n file(s) ({names}).", n=len(bad), names=named(bad))


def _masks(
    request: DataCheckRequest, images: Sequence[Masked], context: JobContext
) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    home = request.photos if request.photos.is_dir() else request.photos.parent
    folder = request.masks or home / MASKS_FOLDER
    if request.masks is None and not folder.is_dir():
        return None, ()
    found = find_masks(images, folder)
    empty, problems = 0, []
    for index, path in enumerate(found.of.values()):
        context.progress(index, len(found.of), unit="masks")
        try:
            empty += not read_mask(path).any()
        except InputRefusedError as error:
            problems.append(error.message)
    masks = {**_masks_json(folder, found, empty), "unreadable": len(problems)}
    return masks, (found.sentence(empty), *problems[:SHOWN])


def _masks_json(folder: Path, found: FoundMasks, empty: int) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "found": len(found.of),
        "of": found.images,
        "empty": empty,
        "ambiguous": len(found.ambiguous),
        "unused": len(found.unused),
    }


def _write_sheet(images: Sequence[Masked], looks: Sequence[_Look], output: Path) -> Path:
    from photographs.thumbnails import class_sheet

    readable = {one.path for one in looks if not one.problem}
    by_class: dict[str, list[Path]] = {}
    for code in (*CLASS_CODES, None):
        own = [image.path for image in images if image.code == code and image.path in readable]
        if own:
            by_class[code or "?"] = own
    buffer = io.BytesIO()
    class_sheet(by_class).save(buffer, "PNG")
    with output_errors(output):
        output.mkdir(parents=True, exist_ok=True)
        replace_kept(output / SHEET, buffer.getvalue())
    return output / SHEET
