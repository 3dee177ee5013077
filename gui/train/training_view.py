"""What can be seen of one training: its curves, its newest samples, how far it is, what it last said."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from classifier import events as classifier
from core.events import Event, Notice
from diffusion import events as diffusion
from gui.i18n import tr, translate
from gui.train.curves import Curve, CurveBook, is_number

STARTED: Final = (diffusion.TrainingStarted, classifier.TrainingStarted)
"""The events with which a network's training begins."""

SMOOTHED: Final = 0.02
"""Share of each step in the running mean of the loss: single steps jump."""


class TrainingView:
    """Follows the events of one training, or is filled from its log.

    Attributes
    ----------
    images, total
        Training images seen, and the budget.
    remaining
        Seconds; None until the pace is known.
    words
        What it last said, in the language of the window; empty if nothing yet.
    sheet
        Picture of its newest samples.
    model
        Folder of what was learnt, once that has been told.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._book = CurveBook()
        self._began: tuple[float, float] | None = None
        self._loss: float | None = None
        self._is_complete = False
        self.images, self.total = 0.0, 0.0
        self.rate: float | None = None
        self.remaining: float | None = None
        self.words = ""
        self.sheet: Path | None = None
        self.model: Path | None = None

    @property
    def fraction(self) -> float:
        """How much of the budget is used, 0..1; all of it once the training is complete, by a time limit maybe."""
        if self._is_complete:
            return 1.0
        return min(1.0, self.images / self.total) if self.total else 0.0

    @property
    def losses(self) -> list[Curve]:
        """Loss of training and, where it is measured, of validation."""
        return self._book.curves({"loss": tr("training"), "validation_loss": tr("validation")})

    @property
    def scores(self) -> list[Curve]:
        """What the best weights are chosen by."""
        return self._book.curves({"kid": tr("held-out lesions"), "val_balanced_accuracy": tr("validation lesions")})

    @property
    def score_name(self) -> str:
        """What `scores` shows."""
        if self._book.curves({"val_balanced_accuracy": ""}):
            return tr("Balanced accuracy")
        return tr("Kernel distance to held-out lesions, lower is better")

    def take(self, event: Event) -> None:
        """Follow an event of a training; any other is passed over."""
        follow: Mapping[type[Event], Callable[[Any], None]] = {
            diffusion.DataRead: self._take_data,
            classifier.SplitReady: self._take_data,
            diffusion.TrainingStarted: self._take_start,
            classifier.TrainingStarted: self._take_start,
            diffusion.TrainingStep: self._take_step,
            classifier.TrainingStep: self._take_learnt,
            diffusion.Evaluated: self._take_samples,
            classifier.Evaluated: self._take_epoch,
            diffusion.MemorisationJudged: self._take_judgement,
            classifier.Measured: self._take_measure,
            classifier.Summarised: self._take_summary,
            Notice: self._take_note,
            diffusion.TrainingFinished: self._take_model,
            classifier.TrainingFinished: self._take_end,
        }
        if type(event) in follow:
            follow[type(event)](event)

    def fill(self, rows: Sequence[Mapping[str, Any]], sheet: Path | None) -> None:
        """Show what a log says."""
        for row in rows:
            self._add_scores(row)
            self._book.add("loss", row.get("images"), row.get("loss"))
            self.images = max(self.images, _number(row.get("images")) or 0.0)
        self.sheet = sheet

    def _take_data(self, event: diffusion.DataRead | classifier.SplitReady) -> None:
        self.words = translate(event.leakage)

    def _take_judgement(self, event: diffusion.MemorisationJudged) -> None:
        self.words = translate(event.sentence)

    def _take_summary(self, event: classifier.Summarised) -> None:
        self.words = translate(event.summary)

    def _take_note(self, event: Notice) -> None:
        self.words = translate(event.message)

    def _take_start(self, event: diffusion.TrainingStarted | classifier.TrainingStarted) -> None:
        if self._began is not None:
            self._book.clear()  # another network, seed or fold begins: its curves are its own
        self._loss, self.remaining, self.rate, self._is_complete = None, None, None, False
        self.images, self.total = float(event.images), float(event.total)
        self._began = (self._clock(), self.images)
        words = tr("{parameters:.1f} M parameters on {device}, {precision}")
        self.words = words.format(parameters=event.parameters / 1e6, device=event.device, precision=event.precision)

    def _take_step(self, event: diffusion.TrainingStep) -> None:
        self._add_loss(event.images, event.loss)
        self.rate, self.remaining = event.images_per_second, event.remaining

    def _take_learnt(self, event: classifier.TrainingStep) -> None:
        """Reckon the remaining time from what this sitting has done."""
        self._add_loss(event.images, event.loss)
        if self._began is None:
            return
        began, seen = self._began
        seconds, done = self._clock() - began, self.images - seen
        if seconds > 0 and done > 0:
            self.rate = done / seconds
            self.remaining = max(0.0, self.total - self.images) / self.rate

    def _add_loss(self, images: int, loss: float) -> None:
        self.images = float(images)
        self._loss = loss if self._loss is None else self._loss + SMOOTHED * (loss - self._loss)
        self._book.add("loss", self.images, self._loss)

    def _take_samples(self, event: diffusion.Evaluated) -> None:
        self._take_scores(event)
        self.sheet = event.sheet
        if event.best:
            self.words = tr("The best weights so far are kept.")

    def _take_epoch(self, event: classifier.Evaluated) -> None:
        self._take_scores(event)
        self.words = tr("Best balanced accuracy so far: {best:.3f}").format(best=event.best)

    def _take_scores(self, event: diffusion.Evaluated | classifier.Evaluated) -> None:
        self.images = float(event.images)
        self._add_scores(event.to_json())

    def _add_scores(self, row: Mapping[str, Any]) -> None:
        images = row.get("images")
        self._book.add("validation_loss", images, row.get("validation_loss", row.get("val_loss")))
        self._book.add("kid", images, row.get("kid"), row.get("kid_low"), row.get("kid_high"))
        self._book.add("val_balanced_accuracy", images, row.get("val_balanced_accuracy"))

    def _take_measure(self, event: classifier.Measured) -> None:
        self.model = event.model
        value, low, high = event.balanced_accuracy, event.low, event.high
        if value is None:
            self.words = tr("The balanced accuracy is not defined: too few classes are held out.")
        elif low is None or high is None:
            self.words = tr("Balanced accuracy {value:.3f}").format(value=value)
        else:
            words = tr("Balanced accuracy {value:.3f} (95 % interval {low:.3f} to {high:.3f})")
            self.words = words.format(value=value, low=low, high=high)

    def _take_model(self, event: diffusion.TrainingFinished) -> None:
        self._take_end(event)
        self.model = event.models

    def _take_end(self, event: diffusion.TrainingFinished | classifier.TrainingFinished) -> None:
        self.remaining = None
        self._is_complete = event.status == "completed"


def _number(value: object) -> float | None:
    return float(value) if is_number(value) else None  # type: ignore[arg-type]
