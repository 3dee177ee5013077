"""What the lines of the journal add up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from core.dataset.numbering import Numbering
from core.dataset.record import ImageRecord
from core.dataset.run import Run, run_from_json
from core.errors import UsageError
from core.generator.request import PlannedImage


class DatasetState:
    """Runs, finished images and taken numbers of one output folder.

    Attributes
    ----------
    records
        The finished images by (class, file name), oldest first.
    runs
        The runs by their id; one that a newer version wrote and this one does not understand is left out.
    discarding
        Runs whose removal has begun but not ended, with their images.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbering = Numbering()
        self.records: dict[tuple[str, str], ImageRecord] = {}
        self.runs: dict[str, Run] = {}
        self.discarding: dict[str, tuple[ImageRecord, ...]] = {}

    def apply(self, line: Mapping[str, Any]) -> None:
        """Take one journal line into account; types that a newer version added are passed over.

        Raises
        ------
        KeyError, TypeError, ValueError
            If the line is damaged.
        """
        kind = line["type"]
        if kind == "run":
            self._apply_run(line)
        elif kind == "image":
            self.add(ImageRecord.from_json(self.folder, line))
        elif kind == "import":
            self._note_numbers((code, (number,)) for code, number in line["highest"].items())
        elif kind == "discard":
            self.begin_discard(line["run_id"])
        elif kind == "end":
            self.end_run(line["run_id"], line["status"])

    def add(self, record: ImageRecord) -> None:
        """Add a finished image."""
        self.records.pop(record.key, None)
        self.records[record.key] = record
        self.numbering.note(record.class_code, record.isic_number)

    def begin_discard(self, run_id: str) -> None:
        """Take a run's images out of the finished ones."""
        gone = tuple(record for record in self.records.values() if record.run_id == run_id)
        self.discarding[run_id] = gone
        for record in gone:
            del self.records[record.key]

    def end_run(self, run_id: str, status: str) -> None:
        """Remember how a run ended."""
        if status == "discarded":
            self.discarding.pop(run_id, None)
        if run_id in self.runs:
            self.runs[run_id].status = status

    def mark_done(self) -> None:
        """Tell every run which of its images are finished."""
        for record in self.records.values():
            run = self.runs.get(record.run_id)
            if run is not None and record.index is not None and record.seed is not None:
                run.mark_done(PlannedImage(record.class_code, record.index, record.seed))

    def unfinished(self) -> tuple[Run, ...]:
        """Return the runs with images still to be made, oldest first."""
        return tuple(run for run in self.runs.values() if run.is_unfinished)

    def seeds(self, class_code: str) -> frozenset[int]:
        """Return the seeds of a class that are taken: by finished images, and by images that `resume` will make."""
        made = {r.seed for r in self.records.values() if r.class_code == class_code and r.seed is not None}
        reserved = {slot.planned for run in self.unfinished() for slot in run.pending}
        return frozenset(made | {planned.seed for planned in reserved if planned.class_code == class_code})

    def _apply_run(self, line: Mapping[str, Any]) -> None:
        self._note_numbers((code, columns["numbers"]) for code, columns in line["plan"].items())
        try:
            run = run_from_json(self.folder, line)
        except UsageError:
            return  # asked of a newer version: its images count, but only that version can resume it
        self.runs[run.run_id] = run

    def _note_numbers(self, numbers: Iterable[tuple[str, Iterable[int]]]) -> None:
        for code, taken in numbers:
            for number in taken:
                self.numbering.note(code, number)
