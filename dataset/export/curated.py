"""An export that obeys a curation file: what it leaves out stays out, and the file goes along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputRefusedError
from core.files.opening import read_regular
from core.message import Message
from dataset.curation import CURATION_FILE, Choice, read_curation
from dataset.export.pictures import Picture
from photographs.label_table import MAX_BYTES


@dataclass(frozen=True, slots=True)
class Curated:
    """What is left of some pictures.

    Attributes
    ----------
    warnings
        Damaged lines, and what was left out, one sentence each.
    table
        The curation file's bytes; None without one.
    """

    pictures: tuple[Picture, ...]
    warnings: tuple[str, ...] = ()
    table: bytes | None = None


def obey_curation(file: Path | None, pictures: Sequence[Picture]) -> Curated:
    """Return the pictures that a curation file, or the one in a folder, keeps; all of them if there is none.

    A picture that the file does not name, or that is no longer the one that was judged, was never judged: it is left
    out as well.

    Raises
    ------
    InputRefusedError
        If the file cannot be read, or names none of the pictures: it belongs to another folder.
    """
    if file is None:
        return Curated(tuple(pictures))
    file = file / CURATION_FILE if file.is_dir() else file
    curation = read_curation(file)
    known = {picture.path: curation.choices.get(f"{picture.code}/{picture.path.name}") for picture in pictures}
    if pictures and not any(known.values()):
        raise InputRefusedError(
            Message("{path} names none of these images.", path=file),
            remedy=Message("Name the curation file that was made for this folder, or repeat the curation."),
            path=file,
        )
    judged = [picture for picture in pictures if _is_same(picture, known[picture.path])]
    kept = tuple(picture for picture in judged if (choice := known[picture.path]) and choice.kept)
    told = (*curation.notes, *_warnings(len(pictures) - len(judged), len(judged) - len(kept)))
    return Curated(kept, told, read_regular(file, MAX_BYTES))


def _is_same(picture: Picture, choice: Choice | None) -> bool:
    return choice is not None and choice.sha256 == picture.sha256


def _warnings(unjudged: int, dropped: int) -> tuple[str, ...]:
    warnings = []
    if dropped:
        warnings.append(Message("Excluded by the curation: %n image(s).", n=dropped))
    if unjudged:
        words = Message(
            "Excluded because the curation did not evaluate them in their present state: %n image(s).", n=unjudged
        )
        warnings.append(words)
    return tuple(warnings)
