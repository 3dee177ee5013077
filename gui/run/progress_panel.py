"""How far the run is: bar, number, rate, remaining time, and what is being made."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QWidget

from core.cancel import StopMode
from gui.i18n import tr
from gui.i18n.numbers import duration
from gui.run.run import RunModel, RunState
from gui.theme.palette import tabular
from gui.theme.tokens import GAP
from gui.widgets.labels import ElidedLabel

RESOLUTION = 1000
LEAST_PER_SECOND = 0.1
"""Slower runs are told in images a minute."""


class ProgressPanel(QWidget):
    """One line; its parts keep their width, so that nothing jumps while numbers change."""

    def __init__(self, run: RunModel) -> None:
        super().__init__()
        self._run = run
        self.bar = QProgressBar()
        self.bar.setRange(0, RESOLUTION)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Progress of the run"))
        self.count = self._fixed(96)
        self.rate = self._fixed(96)
        self.remaining = self._fixed(116)
        self.what = ElidedLabel()
        self.what.setProperty("role", "muted")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        layout.addWidget(self.bar, 3)
        for part in (self.count, self.rate, self.remaining):
            layout.addWidget(part)
        layout.addWidget(self.what, 2)
        self._last = tr("Ready")
        self._per_minute: bool | None = None
        run.state_changed.connect(self._begin_anew)
        run.progress_changed.connect(self._show)
        run.state_changed.connect(self._show)
        self._show()

    def tell(self, words: str) -> None:
        """Say how the last run ended, until the next one starts."""
        self._last = words
        self._show()

    def _fixed(self, width: int) -> QLabel:
        made = QLabel()
        made.setFont(tabular(made.font()))
        made.setMinimumWidth(width)
        made.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return made

    def _show(self) -> None:
        run = self._run
        self.bar.setValue(round(run.fraction * RESOLUTION))
        self.count.setText(f"{run.done} / {run.total}" if run.total else "")
        self.rate.setText(self._rate(run.rate) if run.rate else "")
        self.remaining.setText(tr("{time} left").format(time=duration(run.remaining)) if run.remaining else "")
        self.what.setText(self._words())

    def _rate(self, per_second: float) -> str:
        """Say a rate in the unit that suits the first one of the run, so that its numbers can be compared."""
        if self._per_minute is None:
            self._per_minute = per_second < LEAST_PER_SECOND
        if self._per_minute:
            return tr("{rate:.1f} img/min").format(rate=60 * per_second)
        return tr("{rate:.2f} img/s").format(rate=per_second)

    def _begin_anew(self) -> None:
        if self._run.state is RunState.STARTING:
            self._per_minute = None

    def _words(self) -> str:
        run = self._run
        if run.state is RunState.IDLE:
            return self._last
        if run.state is RunState.STOPPING:
            after = run.stop_mode is StopMode.AFTER_IMAGE
            return tr("Stopping after this image…") if after else tr("Stopping…")
        if run.state is RunState.PAUSING:
            return tr("Pausing after this step…")
        if run.state is RunState.PAUSED:
            return tr("Paused; nothing is lost")
        if run.loading:
            return tr("Loading the model for {code}…").format(code=run.loading)
        if run.state is RunState.STARTING:
            return tr("Starting…")
        return ", ".join(
            tr("{code} {made} of {count}").format(code=code, made=run.made[code], count=count)
            for code, count in run.counts.items()
        )
