"""What the lines and objects that an output folder keeps look like. Imports pydantic: to be imported inside functions.

Every value that later becomes a path, a number in a file name or a number in the table is checked here, once.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from core.beginning import Beginning
from core.errors import UsageError
from core.files.reading import ClassCode, FileName, Schema, Seed, Text, Whole
from dataset.layout import MAX_NUMBER, MAX_STARS, image_number

MAX_SCHEDULER_KEYS: Final = 200
MAX_SCHEDULER_NUMBER: Final = 100_000
"""Of a whole number in a scheduler's configuration; the largest in use are some thousand training steps."""

Number = Annotated[int, Field(ge=1, le=MAX_NUMBER)]
"""Of an image within its class."""

Real = Annotated[int, Field(ge=-(2**53), le=2**53)] | Annotated[float, Field(ge=-1e300, le=1e300)]
"""A number that is written back as it was read: 2 stays 2, and 2.0 stays 2.0."""

Stamp = Annotated[int, Field(ge=0, le=253_402_300_799)] | Annotated[float, Field(ge=0, le=253_402_300_799.0)]
"""Seconds since the epoch, up to the year 9999."""

Id = Annotated[str, Field(max_length=200)]

TrashId = Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,64}$")]

Files = dict[ClassCode, list[FileName]]
"""File names by class."""


class ImageLine(Schema):
    """A finished image."""

    type: Literal["image"]
    code: ClassCode = Field(alias="class")
    file: FileName
    isic_number: Whole
    seed: Whole | None
    run_id: Id
    generated_at: Stamp
    source: Text = "synthetic"
    index: Whole | None = None
    noise_hash: Text = ""
    sampler: Text = ""
    steps: Whole | None = None
    guidance: Real | None = None
    precision: Text = ""
    weights: Text = ""
    weights_sha256: Text = ""

    @model_validator(mode="after")
    def _is_named_by_its_number(self) -> ImageLine:
        if image_number(self.file) != self.isic_number:
            raise ValueError(f"'{self.file}' is not image {self.isic_number}")
        return self


class PlanColumns(Schema):
    """The planned images of one class."""

    numbers: list[Number]
    indices: list[Whole]
    seeds: list[Seed]

    @model_validator(mode="after")
    def _are_of_one_length(self) -> PlanColumns:
        if not len(self.numbers) == len(self.indices) == len(self.seeds):
            raise ValueError("the columns of the plan are not of one length")
        return self


class RunLine(Schema):
    """What was asked for, and the numbers reserved for it."""

    type: Literal["run"]
    run_id: Id
    request: dict[str, Any]
    plan: dict[ClassCode, PlanColumns]


class EndLine(Schema):
    """How a run ended."""

    type: Literal["end"]
    run_id: Id
    status: Text


class DiscardLine(Schema):
    """The decision to take a run back."""

    type: Literal["discard"]
    run_id: Id


class ImportLine(Schema):
    """Numbers that an old table had used."""

    type: Literal["import"]
    highest: dict[ClassCode, Whole]


class TrashLine(Schema):
    """The decision to delete."""

    type: Literal["trash"]
    trash_id: TrashId
    files: Files


class DecisionLine(Schema):
    """The decision to bring a deletion back, or to delete its files for good."""

    type: Literal["restore", "empty"]
    trash_id: TrashId


class TrashEndLine(Schema):
    """Where the files of a deletion lie now."""

    type: Literal["trash-end"]
    trash_id: TrashId
    inside: Files
    back: Files


class OtherLine(Schema):
    """A line of a type that a newer version added."""

    type: Text


_TYPES: Final = ("run", "image", "end", "discard", "import", "trash", "restore", "empty", "trash-end")


def _tag(line: object) -> str:
    kind = line.get("type") if isinstance(line, dict) else getattr(line, "type", "")
    return kind if isinstance(kind, str) and kind in _TYPES else "other"


JournalLine: TypeAlias = Annotated[
    Annotated[RunLine, Tag("run")]
    | Annotated[ImageLine, Tag("image")]
    | Annotated[EndLine, Tag("end")]
    | Annotated[DiscardLine, Tag("discard")]
    | Annotated[ImportLine, Tag("import")]
    | Annotated[TrashLine, Tag("trash")]
    | Annotated[DecisionLine, Tag("restore")]
    | Annotated[DecisionLine, Tag("empty")]
    | Annotated[TrashEndLine, Tag("trash-end")]
    | Annotated[OtherLine, Tag("other")],
    Discriminator(_tag),
]
"""One line of `journal.jsonl`."""


class RatingLine(Schema):
    """What a person thinks of one image."""

    code: ClassCode = Field(alias="class")
    file: FileName
    stars: Annotated[int, Field(ge=0, le=MAX_STARS)]
    rejected: bool


def _plausible(config: dict[str, Any]) -> dict[str, Any]:
    if len(config) > MAX_SCHEDULER_KEYS:
        raise ValueError(f"it holds {len(config):,} values")
    for key, value in config.items():
        if isinstance(value, int) and abs(value) > MAX_SCHEDULER_NUMBER:
            raise ValueError(f"{key} is {value:,}" if abs(value) < 10**100 else f"{key} is too large")
    return config


def _begins(data: dict[str, Any]) -> dict[str, Any]:
    if data:
        try:
            Beginning.from_json(data)
        except (UsageError, TypeError) as error:
            raise ValueError(str(error)) from error
    return data


Triple = Annotated[list[Annotated[float, Field(ge=0, le=1e6)]], Field(min_length=3, max_length=3)]


class Colour(Schema):
    """The colour statistics that were applied."""

    mean: Triple
    std: Triple


class RecipeJson(Schema):
    """The recipe of an image; see `dataset.recipe.Recipe` for its fields."""

    class_code: ClassCode = Field(alias="class")
    index: Whole
    seed: Seed
    noise_hash: Text
    sampler: Text
    steps: Annotated[int, Field(ge=1, le=MAX_SCHEDULER_NUMBER)]
    scheduler: Annotated[dict[str, Any], AfterValidator(_plausible)]
    guidance: Real
    weights: Text
    weights_sha256: Text
    models: Text
    color: Colour | None
    precision: Text
    device: Text
    batch_size: Annotated[int, Field(ge=1, le=4096)]
    threads: Annotated[int, Field(ge=0, le=2**16)]
    image_size: Annotated[int, Field(ge=1, le=2**16)]
    product_version: Text
    versions: Annotated[dict[str, Text], Field(max_length=200, default_factory=dict)]
    conditioning: Annotated[dict[str, Any], AfterValidator(_plausible), Field(default_factory=dict)]
    start: Annotated[dict[str, Any], AfterValidator(_begins), Field(default_factory=dict)]
    assumed: Annotated[dict[str, Text], Field(max_length=20, default_factory=dict)]
    run_id: Id = ""
    created: Text = ""
    format: Whole = 1
