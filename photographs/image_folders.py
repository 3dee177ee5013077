"""One folder a class, maybe inside `train/`, `val/` and `test/`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from core.errors import InputRefusedError
from core.files.checksum import sha256_of
from core.files.walking import EXPLANATIONS_DIR, Walk, walk
from core.taxonomy import CLASS_INDEX
from photographs.label_forms import PARTS, PICTURE_SUFFIXES
from photographs.labelled import LabelledImage


def has_class_folders(folder: Path) -> bool:
    """Whether a folder, or a part of it such as `train/`, holds at least one folder named like a class."""
    return any(True for _ in _class_folders(folder))


def read_class_folders(folder: Path) -> tuple[list[LabelledImage], tuple[str, ...]]:
    """Return the images in the class folders, and what was passed over in plain words.

    An image's id is its path inside `folder`, since others number their files anew in each class. Lesions are unknown.

    Raises
    ------
    InputRefusedError
        If classes lie both beside and inside `train/`, or two class folders hold the same photograph.
    """
    home = Path(os.path.abspath(folder))
    places = list(_class_folders(home))
    if len({part == "" for part, _ in places}) > 1:
        raise InputRefusedError(
            f"{folder} holds class folders both beside and inside train/, val/ or test/.",
            remedy="Keep one of the two, or name the inner folder.",
            path=folder,
        )
    walks = [(part, child.name.upper(), _walk(child)) for part, child in places]
    files = [(part, code, file) for part, code, found in walks for file in found.files]
    images = [_image(home, part, code, file) for part, code, file in files if _is_picture(file)]
    _refuse_photographs_in_two_classes(images)
    recipes = {image.path.with_suffix(".json") for image in images}  # this program's own, beside its images
    other = [file for _, _, file in files if not _is_picture(file) and file not in recipes]
    special = [note for _, _, found in walks for note in found.notes]
    return images, (*special, *_other_files(other), *_other_folders(home, [child for _, child in places]))


def _class_folders(folder: Path) -> Iterator[tuple[str, Path]]:
    for child in _folders(folder):
        if child.name.upper() in CLASS_INDEX:
            yield "", child
        elif child.name.lower() in PARTS:
            part = PARTS[child.name.lower()]
            yield from ((part, inner) for inner in _folders(child) if inner.name.upper() in CLASS_INDEX)


def _folders(folder: Path) -> list[Path]:
    return sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))


def _walk(folder: Path) -> Walk:
    return walk(folder, lambda name: not name.startswith("."))


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in PICTURE_SUFFIXES


def _image(home: Path, part: str, code: str, file: Path) -> LabelledImage:
    name = file.relative_to(home).as_posix()
    return LabelledImage(name, code, name, part, file)


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
            raise InputRefusedError(
                f"The same photograph lies in {first.code} and in {image.code}: {first.path} and {image.path}.",
                remedy="Remove the wrong one.",
                path=image.path,
            )


def _other_files(files: Iterable[Path]) -> tuple[str, ...]:
    kinds = Counter(file.suffix.lower() or "no suffix" for file in files)
    named = ", ".join(f"{count} of {suffix}" for suffix, count in sorted(kinds.items()))
    return (f"Files that are no PNG, JPEG, BMP or TIFF are passed over: {named}.",) if kinds else ()


def _other_folders(home: Path, classes: Sequence[Path]) -> tuple[str, ...]:
    parents = {child.parent for child in classes}
    known = (*classes, home / EXPLANATIONS_DIR)  # maps, no lesions
    other = [child for parent in sorted(parents) for child in _folders(parent) if child not in known]
    filled = [child.relative_to(home).as_posix() for child in other if any(map(_is_picture, _walk(child).files))]
    return (f"Folders that are none of the seven classes are passed over: {', '.join(filled)}.",) if filled else ()
