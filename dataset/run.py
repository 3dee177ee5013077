"""A run as the dataset remembers it: what was asked for, which image gets which number, what is done."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.generation import GenerationRequest, PlannedImage

if TYPE_CHECKING:
    from dataset.schemas import PlanColumns, RunLine


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
        """Remember that an image lies complete on disk."""
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
