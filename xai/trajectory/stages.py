"""The stages of an image's analysis: what each is called, and which share of the time it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.jobs.stream import JobContext
from core.message import Message


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage; `share` is its part of one image's time, measured on the starter models (docs/trajectory.md)."""

    share: float
    words: str


STAGES: Final = {
    "draw": Stage(0.04, Message("reproducing the image")),
    "maps": Stage(0.10, Message("maps of the steps")),
    "time_shap": Stage(0.62, Message("Time-SHAP")),
    "interventions": Stage(0.08, Message("interventions")),
    "controls": Stage(0.10, Message("negative controls")),
    "pictures": Stage(0.06, Message("figures")),
}

SUMMARY: Final = Stage(0.01, Message("summary"))


class StageReporter:
    """Gives each stage of each image its share of the whole.

    Parameters
    ----------
    context
        Of the whole analysis.
    images
        How many the analysis has.

    Attributes
    ----------
    image
        The number of the present one, from 0.
    """

    def __init__(self, context: JobContext, images: int) -> None:
        self._context = context
        self._images = images
        self.image = 0

    def stage(self, name: str) -> JobContext:
        """Return the context of a stage of the present image."""
        stage, names = STAGES[name], list(STAGES)
        before = sum(STAGES[other].share for other in names[: names.index(name)])
        each = (1 - SUMMARY.share) / self._images if self._images > 1 else 1.0
        words = stage.words
        if self._images > 1:
            words = Message(
                "Image {number} of {images}: {stage}", number=self.image + 1, images=self._images, stage=stage.words
            )
        return self._context.part((self.image + before) * each, stage.share * each, words)

    def summary(self) -> JobContext:
        """Return the context of the summary."""
        return self._context.part(1 - SUMMARY.share, SUMMARY.share, SUMMARY.words)
