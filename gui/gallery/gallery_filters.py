"""Choosers that narrow the gallery: class, run and rating."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QComboBox, QHBoxLayout, QWidget

from gui.gallery.gallery_filter import ANY, KEPT, REJECTED, STARS, UNRATED_ONLY
from gui.i18n import tr
from gui.i18n.numbers import moment as in_words
from gui.theme.tokens import GRID
from gui.widgets.elided_combo import ElidedCombo

MAX_RUNS = 50
"""Runs offered by name, the latest ones."""


class GalleryFilters(QWidget):
    """Chooses run and rating; stands in one line with the chooser of the class.

    Signals
    -------
    chosen
        Carries the run id and the rating, both empty for any.
    """

    chosen = pyqtSignal(str, str)

    def __init__(self, classes: QComboBox) -> None:
        super().__init__()
        self.runs = ElidedCombo()
        self.ratings = ElidedCombo()
        self._shown: tuple[tuple[str, int], ...] = ()
        for box, words in ((self.runs, tr("Show which run")), (self.ratings, tr("Show which rating"))):
            box.setAccessibleName(words)
            box.setToolTip(words)
        self._fill_ratings()
        self.show_runs(Counter())
        for box in (self.runs, self.ratings):
            box.activated.connect(lambda _: self.chosen.emit(self.runs.currentData(), self.ratings.currentData()))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GRID, 0, GRID, GRID)
        layout.setSpacing(GRID)
        chooser: QComboBox
        for chooser in (classes, self.runs, self.ratings):
            chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            chooser.setMinimumContentsLength(3)
            chooser.setProperty("tight", True)
            layout.addWidget(chooser, 1)

    def show_runs(self, runs: Counter[str]) -> None:
        """Offer these runs with their numbers of images, the latest first; what is chosen stays chosen."""
        latest = tuple(sorted(runs.items(), reverse=True)[:MAX_RUNS])
        if latest == self._shown and self.runs.count():
            return
        self._shown = latest
        chosen = self.runs.currentData() or ""
        self.runs.clear()
        self.runs.addItem(tr("Run"), "")
        for run_id, count in latest:
            self.runs.addItem(f"{run_title(run_id)} ({count})", run_id)
        self.runs.setCurrentIndex(max(0, self.runs.findData(chosen)))
        self.runs.setEnabled(bool(latest))

    def take_over(self, other: GalleryFilters) -> None:
        """Choose what another one chooses, without telling anybody."""
        self.ratings.setCurrentIndex(other.ratings.currentIndex())
        self.runs.setCurrentIndex(self.runs.findData(other.runs.currentData()))

    def _fill_ratings(self) -> None:
        self.ratings.addItem(tr("Rating"), ANY)
        for stars in reversed(STARS):
            words = "★" * int(stars)
            self.ratings.addItem(words if stars == STARS[-1] else tr("{stars} or more").format(stars=words), stars)
        self.ratings.addItem(tr("Not rated"), UNRATED_ONLY)
        self.ratings.addItem(tr("Not rejected"), KEPT)
        self.ratings.addItem(tr("Rejected"), REJECTED)


def run_title(run_id: str) -> str:
    """Return when a run began, in local time; a run id of another form as it is."""
    try:
        moment = datetime.strptime(run_id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return run_id
    return in_words(moment)
