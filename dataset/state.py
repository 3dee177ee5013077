"""What the lines of the journal add up to, and which number the next image gets.

Image numbers: they continue per class after the highest one ever seen, and are never used twice.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.errors import UsageError
from core.generation import PlannedImage
from dataset.journal import UnknownIdError
from dataset.layout import MAX_NUMBER, taken_number
from dataset.record import Deletion, ImageRecord, Key, Run, keys_of, run_from_line

if TYPE_CHECKING:
    from dataset.schemas import JournalLine, RunLine


LAST_COUNTED: Final = 999_999_999
"""The highest number that others follow: beyond it lie files that a person or another program has named so."""


class Numbering:
    """The numbers of each class that are taken, from files, sidecars, the journal and old tables.

    A single file with a number of ten digits or more does not use up all numbers below it: such are remembered one by
    one, so that whatever number is given out can be read back.
    """

    def __init__(self) -> None:
        self._highest: defaultdict[str, int] = defaultdict(int)
        self._beyond: defaultdict[str, set[int]] = defaultdict(set)

    def note(self, class_code: str, number: int) -> None:
        """Remember that a number is taken; one that no image can have is none."""
        if number <= LAST_COUNTED:
            self._highest[class_code] = max(self._highest[class_code], number)
        elif number <= MAX_NUMBER:
            self._beyond[class_code].add(number)

    def take(self, class_code: str) -> int:
        """Return the next free number and take it; the first is 1."""
        number = self._highest[class_code] + 1
        while number in self._beyond[class_code]:
            number += 1
        self._highest[class_code] = number
        return number

    def highest(self) -> dict[str, int]:
        """Return the highest number of each class that has one, up to `LAST_COUNTED`."""
        return {code: number for code, number in self._highest.items() if number <= LAST_COUNTED}


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
    deletions
        What is in the trash, by trash id, oldest first.
    gone
        Images that were deleted for good: their seeds stay taken.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbering = Numbering()
        self.records: dict[tuple[str, str], ImageRecord] = {}
        self.runs: dict[str, Run] = {}
        self.discarding: dict[str, tuple[ImageRecord, ...]] = {}
        self.deletions: dict[str, Deletion] = {}
        self.gone: list[ImageRecord] = []
        self._order: dict[Key, int] = {}
        self._count = itertools.count()

    def apply(self, line: JournalLine) -> None:
        """Take one journal line into account; types that a newer version added are ignored.

        Raises
        ------
        UnknownIdError
            If it speaks of a deletion that no earlier line began.
        """
        from dataset import schemas  # loaded already, by whoever read the line

        match line:
            case schemas.ImageLine():
                self.add(ImageRecord.from_line(self.folder, line))
            case schemas.RunLine():
                self._apply_run(line)
            case schemas.ImportLine():
                self._note_numbers((code, (number,)) for code, number in line.highest.items())
            case schemas.DiscardLine():
                self.begin_discard(line.run_id)
            case schemas.EndLine():
                self.end_run(line.run_id, line.status)
            case schemas.TrashLine():
                self.begin_deletion(line.trash_id, keys_of(line.files))
            case schemas.DecisionLine():
                self._deletion(line.trash_id).wish = line.type
            case schemas.TrashEndLine():
                self._deletion(line.trash_id)
                self.end_deletion(line.trash_id, keys_of(line.inside), keys_of(line.back))

    def _deletion(self, trash_id: str) -> Deletion:
        if trash_id not in self.deletions:
            raise UnknownIdError(f"there is no deletion {trash_id}")
        return self.deletions[trash_id]

    def add(self, record: ImageRecord) -> None:
        """Add a finished image."""
        self.records.pop(record.key, None)
        self.records[record.key] = record
        self._order[record.key] = next(self._count)
        self.numbering.note(record.class_code, record.isic_number)

    def begin_discard(self, run_id: str) -> None:
        """Take a run's images out of the finished ones."""
        gone = tuple(record for record in self.records.values() if record.run_id == run_id)
        self.discarding[run_id] = gone
        for record in gone:
            del self.records[record.key]

    def begin_deletion(self, trash_id: str, files: tuple[Key, ...]) -> Deletion:
        """Take images out of the finished ones; where their files are is for `end_deletion` to say."""
        records = {key: self.records.pop(key) for key in files if key in self.records}
        self.deletions[trash_id] = deletion = Deletion(trash_id, files, records)
        for code, name in files:
            self.numbering.note(code, taken_number(name) or 0)
        return deletion

    def end_deletion(self, trash_id: str, inside: Sequence[Key], back: Sequence[Key]) -> None:
        """Note what is in the trash and what is in the class folders; what is nowhere is gone for good."""
        deletion = self.deletions[trash_id]
        kept = dict.fromkeys(inside)
        self._bring_back([deletion.records.pop(key) for key in back if key in deletion.records])
        self.gone += [deletion.records.pop(key) for key in [*deletion.records] if key not in kept]
        deletion.files, deletion.wish = tuple(kept), None
        if not kept:
            del self.deletions[trash_id]

    def remembered(self) -> Iterator[ImageRecord]:
        """Return the finished images and those that were deleted."""
        trashed = (record for deletion in self.deletions.values() for record in deletion.records.values())
        return itertools.chain(self.records.values(), trashed, self.gone)

    def end_run(self, run_id: str, status: str) -> None:
        """Remember how a run ended."""
        if status == "discarded":
            self.discarding.pop(run_id, None)
        if run_id in self.runs:
            self.runs[run_id].status = status

    def mark_done(self) -> None:
        """Tell every run which of its images are finished; what was deleted is not to be made again."""
        for record in self.remembered():
            run = self.runs.get(record.run_id)
            if run is not None and record.index is not None and record.seed is not None:
                run.mark_done(PlannedImage(record.class_code, record.index, record.seed))

    def unfinished(self) -> tuple[Run, ...]:
        """Return the runs with images still to be made, oldest first."""
        return tuple(run for run in self.runs.values() if run.is_unfinished)

    def seeds(self, class_code: str) -> frozenset[int]:
        """Return the seeds of a class that are taken: by finished and deleted images, and by those still to be made."""
        made = {r.seed for r in self.remembered() if r.class_code == class_code and r.seed is not None}
        reserved = {slot.planned for run in self.unfinished() for slot in run.pending}
        return frozenset(made | {planned.seed for planned in reserved if planned.class_code == class_code})

    def _bring_back(self, records: Iterable[ImageRecord]) -> None:
        self.records |= {record.key: record for record in records}
        self.records = dict(sorted(self.records.items(), key=lambda item: self._order[item[0]]))

    def _apply_run(self, line: RunLine) -> None:
        self._note_numbers((code, columns.numbers) for code, columns in line.plan.items())
        try:
            run = run_from_line(self.folder, line)
        except UsageError:
            return  # asked of a newer version: its images count, but only that version can resume it
        self.runs[run.run_id] = run

    def _note_numbers(self, numbers: Iterable[tuple[str, Iterable[int]]]) -> None:
        for code, taken in numbers:
            for number in taken:
                self.numbering.note(code, number)
