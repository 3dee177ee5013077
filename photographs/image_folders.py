"""One folder a class, named by its code or its full name, maybe inside `train/`, `val/` and `test/`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputRefusedError
from core.files.opening import sha256_of
from core.files.walking import EXPLANATIONS_DIR, walk
from core.message import Message
from photographs.diagnoses import Named, class_of, left_out
from photographs.files import KINDS_READ, Pictures, find_photographs, may_hold_photographs
from photographs.labelled import PARTS, LabelledImage


class CopiesInTwoClassesError(InputRefusedError):
    """Two class folders that hold the same photograph: as labels it is a mistake, as a set of pictures it is not."""


@dataclass(frozen=True, slots=True)
class _ClassFolder:
    """A folder of one class: its part, its class and what is in it."""

    part: str
    code: str
    path: Path
    found: Pictures


def has_class_folders(folder: Path) -> bool:
    """Whether a folder, or a part of it such as `train/`, holds at least one folder named like a class."""
    return any(True for _ in _class_folders(folder))


def read_class_folders(folder: Path) -> tuple[list[LabelledImage], tuple[str, ...]]:
    """Return the images in the class folders, and what was ignored in plain words.

    An image's id is its path inside `folder`, since others number their files again in each class. Lesions are unknown.

    Raises
    ------
    CopiesInTwoClassesError
        If two class folders hold the same photograph.
    InputRefusedError
        If classes lie both beside and inside `train/`, or there is no photograph.
    """
    home = Path(os.path.abspath(folder))
    places = list(_class_folders(home))
    if len({part == "" for part, _, _ in places}) > 1:
        raise InputRefusedError(
            Message("{folder} holds class folders both next to and inside train/, val/ or test/.", folder=folder),
            remedy=Message("Keep one of the two, or name the inner folder."),
            path=folder,
        )
    classes = [_ClassFolder(part, code, child, find_photographs(child)) for part, code, child in places]
    whole = _together(classes)
    images = [_image(home, one, file) for one in classes for file in one.found.files]
    images = _without_second_ways(images)
    _refuse_no_photograph(folder, images, whole)
    _refuse_photographs_in_two_classes(images)
    notes = (*_names(classes), *whole.notes, *_other_files(classes, images), *_other_folders(home, classes))
    return images, notes


def _class_folders(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield part, class and path of each folder that is named like a class."""
    for child in _folders(folder):
        if code := class_of(child.name):
            yield "", code, child
        elif child.name.lower() in PARTS:
            part = PARTS[child.name.lower()]
            inner = [(class_of(one.name), one) for one in _folders(child)]
            yield from ((part, code, one) for code, one in inner if code)


def _folders(folder: Path) -> list[Path]:
    return sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))


def _together(classes: Sequence[_ClassFolder]) -> Pictures:
    found = [one.found for one in classes]
    return Pictures(
        tuple(file for each in found for file in each.files),
        tuple(file for each in found for file in each.helpers),
        tuple(file for each in found for file in each.in_the_cloud),
        tuple(file for each in found for file in each.unread),
        tuple(other for each in found for other in each.passed_over),
    )


def _image(home: Path, one: _ClassFolder, file: Path) -> LabelledImage:
    name = file.relative_to(home).as_posix()
    return LabelledImage(name, one.code, name, one.part, file)


def _without_second_ways(images: Sequence[LabelledImage]) -> list[LabelledImage]:
    """Leave out photographs of a class that a link has led to before."""
    first: dict[tuple[str, str], LabelledImage] = {}
    for image in sorted(images, key=lambda image: os.path.realpath(image.path) != str(image.path)):
        first.setdefault((image.code, os.path.realpath(image.path)), image)
    kept = {image.image_id for image in first.values()}
    return [image for image in images if image.image_id in kept]


def _names(classes: Sequence[_ClassFolder]) -> Iterator[Message]:
    named = Named()
    for one in classes:
        named.code(one.path.name)
    yield from named.notes


def _refuse_no_photograph(folder: Path, images: Sequence[LabelledImage], whole: Pictures) -> None:
    if not images:
        raise InputRefusedError(
            Message("The class folders of {folder} hold no photograph that can be read.", folder=folder),
            remedy=whole.remedy,
            path=folder,
        )


def _refuse_photographs_in_two_classes(images: Sequence[LabelledImage]) -> None:
    """Compare the files that have one name in several classes: numbers repeat, but the same content is a mistake."""
    by_name: dict[str, list[LabelledImage]] = {}
    for image in images:
        by_name.setdefault(image.path.name.lower(), []).append(image)
    for namesakes in by_name.values():
        if len({image.code for image in namesakes}) > 1:
            _refuse_copies_in_two_classes(namesakes)


def _refuse_copies_in_two_classes(images: Sequence[LabelledImage]) -> None:
    known: dict[str, LabelledImage] = {}
    for image in images:
        first = known.setdefault(sha256_of(image.path), image)
        if first.code != image.code:
            raise CopiesInTwoClassesError(
                Message(
                    "The same photograph is in {code} and in {code2}: {path} and {path2}.",
                    code=first.code,
                    code2=image.code,
                    path=first.path,
                    path2=image.path,
                ),
                remedy=Message("Remove the wrong one."),
                path=image.path,
            )


def _other_files(classes: Sequence[_ClassFolder], images: Sequence[LabelledImage]) -> Iterator[str]:
    """Count files that are no pictures, this program's own beside its images left out."""
    recipes = {image.path.with_suffix(".json") for image in images}
    told = {file for one in classes for file in (*one.found.files, *one.found.helpers, *one.found.unread)}
    files = [file for one in classes for file in _all_files(one.path) if file not in told and file not in recipes]
    kinds = Counter(file.suffix.lower() or "no suffix" for file in files)
    named = ", ".join(f"{count} of {suffix}" for suffix, count in sorted(kinds.items()))
    if kinds:
        yield Message("Files that are not {kinds} are ignored: {named}.", kinds=KINDS_READ, named=named)


def _all_files(folder: Path) -> Iterable[Path]:
    return walk(folder, lambda name: not name.startswith("."), may_hold_photographs).files


def _other_folders(home: Path, classes: Sequence[_ClassFolder]) -> Iterator[str]:
    """Count the photographs of folders that are none of the seven classes, those of other diagnoses among them."""
    known = {*(one.path for one in classes), home / EXPLANATIONS_DIR}  # maps, no lesions
    parents = {one.path.parent for one in classes}
    other = [child for parent in sorted(parents) for child in _folders(parent) if child not in known]
    filled = Counter({child.relative_to(home).as_posix(): len(find_photographs(child).files) for child in other})
    filled += Counter()  # drops those without photographs
    if filled:
        yield left_out(filled)
