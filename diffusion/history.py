"""The rows that a generator's training writes down: mean losses of many steps, evaluations, and the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import numpy as np
from PIL import Image

from diffusion.events import Evaluated
from training.trackers import RunLog

LOSS_COLUMNS: Final = ("event", "seconds", "loss", "rate", "images_per_second")
SCORE_COLUMNS: Final = ("validation_loss", "kid", "kid_low", "kid_high", "best")


def columns(classes: Sequence[str]) -> list[str]:
    """Return the columns of the table, after the number of images."""
    return [*LOSS_COLUMNS, *SCORE_COLUMNS, *(f"kid_{code}" for code in classes)]


class History:
    """Writes the rows of one run.

    Parameters
    ----------
    log
        None in all processes but the first.
    """

    def __init__(self, log: RunLog | None) -> None:
        self._log = log

    def losses(self, images: int, seconds: float, losses: Sequence[float], rate: float, pace: float | None) -> None:
        """Note the mean loss of some steps."""
        self._row(images, "loss", seconds, loss=sum(losses) / len(losses), rate=rate, images_per_second=pace)

    def evaluation(self, seconds: float, found: Evaluated) -> None:
        """Note an evaluation, and show its samples where curves are drawn."""
        values = {name: value for name, value in asdict(found).items() if name in SCORE_COLUMNS}
        by_class = {f"kid_{code}": value for code, value in found.kid_by_class.items()}
        self._row(found.images, "evaluated", seconds, **{**values, "best": int(found.best)}, **by_class)
        if self._log is not None:
            with Image.open(found.sheet) as picture:
                self._log.image(found.images, "samples", np.asarray(picture))

    def finished(self, images: int, seconds: float) -> None:
        """Note that the budget is used."""
        self._row(images, "finished", seconds)

    def close(self) -> None:
        """Write out what is still buffered."""
        if self._log is not None:
            self._log.close()

    def _row(self, images: int, event: str, seconds: float, **values: float | int | None) -> None:
        if self._log is not None:
            self._log.log(images, event=event, seconds=round(seconds, 1), **values)
