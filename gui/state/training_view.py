"""What can be seen of one training: its curves, its newest samples, how far it is, what it last said."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from gui.i18n import tr, translate
from gui.state.curves import Curve, CurveBook, is_number

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
        return tr("KID to held-out lesions, lower is better")

    def take(self, event: Mapping[str, Any]) -> None:
        """Follow an event of `train ... --json`; one that is not known is passed over."""
        follow = {
            "data": self._take_data,
            "split": self._take_data,
            "started": self._take_start,
            "step": self._take_step,
            "evaluated": self._take_evaluation,
            "memorisation": self._take_sentence,
            "measured": self._take_measure,
            "summarised": self._take_sentence,
            "notice": self._take_sentence,
            "finished": self._take_end,
        }.get(str(event.get("event")))
        if follow is not None:
            follow(event)

    def fill(self, rows: Sequence[Mapping[str, Any]], sheet: Path | None) -> None:
        """Show what a log says."""
        for row in rows:
            self._add_scores(row)
            self._book.add("loss", row.get("images"), row.get("loss"))
            self.images = max(self.images, _number(row.get("images")) or 0.0)
        self.sheet = sheet

    def _take_data(self, event: Mapping[str, Any]) -> None:
        self.words = translate(event.get("leakage", ""))

    def _take_sentence(self, event: Mapping[str, Any]) -> None:
        said = (event[key] for key in ("sentence", "summary", "message") if isinstance(event.get(key), str))
        self.words = translate(next(said, self.words))

    def _take_start(self, event: Mapping[str, Any]) -> None:
        if event.get("class") or self._began is not None:
            self._book.clear()  # another network, seed or fold begins: its curves are its own
        self._loss, self.remaining, self.rate, self._is_complete = None, None, None, False
        self.images, self.total = _number(event.get("images")) or 0.0, _number(event.get("total")) or 0.0
        self._began = (self._clock(), self.images)
        words = tr("{parameters:.1f} M parameters on {device}, {precision}")
        parameters = (_number(event.get("parameters")) or 0.0) / 1e6
        self.words = words.format(parameters=parameters, device=event.get("device"), precision=event.get("precision"))

    def _take_step(self, event: Mapping[str, Any]) -> None:
        self.images = _number(event.get("images")) or self.images
        loss = _number(event.get("loss"))
        if loss is not None:
            self._loss = loss if self._loss is None else self._loss + SMOOTHED * (loss - self._loss)
            self._book.add("loss", self.images, self._loss)
        self._follow_pace(event)

    def _follow_pace(self, event: Mapping[str, Any]) -> None:
        """Take the trainer's word for the remaining time, or reckon it from what this sitting has done."""
        self.rate, self.remaining = _number(event.get("images_per_second")), _number(event.get("remaining"))
        if self._began is None or "remaining" in event:
            return
        began, seen = self._began
        seconds, done = self._clock() - began, self.images - seen
        if seconds > 0 and done > 0:
            self.rate = done / seconds
            self.remaining = max(0.0, self.total - self.images) / self.rate

    def _take_evaluation(self, event: Mapping[str, Any]) -> None:
        self.images = _number(event.get("images")) or self.images
        self._add_scores(event)
        if isinstance(event.get("sheet"), str):
            self.sheet = Path(event["sheet"])
        best = event.get("best")
        if best is True:
            self.words = tr("The best weights so far are kept.")
        elif is_number(best):
            self.words = tr("Best balanced accuracy so far: {best:.3f}").format(best=float(best or 0.0))

    def _add_scores(self, row: Mapping[str, Any]) -> None:
        images = row.get("images")
        self._book.add("validation_loss", images, row.get("validation_loss", row.get("val_loss")))
        self._book.add("kid", images, row.get("kid"), row.get("kid_low"), row.get("kid_high"))
        self._book.add("val_balanced_accuracy", images, row.get("val_balanced_accuracy"))

    def _take_measure(self, event: Mapping[str, Any]) -> None:
        if isinstance(event.get("model"), str):
            self.model = Path(event["model"])
        value, low, high = (_number(event.get(key)) for key in ("balanced_accuracy", "low", "high"))
        if value is None:
            self.words = tr("The balanced accuracy is not defined: too few classes are held out.")
        elif low is None or high is None:
            self.words = tr("Balanced accuracy {value:.3f}").format(value=value)
        else:
            words = tr("Balanced accuracy {value:.3f} (95 % interval {low:.3f} to {high:.3f})")
            self.words = words.format(value=value, low=low, high=high)

    def _take_end(self, event: Mapping[str, Any]) -> None:
        self.remaining = None
        self._is_complete = event.get("status") == "completed"
        if isinstance(event.get("models"), str):
            self.model = Path(event["models"])


def _number(value: object) -> float | None:
    return float(value) if is_number(value) else None  # type: ignore[arg-type]
