"""Any data set of labelled photographs that this program trains on: which form it has, and what it holds.

The forms are the entries of `photographs.label_forms.LABEL_FORMS`, one file each in `photographs.forms`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from core.errors import InputRefusedError
from core.files.opening import special_kind
from core.message import Message
from photographs.label_forms import LABEL_FORMS, FolderContents, LabelForm, UnknownFormError, contents_of, expected
from photographs.label_table import read_columns, read_table
from photographs.label_terms import read_terms
from photographs.labelled import LabelledImage, class_of_lesion
from photographs.licence import Licence
from photographs.manifest import FILE_NAME, is_manifest

MAX_MISSING: Final = 0.05
"""Share of images without a file above which a data set is refused."""

NAMED: Final = 3
NO_LESIONS: Final = Message(
    "The data set has no lesion identifiers: photographs of the same lesion cannot be recognised."
)
"""The note of a data set whose photographs cannot be distinguished by lesion."""


@dataclass(frozen=True, slots=True)
class Photographs:
    """A data set.

    Attributes
    ----------
    images
        Sorted by id; every file was there when the data set was read.
    kind
        The form it has: a key of `LABEL_FORMS`.
    grouped
        Whether it says which photographs show the same lesion.
    source
        The folder or file that was read.
    missing
        Files that the tables name and that are not there.
    notes
        What a person should know, one plain sentence each: missing files, repeated rows, what was ignored.
    terms
        Licence and credit that the table itself names; unknown where it names none.
    generated
        How many of the images are generated, where somebody has looked and allowed it.
    """

    images: tuple[LabelledImage, ...]
    kind: str
    grouped: bool
    source: Path
    missing: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    terms: Licence = field(default_factory=Licence)
    generated: int = 0


def read_dataset(path: Path) -> Photographs:
    """Read the labels of a data set; no picture is opened.

    Parameters
    ----------
    path
        A folder of one of the forms, or a table itself. A `labels.csv` decides, whatever else the folder holds.

    Raises
    ------
    UnknownFormError
        If a folder has none of the forms.
    InputRefusedError
        If nothing is there, if it has more than one of the forms, if more than 5 % of the files are missing, or if an
        image or a lesion has two classes.
    """
    if not os.path.exists(path):
        raise InputRefusedError(Message("There is no {path}.", path=path), remedy=Message("Check the path."), path=path)
    if kind := special_kind(path):
        raise InputRefusedError(
            Message("{path} is {kind}, not a data set.", path=path, kind=kind),
            remedy=Message("Name a folder or a table."),
            path=path,
        )
    try:
        return _read(path)
    except OSError as error:
        raise InputRefusedError(
            Message("The data set {path} cannot be read: {error}.", path=path, error=error),
            remedy=Message("Check that you may read the folder."),
            path=path,
        ) from error


def _read(path: Path) -> Photographs:
    form, tables = _form_of_table(path) if path.is_file() else _form_of_folder(path)
    found, notes = form.read(tables)
    distinct = _without_repetitions(found)
    present, missing = _partition(distinct)
    _refuse_if_too_many_are_missing(distinct, missing, path, notes)
    class_of_lesion(present)
    more = _notes(len(found) - len(distinct), len(distinct), present, missing)
    images = tuple(sorted(present, key=lambda image: image.image_id))
    grouped = any(_names_lesion(image) for image in images)
    terms = read_terms(tables[0]) if form.terms else Licence()
    missed = tuple(image.path for image in missing)
    return Photographs(images, form.key, grouped, path, missed, (*notes, *more), terms)


def _form_of_table(path: Path) -> tuple[LabelForm, Sequence[Path]]:
    if is_manifest(path):
        return LABEL_FORMS["jsonl"], (path,)
    if is_manifest(path, FILE_NAME):
        return LABEL_FORMS["huggingface"], (path,)
    columns = read_columns(path)
    fitting = [form for form in LABEL_FORMS.values() if form.columns and _lower(form.columns) <= set(columns)]
    if fitting:
        return max(fitting, key=lambda form: len(form.columns)), (path,)
    if not columns:
        read_table(path)  # says what is wrong with its text
    raise InputRefusedError(
        Message(
            "{path} is not a known table of labels; its columns are: {columns}.",
            path=path,
            columns=", ".join(columns) or "none",
        ),
        remedy=expected(),
        path=path,
    )


def _form_of_folder(folder: Path) -> tuple[LabelForm, Sequence[Path]]:
    contents = contents_of(folder)
    for rank in sorted({form.rank for form in LABEL_FORMS.values()}):
        forms = [form for form in LABEL_FORMS.values() if form.rank == rank]
        found = [(form, where) for form in forms if (where := form.find(contents))]
        if len(found) == 1:
            return found[0]
        if found:
            raise _ambiguous(folder, found)
    raise _unknown(contents)


def _lower(names: Sequence[str]) -> set[str]:
    return {name.lower() for name in names}


def _ambiguous(folder: Path, forms: Sequence[tuple[LabelForm, Sequence[Path]]]) -> InputRefusedError:
    found = "; ".join(f"{form.key} ({', '.join(map(str, where))})" for form, where in forms)
    return InputRefusedError(
        Message("{folder} can be read in more than one way: {found}.", folder=folder, found=found),
        remedy=Message("Name the table, or the folder that holds the class folders alone."),
        path=folder,
    )


def _unknown(contents: FolderContents) -> InputRefusedError:
    content = ", ".join(child.name for child in contents.children[:8]) or "nothing"
    named = contents.with_columns(LABEL_FORMS["csv"].columns)
    remedy = f"Name the table itself: {named[0]}." if named else expected()
    return UnknownFormError(
        Message(
            "{folder} is no data set of labelled photographs; it holds {content}.",
            folder=contents.folder,
            content=content,
        ),
        remedy=remedy,
    )


def _without_repetitions(images: Sequence[LabelledImage]) -> list[LabelledImage]:
    by_id: dict[str, LabelledImage] = {}
    by_path: dict[Path, LabelledImage] = {}
    distinct = []
    for image in images:
        known = by_id.setdefault(image.image_id, image)
        if known is image:
            known = by_path.setdefault(image.path, image)
        if known is image:
            distinct.append(image)
        else:
            _refuse_contradiction(known, image)
    return distinct


def _refuse_contradiction(known: LabelledImage, image: LabelledImage) -> None:
    if known.code != image.code:
        between = f"with the classes {known.code} and {image.code}"
    elif known.path != image.path:
        between = f"for two files, {known.path} and {image.path}"
    elif _names_lesion(known) and _names_lesion(image) and known.lesion_id != image.lesion_id:
        between = f"with the lesions {known.lesion_id} and {image.lesion_id}"
    elif known.split != image.split:
        between = f"in the parts '{known.split}' and '{image.split}'"
    else:
        return
    raise InputRefusedError(
        Message("The image {image_id} is listed twice, {between}.", image_id=image.image_id, between=between),
        remedy=Message("Correct the labels: an image is listed once."),
        path=image.path,
    )


def _partition(images: Sequence[LabelledImage]) -> tuple[list[LabelledImage], list[LabelledImage]]:
    there = [os.path.isfile(image.path) for image in images]  # unlike Path, says no to a name that cannot be one
    return (
        [image for image, is_there in zip(images, there, strict=True) if is_there],
        [image for image, is_there in zip(images, there, strict=True) if not is_there],
    )


def _refuse_if_too_many_are_missing(
    images: Sequence[LabelledImage], missing: Sequence[LabelledImage], source: Path, notes: Sequence[str]
) -> None:
    if not images:
        why = "".join(f" {note}" for note in notes)
        raise InputRefusedError(
            Message("{source} lists no image of the seven classes.{why}", source=source, why=why),
            remedy=expected(),
            path=source,
        )
    if len(missing) > MAX_MISSING * len(images):
        raise InputRefusedError(
            Message("{missing}.", missing=_missing(missing, len(images))),
            remedy=Message("Check that all photographs are where the labels say; the archives come in several parts."),
            path=missing[0].path,
        )


def _missing(missing: Sequence[LabelledImage], total: int) -> Message:
    names = ", ".join(str(image.path) for image in missing[:NAMED])
    known = {"missing": len(missing), "total": total, "names": names}
    if len(missing) <= NAMED:
        return Message("{missing} of {total} labelled photographs are missing: {names}", **known)
    return Message(
        "{missing} of {total} labelled photographs are missing: {names} and {more} more",
        **known,
        more=len(missing) - NAMED,
    )


def _notes(
    repeated: int, total: int, images: Sequence[LabelledImage], missing: Sequence[LabelledImage]
) -> tuple[str, ...]:
    notes = []
    if missing:
        notes.append(Message("{missing}. They are ignored.", missing=_missing(missing, total)))
    if repeated:
        notes.append(Message("Ignored: %n duplicate row(s).", n=repeated))
    alone = sum(not _names_lesion(image) for image in images)
    if alone == len(images):
        notes.append(NO_LESIONS)
    elif alone:
        notes.append(
            Message(
                "{alone} of {total} images have no lesion identifier; each counts as a separate lesion.",
                alone=alone,
                total=len(images),
            )
        )
    return tuple(notes)


def _names_lesion(image: LabelledImage) -> bool:
    return image.lesion_id != image.image_id
