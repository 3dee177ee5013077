"""What an export is asked for, as a job, and what it tells beside how far it is; nothing heavy is imported."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, cast, get_args

from core.errors import UsageError
from core.events import INTERRUPTED, Event
from core.jobs.options import option
from core.jobs.registry import Request, job
from core.message import Message
from core.taxonomy import parse_class
from core.utils.field_types import read_whole_number
from dataset.layout import MAX_STARS

Format = Literal["imagefolder", "csv", "jsonl", "hf", "isic"]
Ratios = tuple[int, int, int]

FORMATS: Final[Mapping[Format, Message]] = {
    "imagefolder": Message("One folder for each class, as torchvision's ImageFolder and most tutorials read it."),
    "csv": Message("All images in one folder and a table that names class, split and recipe of each."),
    "jsonl": Message("All images in one folder and a file with one JSON object per image and line: caption and label."),
    "hf": Message("Class folders with metadata.jsonl, as load_dataset of the Hugging Face library reads it."),
    "isic": Message("One-hot tables and image folders named as in the ISIC 2018 challenge, task 3."),
}
"""What each format is for, in one sentence."""

PARTS: Final = ("train", "val", "test")
DEFAULT_SPLIT: Final[Ratios] = (80, 10, 10)
DEFAULT_SALT: Final = "isicgui"
NO_SPLIT: Final = "none"

ALL: Final = "all"


def format_option(**details: Any) -> Any:
    """Return the field that names the format."""
    return option(
        "--format", "What it is for; see below.", kind="choice", choices=tuple(FORMATS), always=True, **details
    )


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What to write, of which images, and where.

    Attributes
    ----------
    target
        The new folder, made absolute. With `zip` an archive of the same name is written next to it.
    rating
        Fewest stars of an image that is taken, 0 to 5; rejected images are never taken.
    classes
        Codes of the classes that are taken; all of them if empty.
    split
        Percentages of train, val and test, which add up to 100; None to leave the images together.
    salt
        Decides, together with the images' seeds, which image comes into which part.
    curation
        File of `dataset.curation` that says which images are taken, or its folder; every image if None. Made
        absolute.
    """

    target: Path = option("--to", "The new folder; it must not exist, or be empty.", kind="folder", writes=True)
    format: Format = format_option(default="imagefolder")
    rating: int = option(
        "--rating", "Only images with at least this many stars.", kind="whole", low=0, high=MAX_STARS, default=0
    )
    classes: tuple[str, ...] = option(
        "--classes", "Only these classes.", read=lambda text: parse_classes(text),
        write=lambda codes: ",".join(codes) or ALL, metavar="MEL,NV,...", default=(),
    )  # fmt: skip
    split: Ratios | None = option(
        "--split", "Percent of train, val and test.", read=lambda text: parse_split(text),
        write=lambda ratios: "/".join(map(str, ratios)), none=NO_SPLIT, metavar="N/N/N|none", default=DEFAULT_SPLIT,
        always=True,
    )  # fmt: skip
    salt: str = option(
        "--salt", "Text that seeds the train/val/test split; change it for another split.", default=DEFAULT_SALT,
        aliases=("--split-seed",),
    )  # fmt: skip
    zip: bool = option("--zip", "Also write DIR.zip next to the folder.", kind="switch", default=False)
    curation: Path | None = option(
        "--curation",
        "Keep only the images that this curation.csv, or the one in this folder, keeps.",
        kind="path",
        metavar="FILE",
        default=None,
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "target", Path(os.path.abspath(self.target)))
        if self.curation is not None:
            object.__setattr__(self, "curation", Path(os.path.abspath(self.curation)))
        if self.format not in FORMATS:
            raise UsageError(
                Message("There is no format '{name}'.", name=self.format),
                remedy=Message("Choose one of {names}.", names=", ".join(FORMATS)),
            )
        if not 0 <= self.rating <= MAX_STARS:
            raise UsageError(Message("Invalid rating: {n}.", n=self.rating), remedy=Message("Choose 0 to 5 stars."))
        if self.split is not None:
            _check_ratios(self.split)

    @property
    def archive(self) -> Path:
        """Where the zip archive goes."""
        return self.target.with_name(f"{self.target.name}.zip")


def parse_split(text: str) -> Ratios | None:
    """Read ``80/10/10`` (train, val, test in percent) or ``none``.

    Raises
    ------
    UsageError
        If it is neither, or the numbers do not add up to 100.
    """
    if text.strip().lower() == NO_SPLIT:
        return None
    numbers = [read_whole_number(part) for part in text.split("/")]
    if len(numbers) != len(PARTS) or None in numbers:
        raise _no_split(text)
    ratios = cast(Ratios, tuple(numbers))
    _check_ratios(ratios)
    return ratios


def parse_classes(text: str) -> tuple[str, ...]:
    """Read ``MEL,NV`` or ``all``; the order does not matter.

    Raises
    ------
    UnknownClassError
        If a name is none of the seven classes.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    return () if [name.lower() for name in names] == [ALL] else tuple(map(parse_class, names))


def format_names() -> tuple[str, ...]:
    """Return the names of the formats."""
    return get_args(Format)


def _check_ratios(ratios: Ratios) -> None:
    if sum(ratios) != 100 or min(ratios) < 0 or ratios[0] == 0:
        raise _no_split("/".join(map(str, ratios)))


def _no_split(text: str) -> UsageError:
    return UsageError(
        Message("'{text}' is no split into train, val and test.", text=text),
        remedy=Message(
            "Give three percentages that add up to 100, something of them for train, as in 80/10/10; or none."
        ),
    )


@dataclass(frozen=True, slots=True)
class LeftOut(Event):
    """A file that would have been taken if it could be read."""

    name: ClassVar[str] = "left_out"
    file: Path
    reason: str


@dataclass(frozen=True, slots=True)
class ExportPlanned(Event):
    """What an export would write; the end of a preview.

    Attributes
    ----------
    options
        The fields of `ExportOptions`.
    files, bytes
        Of the folder, without the archive.
    counts
        Images by part and class.
    tree
        Number of files in each folder, by its path.
    left_out
        File and reason of each picture that cannot be read.
    """

    name: ClassVar[str] = "plan"
    ends: ClassVar[bool] = True
    output: Path
    options: Mapping[str, Any]
    images: int
    files: int
    bytes: int
    archive_bytes: int
    counts: Mapping[str, Mapping[str, int]]
    tree: Mapping[str, int]
    left_out: tuple[Mapping[str, Any], ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExportStarted(Event):
    """Writing begins: so many files and bytes, the archive included."""

    name: ClassVar[str] = "started"
    target: Path
    format: str
    images: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class ExportFinished(Event):
    """The end: everything is under its final name, or (``stopped``) nothing is.

    Attributes
    ----------
    archive
        The zip file, or None if none was asked for.
    counts
        Images by part and class.
    """

    name: ClassVar[str] = "finished"
    ends: ClassVar[bool] = True
    status: Literal["completed", "stopped"]
    target: Path
    archive: Path | None
    format: str
    images: int
    files: int
    bytes: int
    counts: dict[str, dict[str, int]]
    seconds: float

    @property
    def exit_code(self) -> int:
        """That of an interruption, if it was stopped."""
        return INTERRUPTED if self.status == "stopped" else 0


@job("dataset.export.writing:run_export")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest(ExportOptions, Request):
    """One export of an output folder, or only its preview.

    Attributes
    ----------
    output
        The folder that is exported; nothing in it is changed.
    preview
        Only say what would be written.
    expected
        `ExportPlan.fingerprint` of what somebody has seen and agreed to: anything else is refused. "" for anything.
    """

    command: ClassVar[tuple[str, ...]] = ("export",)

    output: Path = option("", "The folder that is exported.", kind="folder")
    format: Format = format_option()
    preview: bool = option("--preview", "Only report what would be written.", kind="switch", default=False)
    expected: str = ""

    @property
    def options(self) -> ExportOptions:
        """What to write, of which images, and where."""
        return ExportOptions(**{one.name: getattr(self, one.name) for one in dataclasses.fields(ExportOptions)})

    @classmethod
    def of(cls, output: Path, options: ExportOptions, expected: str = "") -> ExportRequest:
        """Return the request for an export with these options."""
        chosen = {one.name: getattr(options, one.name) for one in dataclasses.fields(options)}
        return cls(output=output, expected=expected, **chosen)
