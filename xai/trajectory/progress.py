"""How far an analysis is: each stage of each image has its share of the whole."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from core.events import Event
from xai.trajectory.events import Progress

SHARES: Final = {
    "draw": 0.04,
    "maps": 0.10,
    "time_shap": 0.62,
    "interventions": 0.08,
    "controls": 0.10,
    "pictures": 0.06,
}
"""Of one image's time, measured on the starter models; see docs/trajectory.md."""

WORDS: Final = {
    "draw": "Drawing the image: {done} of {total} steps",
    "maps": "Maps: {done} of {total}",
    "time_shap": "Time-SHAP: {done} of {total} coalitions",
    "interventions": "Interventions: {done} of {total} steps",
    "controls": "Controls: {done} of {total}",
    "pictures": "Pictures: {done} of {total}",
}

SECONDS_BETWEEN: Final = 0.2

Tell = Callable[[Event], None]


def silent(_event: Event) -> None:
    """Tell nobody."""


class Reporter:
    """Tells of progress, a few times a second at most; the first and the last of a stage always.

    Parameters
    ----------
    images
        How many the analysis has.
    """

    def __init__(self, tell: Tell, images: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._images = images
        self._clock = clock
        self._last = float("-inf")
        self.image = 0

    def told(self, stage: str) -> Callable[[int, int], None]:
        """Return what a stage calls with what it has done and its total."""
        before = sum(share for name, share in SHARES.items() if list(SHARES).index(name) < list(SHARES).index(stage))

        def tell(done: int, total: int) -> None:
            now = self._clock()
            if 0 < done < total and now - self._last < SECONDS_BETWEEN:
                return
            self._last = now
            within = before + SHARES[stage] * (done / total if total else 1.0)
            words = WORDS[stage].format(done=done, total=total)
            if self._images > 1:
                words = f"Image {self.image + 1} of {self._images}. {words}"
            self._tell(Progress(stage, done, total, round((self.image + within) / self._images, 4), words))

        return tell
