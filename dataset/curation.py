"""`curation.csv`: which images of a set are kept and which are not, each with the reason and the numbers behind it.

`curate` and `utility --curate` write it, `export --curation` obeys it. It may be edited: only the column ``kept`` and
the first two columns that say of which file are obeyed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.errors import InputRefusedError
from core.files.text import csv_line
from core.message import Message
from photographs.label_table import LabelRow, read_table

CURATION_FILE: Final = "curation.csv"
COLUMNS: Final = (
    "image", "sha256", "class", "kept", "rule", "reason", "fidelity", "seen_as", "copy_score", "nearest_train",
    "duplicate_of", "duplicate_distance", "quality", "rank",
)  # fmt: skip
_NEEDED: Final = ("image", "sha256", "kept")
_ANSWERS: Final[Mapping[str, bool]] = {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False}


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about one image.

    Attributes
    ----------
    image
        Path inside its set, with slashes.
    sha256
        Of the file.
    rule
        Which rule leaves it out: unreadable, copies, fidelity, duplicates or best; "" for a kept one.
    reason
        The rule in words, with the numbers.
    fidelity
        Probability that a classifier gives to the target class, 0..1; None if not measured.
    seen_as
        The predicted class.
    copy_score
        How near the nearest training image is, in units of the nearest 1 % of unseen photographs; below about 1 is
        suspicious. None if not measured.
    nearest_train
        That training image.
    duplicate_of, duplicate_distance
        The nearest other image of the set, and its root mean square difference on a scale of 0 to 1.
    quality
        Mean of the image's percentile ranks within its class by all that was measured, 0..1; higher is better.
    rank
        Place by quality within its class, from 1; None for an image that cannot be read.
    """

    image: str
    sha256: str
    code: str
    kept: bool
    rule: str = ""
    reason: str = ""
    fidelity: float | None = None
    seen_as: str = ""
    copy_score: float | None = None
    nearest_train: str = ""
    duplicate_of: str = ""
    duplicate_distance: float | None = None
    quality: float | None = None
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What a curation file says of one image: the SHA-256 of the file it means, and whether it is kept."""

    sha256: str
    kept: bool


def render_curation(decisions: Iterable[Decision]) -> str:
    """Return the table, CSV."""
    return "".join((csv_line(COLUMNS), *(csv_line(_cells(decision)) for decision in decisions)))


@dataclass(frozen=True, slots=True)
class Curation:
    """What a curation file says.

    Attributes
    ----------
    choices
        By path of the image inside its set.
    notes
        What a person should know, one sentence each: lines that are damaged and were ignored.
    """

    choices: Mapping[str, Choice]
    notes: tuple[Message, ...] = ()


def read_curation(path: Path) -> Curation:
    """Read a curation file.

    Raises
    ------
    InputRefusedError
        If the file is missing, too damaged or no curation file, or names an image twice.
    """
    table = read_table(path)
    table.require(_NEEDED)
    choices: dict[str, Choice] = {}
    for row in table.rows:
        name = row.cells["image"]
        if name in choices:
            raise _refused(path, row, Message("names {image} a second time", image=name))
        choices[name] = Choice(row.cells["sha256"].lower(), _answer(path, row))
    return Curation(choices, table.notes)


def _answer(path: Path, row: LabelRow) -> bool:
    answer = _ANSWERS.get(row.cells["kept"].lower())
    if answer is None:
        raise _refused(path, row, Message("has '{cell}' in the column kept", cell=row.cells["kept"]))
    return answer


def _refused(path: Path, row: LabelRow, problem: Message) -> InputRefusedError:
    return InputRefusedError(
        Message("Line {line} of {path} {problem}.", line=row.line, path=path, problem=problem),
        remedy=Message("Write 1 for kept or 0 for excluded, one line for each image."),
        path=path,
    )


def _cells(decision: Decision) -> tuple[object, ...]:
    return (
        decision.image,
        decision.sha256,
        decision.code,
        int(decision.kept),
        decision.rule,
        decision.reason,
        _number(decision.fidelity),
        decision.seen_as,
        _number(decision.copy_score),
        decision.nearest_train,
        decision.duplicate_of,
        _number(decision.duplicate_distance),
        _number(decision.quality),
        "" if decision.rank is None else decision.rank,
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
