"""Sets of images to compare: whatever a folder holds, read so that one bad file spoils nothing."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import InputRefusedError
from core.files.text import plain
from core.jobs.stream import JobContext
from core.message import Message
from core.taxonomy import CLASS_CODES, CLASS_INDEX
from photographs.files import Pictures, find_photographs
from photographs.image_folders import CopiesInTwoClassesError
from photographs.label_forms import UnknownFormError
from photographs.labelled import LabelledImage
from photographs.pixels import read_square
from photographs.sources import NO_LESIONS, read_dataset
from photographs.splits import split_by_lesion

MAX_THREADS: Final = 8
BLOCK: Final = 256
"""Images in memory at once."""

NO_CLASS: Final = -1


@dataclass(frozen=True, slots=True)
class SetImage:
    """One image.

    Attributes
    ----------
    name
        Its path inside the set, with slashes.
    code
        Class code; None where nothing says it.
    lesion
        What it shows; images of one lesion are no independent witnesses. Its own name where nothing says it.
    part
        The part that the data set itself assigns: ``train``, ``val``, ``test``, or empty.
    content
        Digest of its pixels: equal for exact copies, whatever their files are called and hold beside pixels.
    """

    path: Path
    name: str
    code: str | None
    lesion: str
    part: str = ""
    content: str = ""


@dataclass(frozen=True, slots=True)
class ImageSet:
    """A set of images that can all be read.

    Attributes
    ----------
    name
        What the report calls it.
    unreadable
        Path and reason of files that cannot be read.
    sizes
        Number of images by (width, height).
    grouped
        Whether the set says which images show the same lesion.
    notes
        What a person should know, one sentence each.
    """

    folder: Path
    name: str
    images: tuple[SetImage, ...]
    unreadable: tuple[tuple[Path, str], ...] = ()
    sizes: tuple[tuple[tuple[int, int], int], ...] = ()
    grouped: bool = False
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labels(self) -> NDArray[np.int64]:
        """Canonical class of each image, (N,); -1 where it is unknown."""
        codes = [image.code for image in self.images]
        return np.array([NO_CLASS if code is None else CLASS_INDEX[code] for code in codes], dtype=np.int64)

    @property
    def lesions(self) -> list[str]:
        """Lesion of each image."""
        return [image.lesion for image in self.images]

    @property
    def are_exact_copies(self) -> NDArray[np.bool_]:
        """Whether the set holds another image of exactly the same pixels, for each image, (N,)."""
        found = Counter(image.content for image in self.images)
        return np.array([found[image.content] > 1 for image in self.images], dtype=bool)

    @property
    def counts(self) -> dict[str, int]:
        """Images by class, canonical order; classes without images are left out."""
        found = Counter(image.code for image in self.images)
        return {code: found[code] for code in CLASS_CODES if found[code]}

    @property
    def side(self) -> int:
        """The side at which most images can be compared without enlarging: the commonest shorter side."""
        sides: Counter[int] = Counter()
        for (width, height), count in self.sizes:
            sides[min(width, height)] += count
        return sides.most_common(1)[0][0] if sides else 0

    def only(self, rows: Sequence[int]) -> ImageSet:
        """Return the set of some of the images."""
        return replace(self, images=tuple(self.images[row] for row in rows))

    def pixels(self, side: int) -> NDArray[np.uint8]:
        """Return the middle squares, uint8 (N, 3, side, side)."""
        blocks = list(self.blocks(side))
        return np.concatenate(blocks) if blocks else np.empty((0, 3, side, side), dtype=np.uint8)

    def blocks(self, side: int) -> Iterator[NDArray[np.uint8]]:
        """Yield the middle squares a block at a time."""
        with ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as pool:
            for start in range(0, len(self.images), BLOCK):
                paths = [image.path for image in self.images[start : start + BLOCK]]
                squares = pool.map(lambda path: read_square(path, side), paths)
                yield np.stack(list(squares)).transpose(0, 3, 1, 2)


def read_set(folder: Path, name: str | None = None, context: JobContext | None = None) -> ImageSet:
    """Read a set: a data set of one of the known forms, an output folder, or any folder with pictures in it.

    Parameters
    ----------
    name
        What the report calls it; the folder's name if None.
    context
        Told how many pictures have been opened, and of how many.

    Raises
    ------
    InputRefusedError
        If nothing is there, or no picture can be read.
    """
    refuse_missing(folder)
    images, grouped, notes = _find(folder)
    found = ImageSet(folder, plain(name or folder.resolve().name), tuple(images), grouped=grouped, notes=notes)
    return _checked(found, context or JobContext())


def refuse_missing(*folders: Path) -> None:
    """Refuse the first folder or file that is not there; raises InputRefusedError."""
    for folder in folders:
        if not folder.exists():
            raise InputRefusedError(
                Message("There is no file or folder {path}.", path=folder),
                remedy=Message("Check the path."),
                path=folder,
            )


def divide(whole: ImageSet) -> tuple[ImageSet, ImageSet]:
    """Divide one data set into what a generator may have learnt from and what the starter models held out, by lesion.

    Raises
    ------
    InputRefusedError
        If that leaves one of the two empty.
    """
    labelled = [
        LabelledImage(image.name, image.code, image.lesion, image.part, image.path)
        for image in whole.images
        if image.code is not None
    ]
    splits = split_by_lesion(labelled)
    held = {image.image_id for image in (*splits.test, *splits.validation, *splits.extra)}
    rows = [row for row, image in enumerate(whole.images) if image.code is not None]
    train = whole.only([row for row in rows if whole.images[row].name not in held])
    rest = whole.only([row for row in rows if whole.images[row].name in held])
    if not len(rest):
        raise InputRefusedError(
            Message("{path} has too few lesions to hold some out.", path=whole.folder),
            remedy=Message("Name other photographs with --real."),
            path=whole.folder,
        )
    return train, rest


def refuse_shared_pictures(train: ImageSet, held_out: ImageSet) -> None:
    """Refuse photographs that are on both sides: next to themselves no copy would look suspicious any more.

    Raises
    ------
    InputRefusedError
        If an image of one set is, pixel for pixel, an image of the other.
    """
    known = {image.content for image in train.images}
    shared = [image.name for image in held_out.images if image.content in known]
    if shared:
        raise InputRefusedError(
            Message(
                "{n} of the {total} held-out photographs are also training photographs, such as {name}.",
                n=len(shared), total=len(held_out), name=shared[0],
            ),
            remedy=Message("Name one data set for both: it is split by lesion. Or remove them from one of the two."),
            path=held_out.folder,
        )  # fmt: skip


def lesions_in_both(train: ImageSet, held_out: ImageSet) -> Message | None:
    """Return a warning if lesions of the same name are on both sides, or None."""
    shared = sorted({*train.lesions} & {*held_out.lesions}) if train.grouped and held_out.grouped else []
    if not shared:
        return None
    return Message(

            "Training and held-out photographs share lesion names ({n}, such as {name}): if these are "
            "the same lesions, copies are missed.",
        n=len(shared), name=shared[0],
    )  # fmt: skip


def _find(folder: Path) -> tuple[list[SetImage], bool, tuple[str, ...]]:
    try:
        found = read_dataset(folder)
    except (UnknownFormError, CopiesInTwoClassesError) as error:
        return _find_in_folders(folder, error)
    images = [SetImage(image.path, image.image_id, image.code, image.lesion_id, image.split) for image in found.images]
    notes = tuple(Message("{note}", note=note) for note in found.notes if note != NO_LESIONS)
    return images, found.grouped, notes


def _find_in_folders(folder: Path, error: InputRefusedError) -> tuple[list[SetImage], bool, tuple[str, ...]]:
    """Take whatever pictures lie in a folder that is no data set, for the reason that `error` gives."""
    found = find_photographs(folder) if folder.is_dir() else Pictures(())
    if not found.files:
        raise InputRefusedError(
            Message("{path} holds no images.", path=folder),
            remedy=found.remedy,
            path=folder,
        ) from error
    note = Message("Read as a folder of images, with classes from the folder names: {why}", why=error.message)
    return [_by_folder(folder, path) for path in found.files], False, (note, *found.notes)


def _by_folder(home: Path, path: Path) -> SetImage:
    name, code = path.relative_to(home).as_posix(), path.parent.name.upper()
    return SetImage(path, name, code if code in CLASS_INDEX else None, name)


@dataclass(frozen=True, slots=True)
class _Look:
    """What is seen of a picture that decodes: width and height, and the digest of its pixels."""

    size: tuple[int, int]
    content: str


def _checked(found: ImageSet, context: JobContext) -> ImageSet:
    """Open every picture once; leave out those that cannot be read."""
    looks: list[_Look | str] = []
    with ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as pool:
        for look in pool.map(_look, (image.path for image in found.images)):
            context.progress(len(looks), len(found.images), unit="images")
            looks.append(look)
    pairs = list(zip(found.images, looks, strict=True))
    unreadable = tuple((image.path, look) for image, look in pairs if isinstance(look, str))
    readable = [(image, look) for image, look in pairs if not isinstance(look, str)]
    if not readable:
        raise InputRefusedError(
            Message("No image in {path} can be read: {why}", path=found.folder, why=unreadable[0][1]),
            remedy=Message("Check that the folder was copied completely."),
            path=found.folder,
        )
    sizes = Counter(look.size for _, look in readable)
    notes = (*found.notes, *_size_notes(sizes), *_unreadable_notes(unreadable))
    images = tuple(replace(image, content=look.content) for image, look in readable)
    return replace(found, images=images, unreadable=unreadable, sizes=tuple(sizes.most_common()), notes=notes)


def _look(path: Path) -> _Look | str:
    """Return what is seen of a picture, or why it does not decode."""
    from core.images import read_image

    try:
        pixels = np.ascontiguousarray(read_image(path))
    except InputRefusedError as error:
        return error.message
    height, width = pixels.shape[:2]
    return _Look((width, height), hashlib.blake2b(f"{width}x{height}".encode() + pixels.tobytes()).hexdigest()[:32])


def _size_notes(sizes: Counter[tuple[int, int]]) -> Iterator[str]:
    if len(sizes) > 1:
        named = ", ".join(f"{width}×{height} ({count})" for (width, height), count in sizes.most_common(3))
        yield Message("Its images differ in size: {sizes}.", sizes=named + (", …" if len(sizes) > 3 else ""))


def _unreadable_notes(unreadable: Sequence[tuple[Path, str]]) -> Iterator[str]:
    if unreadable:
        names = ", ".join(path.name for path, _ in unreadable[:3]) + (", …" if len(unreadable) > 3 else "")
        yield Message("Skipped because unreadable: %n file(s) ({names}).", n=len(unreadable), names=names)
