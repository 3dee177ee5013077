"""What the journal remembers: a finished image, a run with its plan, images that were moved to the trash together."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from core.generation import GenerationRequest, PlannedImage
from dataset.recipe import Recipe

if TYPE_CHECKING:
    from dataset.schemas import ImageLine, PlanColumns, RunLine


SOURCE: Final = "synthetic"
LAST_TIME: Final = 253_402_300_799.0


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One finished image.

    Attributes
    ----------
    path
        The image file.
    isic_number
        Number within its class folder.
    seed
        None if nothing says which seed made it (images of old versions without a sidecar).
    run_id
        Empty for images that ISICGenerator made.
    generated_at
        Seconds since the epoch.
    index
        0-based index in the seed formula, or None.
    """

    path: Path
    class_code: str
    isic_number: int
    seed: int | None
    run_id: str
    generated_at: float
    source: str = SOURCE
    index: int | None = None
    noise_hash: str = ""
    sampler: str = ""
    steps: int | None = None
    guidance: float | None = None
    precision: str = ""
    weights: str = ""
    weights_sha256: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Class and file name: what identifies an image in its folder."""
        return self.class_code, self.path.name

    def to_json(self) -> dict[str, Any]:
        """Return the record as a journal line's content, without the folder: it may be moved."""
        values = {name: getattr(self, name) for name in _PLAIN_FIELDS}
        return {"class": self.class_code, "file": self.path.name, **values}

    @classmethod
    def from_line(cls, folder: Path, line: ImageLine) -> ImageRecord:
        """Rebuild a record in `folder` from a line of its journal."""
        values = {name: getattr(line, name) for name in _PLAIN_FIELDS}
        return cls(path=folder.joinpath(line.code, line.file), class_code=line.code, **values)

    @classmethod
    def from_recipe(cls, path: Path, number: int, recipe: Recipe) -> ImageRecord:
        """Return the record of the image at `path` that `recipe` made."""
        return cls(
            path=path,
            class_code=recipe.class_code,
            isic_number=number,
            seed=recipe.seed,
            run_id=recipe.run_id,
            generated_at=time_of_file(path),
            index=recipe.index,
            noise_hash=recipe.noise_hash,
            sampler=recipe.sampler,
            steps=recipe.steps,
            guidance=recipe.guidance,
            precision=recipe.precision,
            weights=recipe.weights,
            weights_sha256=recipe.weights_sha256,
        )


def time_of_file(path: Path) -> float:
    """Return when a file was changed last, in seconds since the epoch; a clock may have stood at any other time."""
    return sane_time(path.stat().st_mtime)


def sane_time(seconds: float) -> float:
    """Return a time that a table and a calendar can hold: from 1970 to the year 9999; the epoch for any other."""
    return seconds if 0 <= seconds <= LAST_TIME else 0.0


_PLAIN_FIELDS: Final = tuple(name for name in ImageRecord.__dataclass_fields__ if name not in ("path", "class_code"))


@dataclass(frozen=True, slots=True)
class RunSlot:
    """A planned image and the number that is reserved for it."""

    planned: PlannedImage
    isic_number: int


@dataclass(eq=False)
class Run:
    """One request being carried out.

    Attributes
    ----------
    slots
        Every image of the run, in the order of the plan.
    status
        How the run ended last time; None while it runs, and after its process died.
    """

    run_id: str
    request: GenerationRequest
    slots: tuple[RunSlot, ...]
    status: str | None = None
    _done: set[PlannedImage] = field(default_factory=set, repr=False)

    @property
    def done(self) -> frozenset[PlannedImage]:
        """The images that lie complete on disk."""
        return frozenset(self._done)

    @property
    def pending(self) -> tuple[RunSlot, ...]:
        """The slots still to be filled, in order."""
        return tuple(slot for slot in self.slots if slot.planned not in self._done)

    @property
    def is_unfinished(self) -> bool:
        """Whether images are missing that `resume` would make."""
        return self.status in (None, "stopped", "failed") and bool(self.pending)

    def mark_done(self, image: PlannedImage) -> None:
        """Remember that an image is complete on disk."""
        self._done.add(image)


def run_to_json(run: Run) -> dict[str, Any]:
    """Return what the journal keeps of a new run: the request, and per class the numbers, indices and seeds."""
    plan: dict[str, dict[str, list[int]]] = {}
    for slot in run.slots:
        columns = plan.setdefault(slot.planned.class_code, {"numbers": [], "indices": [], "seeds": []})
        columns["numbers"].append(slot.isic_number)
        columns["indices"].append(slot.planned.index)
        columns["seeds"].append(slot.planned.seed)
    return {"run_id": run.run_id, "request": run.request.to_json(), "plan": plan}


def run_from_line(folder: Path, line: RunLine) -> Run:
    """Rebuild a run whose output folder is now `folder`.

    Raises
    ------
    UsageError
        If it asks for what this version does not know.
    """
    request = dataclasses.replace(GenerationRequest.from_json(line.request), output=folder)
    return Run(line.run_id, request, tuple(_slots(line.plan)))


def _slots(plan: Mapping[str, PlanColumns]) -> Iterable[RunSlot]:
    for code, columns in plan.items():
        for number, index, seed in zip(columns.numbers, columns.indices, columns.seeds, strict=True):
            yield RunSlot(PlannedImage(code, index, seed), number)


Key = tuple[str, str]
"""Class code and file name."""

WindowRequest = Literal["trash", "restore", "empty"]

_GIVEN_ID: Final = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")


@dataclass(eq=False)
class Deletion:
    """One deletion: what undo brings back in one go.

    Attributes
    ----------
    trash_id
        Name of its folder in the trash; begins with the time (UTC) of the deletion.
    files
        What is there.
    records
        What is known of those that are images of this program or of ISICGenerator.
    wish
        What was decided and is not yet carried out; None once the files are where they belong.
    """

    trash_id: str
    files: tuple[Key, ...]
    records: dict[Key, ImageRecord] = field(default_factory=dict)
    wish: WindowRequest | None = "trash"


def files_to_json(files: Iterable[Key]) -> dict[str, list[str]]:
    """Return files as a journal line's content: the names by class."""
    names: dict[str, list[str]] = {}
    for code, name in files:
        names.setdefault(code, []).append(name)
    return names


def keys_of(files: Mapping[str, Iterable[str]]) -> tuple[Key, ...]:
    """Return what `files_to_json` wrote, checked by its schema, as keys."""
    return tuple((code, name) for code, names in files.items() for name in names)


def is_given_id(name: str) -> bool:
    """Whether a folder is named as this program names a deletion: by its time and six digits."""
    return _GIVEN_ID.fullmatch(name) is not None
