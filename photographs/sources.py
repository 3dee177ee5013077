"""Any data set of labelled photographs that this program trains on: which form it has, and what it holds.

=============  =========================================================================================================
kind           what lies there
=============  =========================================================================================================
``labels.csv``  this program's own table: columns id, class, lesion_id, path (relative to the table) and maybe split
``ham10000``    `HAM10000_metadata.csv`, also in `metadata/`; photographs in `images/` or `HAM10000_images_part_1`, `_2`
``isic2018``    `*_GroundTruth.csv`: image and one column a class, 0 or 1; photographs in the `*_Input` folder beside it
``imagefolder`` one folder a class, maybe inside `train/`, `val/` and `test/`
``csv``         a table with the columns path (relative to it), class and maybe group (the lesion); named as a file
``jsonl``       manifests with a JSON object a line, see `photographs.manifest`; a folder of nothing else, or a file
=============  =========================================================================================================

The tables ``labels.csv`` and ``csv`` may also have the columns licence and attribution.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from core.errors import InputRefusedError
from core.files.opening import special_kind
from core.message import Message
from photographs.image_folders import has_class_folders, read_class_folders
from photographs.label_forms import (
    CSV_COLUMNS,
    HAM_COLUMNS,
    ISIC_COLUMNS,
    OWN_COLUMNS,
    Found,
    read_csv,
    read_ham10000,
    read_isic2018,
    read_own_table,
)
from photographs.label_table import read_columns
from photographs.label_terms import read_terms
from photographs.labelled import LABELS_FILE, LabelledImage, class_of_lesion
from photographs.licence import Licence
from photographs.manifest import is_manifest, read_manifests

Kind = Literal["labels.csv", "ham10000", "isic2018", "imagefolder", "csv", "jsonl"]

MAX_MISSING: Final = 0.05
"""Share of images without a file above which a data set is refused."""

HAM_TABLES: Final = ("ham10000_metadata.csv", "ham10000_metadata", "ham10000_metadata.tab")
NAMED: Final = 3

EXPECTED: Final = (
    f"Expected is one of: {LABELS_FILE} with the columns {', '.join(OWN_COLUMNS)}; HAM10000_metadata.csv with images/ "
    "or HAM10000_images_part_1 and _2; an ISIC 2018 *_GroundTruth.csv beside its *_Input folder; one folder for each "
    f"class, maybe inside train/, val/ and test/; a CSV file with the columns {', '.join(CSV_COLUMNS)} and group, "
    "named itself; or JSONL manifests with image_path and label."
)

_READERS: Final[dict[Kind, Callable[[Sequence[Path]], Found]]] = {
    "labels.csv": read_own_table,
    "ham10000": read_ham10000,
    "isic2018": read_isic2018,
    "csv": read_csv,
}
_WITH_TERMS: Final[frozenset[Kind]] = frozenset({"labels.csv", "csv"})
_COLUMNS: Final[dict[Kind, Sequence[str]]] = {
    "labels.csv": OWN_COLUMNS,
    "ham10000": HAM_COLUMNS,
    "isic2018": ISIC_COLUMNS,
    "csv": CSV_COLUMNS,
}


@dataclass(frozen=True, slots=True)
class Photographs:
    """A data set.

    Attributes
    ----------
    images
        Sorted by id; every file was there when the data set was read.
    kind
        The form it has.
    grouped
        Whether it says which photographs show the same lesion.
    source
        The folder or file that was read.
    missing
        Files that the tables name and that are not there.
    notes
        What a person should know, one plain sentence each: missing files, repeated rows, what was passed over.
    terms
        Licence and credit that the table itself names; unknown where it names none.
    """

    images: tuple[LabelledImage, ...]
    kind: Kind
    grouped: bool
    source: Path
    missing: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    terms: Licence = field(default_factory=Licence)


def read_dataset(path: Path) -> Photographs:
    """Read the labels of a data set; no picture is opened.

    Parameters
    ----------
    path
        A folder of one of the forms, or a table itself. A `labels.csv` decides, whatever else the folder holds.

    Raises
    ------
    InputRefusedError
        If nothing is there, if it has none or more than one of the forms, if more than 5 % of the files are missing,
        or if an image or a lesion has two classes.
    """
    if not os.path.exists(path):
        raise InputRefusedError(f"There is no {path}.", remedy="Check the path.", path=path)
    if kind := special_kind(path):
        raise InputRefusedError(f"{path} is {kind}, not a data set.", remedy="Name a folder or a table.", path=path)
    try:
        return _read(path)
    except OSError as error:
        raise InputRefusedError(
            f"The data set {path} cannot be read: {error}.", remedy="Check that you may read the folder.", path=path
        ) from error


def _read(path: Path) -> Photographs:
    kind, tables = _form_of_table(path) if path.is_file() else _form_of_folder(path)
    found, notes = _read_images(path, kind, tables)
    distinct = _without_repetitions(found)
    present, missing = _partition(distinct)
    _refuse_if_too_many_are_missing(distinct, missing, path)
    class_of_lesion(present)
    more = _notes(len(found) - len(distinct), len(distinct), present, missing)
    images = tuple(sorted(present, key=lambda image: image.image_id))
    grouped = any(_names_lesion(image) for image in images)
    terms = read_terms(tables[0]) if kind in _WITH_TERMS else Licence()
    return Photographs(images, kind, grouped, path, tuple(image.path for image in missing), (*notes, *more), terms)


def _read_images(path: Path, kind: Kind, tables: Sequence[Path]) -> Found:
    if kind == "imagefolder":
        return read_class_folders(path)
    return read_manifests(tables) if kind == "jsonl" else _READERS[kind](tables)


def _form_of_table(path: Path) -> tuple[Kind, Sequence[Path]]:
    if is_manifest(path):
        return "jsonl", (path,)
    columns = read_columns(path)
    for kind, wanted in _COLUMNS.items():
        if {name.lower() for name in wanted} <= set(columns):
            return kind, (path,)
    raise InputRefusedError(
        f"{path} is no table of labels that this program knows; its columns are: {', '.join(columns) or 'none'}.",
        remedy=EXPECTED,
        path=path,
    )


def _form_of_folder(folder: Path) -> tuple[Kind, Sequence[Path]]:
    if (folder / LABELS_FILE).is_file():
        return "labels.csv", (folder / LABELS_FILE,)
    tables = _tables(folder)
    forms: dict[Kind, Sequence[Path]] = {
        "ham10000": [table for table in tables if table.name.lower() in HAM_TABLES][:1],
        "isic2018": [table for table in tables if _is_isic(table)],
        "imagefolder": [folder] if has_class_folders(folder) else [],
    }
    found = [kind for kind, where in forms.items() if where]
    if len(found) == 1:
        return found[0], forms[found[0]]
    manifests = [file for file in sorted(folder.iterdir()) if is_manifest(file)]
    if manifests and not found:
        return "jsonl", manifests
    raise _ambiguous(folder, forms) if found else _unknown(folder, tables)


def _tables(folder: Path) -> list[Path]:
    """Return the tables of a folder and of those sub-folders in which the official archives keep theirs."""
    children = sorted(folder.iterdir())
    inside = [child for child in children if child.is_dir() and _keeps_tables(child.name.lower())]
    files = [*children, *(file for child in inside for file in sorted(child.iterdir()))]
    return [file for file in files if file.is_file() and _is_table(file.name.lower())]


def _keeps_tables(name: str) -> bool:
    return name == "metadata" or name.endswith("_groundtruth")


def _is_table(name: str) -> bool:
    return name.endswith(".csv") or name in HAM_TABLES


def _is_isic(table: Path) -> bool:
    return {name.lower() for name in ISIC_COLUMNS} <= set(read_columns(table))


def _ambiguous(folder: Path, forms: dict[Kind, Sequence[Path]]) -> InputRefusedError:
    found = "; ".join(f"{kind} ({', '.join(map(str, where))})" for kind, where in forms.items() if where)
    return InputRefusedError(
        f"{folder} can be read in more than one way: {found}.",
        remedy="Name the table, or the folder that holds the class folders alone.",
        path=folder,
    )


def _unknown(folder: Path, tables: Sequence[Path]) -> InputRefusedError:
    content = ", ".join(sorted(child.name for child in folder.iterdir())[:8]) or "nothing"
    named = [table for table in tables if set(CSV_COLUMNS) <= set(read_columns(table))]
    remedy = f"Name the table itself: {named[0]}." if named else EXPECTED
    return InputRefusedError(f"{folder} is no data set of labelled photographs; it holds {content}.", remedy=remedy)


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
        f"The image {image.image_id} is listed twice, {between}.",
        remedy="Correct the labels: an image is listed once.",
        path=image.path,
    )


def _partition(images: Sequence[LabelledImage]) -> tuple[list[LabelledImage], list[LabelledImage]]:
    there = [os.path.isfile(image.path) for image in images]  # unlike Path, says no to a name that cannot be one
    return (
        [image for image, is_there in zip(images, there, strict=True) if is_there],
        [image for image, is_there in zip(images, there, strict=True) if not is_there],
    )


def _refuse_if_too_many_are_missing(
    images: Sequence[LabelledImage], missing: Sequence[LabelledImage], source: Path
) -> None:
    if not images:
        raise InputRefusedError(f"{source} lists no image.", remedy="Add the photographs.", path=source)
    if len(missing) > MAX_MISSING * len(images):
        raise InputRefusedError(
            f"{_missing(missing, len(images))}.",
            remedy="Check that all photographs lie where the labels say; the archives come in several parts.",
            path=missing[0].path,
        )


def _missing(missing: Sequence[LabelledImage], total: int) -> Message:
    names = ", ".join(str(image.path) for image in missing[:NAMED])
    known = {"missing": len(missing), "total": total, "names": names}
    if len(missing) <= NAMED:
        return Message("{missing} of {total} photographs that the labels name are not there: {names}", **known)
    return Message(
        "{missing} of {total} photographs that the labels name are not there: {names} and {more} more",
        **known,
        more=len(missing) - NAMED,
    )


def _notes(
    repeated: int, total: int, images: Sequence[LabelledImage], missing: Sequence[LabelledImage]
) -> tuple[str, ...]:
    notes = []
    if missing:
        notes.append(Message("{missing}. They are left out.", missing=_missing(missing, total)))
    if repeated:
        notes.append(Message("%n repeated row(s) say the same again and are passed over.", n=repeated))
    alone = sum(not _names_lesion(image) for image in images)
    if alone == len(images):
        notes.append(
            Message("The data set names no lesions: two photographs of one lesion are not recognised as such.")
        )
    elif alone:
        notes.append(
            Message(
                "{alone} of {total} images name no lesion; each is taken for a lesion of its own.",
                alone=alone,
                total=len(images),
            )
        )
    return tuple(notes)


def _names_lesion(image: LabelledImage) -> bool:
    return image.lesion_id != image.image_id
