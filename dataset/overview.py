"""What a data set of photographs holds, told before anything is trained on it: its form, counts, lesions, leakage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.taxonomy import CLASS_CODES
from photographs.labelled import LabelledImage
from photographs.licence import licence_of
from photographs.masks import MASKS_FOLDER
from photographs.sources import Photographs, read_dataset
from photographs.splits import split_by_lesion


@dataclass(frozen=True, slots=True)
class Overview:
    """A data set in numbers.

    Attributes
    ----------
    kind
        The form it has; see `photographs.sources`.
    images, lesions
        By class code, in canonical order; classes without photographs are left out. Without known lesions each image
        counts as one.
    grouped
        Whether it says which photographs show the same lesion.
    leakage
        The measurement for the usual split, in one sentence; empty where no lesions are known: then only the contents
        of all files could tell, which is measured when training begins.
    leaks
        Whether held-out images show lesions of training: such a split is refused.
    licence
        Terms of the photographs, or ``unknown``.
    masks
        Whether lesion masks are next to the photographs.
    notes
        What was ignored or is missing, one sentence each.
    """

    source: Path
    kind: str
    images: dict[str, int]
    lesions: dict[str, int]
    grouped: bool
    leakage: str
    leaks: bool
    licence: str
    masks: bool
    notes: tuple[str, ...]


def overview(path: Path) -> Overview:
    """Look at a data set; no picture is opened.

    Raises
    ------
    InputRefusedError
        If it cannot be read, or not be split.
    """
    return overview_of(read_dataset(path))


def overview_of(photographs: Photographs) -> Overview:
    """Look at a data set whose labels have been read.

    Raises
    ------
    InputRefusedError
        If it cannot be split.
    """
    path = photographs.source
    sentence, leaks = _leakage(photographs)
    return Overview(
        source=path,
        kind=photographs.kind,
        images=_counts(photographs.images),
        lesions=_lesions(photographs.images),
        grouped=photographs.grouped,
        leakage=sentence,
        leaks=leaks,
        licence=licence_of(photographs.kind, stated=photographs.terms).name,
        masks=(path if path.is_dir() else path.parent).joinpath(MASKS_FOLDER).is_dir(),
        notes=photographs.notes,
    )


def _leakage(photographs: Photographs) -> tuple[str, bool]:
    if not photographs.grouped:
        return "", False
    leakage = split_by_lesion(photographs.images).leakage
    return leakage.sentence, leakage.leaked > 0


def _counts(images: Sequence[LabelledImage]) -> dict[str, int]:
    found = Counter(image.code for image in images)
    return {code: found[code] for code in CLASS_CODES if found[code]}


def _lesions(images: Sequence[LabelledImage]) -> dict[str, int]:
    found = Counter(code for code, _ in {(image.code, image.lesion_id) for image in images})
    return {code: found[code] for code in CLASS_CODES if found[code]}
