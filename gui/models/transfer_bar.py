"""How far a download or an import is: a bar, and under it bytes, rate and remaining time."""

from __future__ import annotations

from PyQt5.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from gui.i18n import tr, translate
from gui.i18n.numbers import duration, size_text
from gui.models.model_download import ModelDownload, Stage
from gui.theme.palette import tabular
from gui.theme.tokens import GRID
from gui.widgets.labels import ElidedLabel

RESOLUTION = 1000


class TransferBar(QWidget):
    """Follows a `ModelDownload`; no room is taken while nothing goes on."""

    def __init__(self, model: ModelDownload) -> None:
        super().__init__()
        self._model = model
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Progress of the download"))
        self.bar.setToolTip(tr("Progress of the download"))
        self.words = ElidedLabel()
        self.words.setFont(tabular(self.words.font()))
        self.words.setProperty("role", "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, GRID, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(self.bar)
        layout.addWidget(self.words)
        model.changed.connect(self._show)
        model.progressed.connect(self._show)
        self._show()

    def _show(self) -> None:
        model = self._model
        self.setVisible(model.busy)
        is_known = model.total > 0 and model.stage in (Stage.DOWNLOADING, Stage.UNPACKING, Stage.WAITING)
        self.bar.setRange(0, RESOLUTION if is_known else 0)
        if is_known:
            self.bar.setValue(round(model.received / model.total * RESOLUTION))
        self.words.setText(_words(model))


def _words(model: ModelDownload) -> str:
    if model.words:
        return translate(model.words)
    if model.stage is Stage.STOPPING:
        return tr("Stopping; what has arrived is kept…")
    if model.stage is Stage.DOWNLOADING:
        return _numbers(model)
    if model.stage is Stage.UNPACKING:
        return tr("Unpacking {name}…").format(name=model.member)
    if model.stage is Stage.CHECKING:
        whole = model.member == "archive"
        return tr("Checking the archive…") if whole else tr("Checking {name}…").format(name=model.member)
    return tr("Beginning…")


def _numbers(model: ModelDownload) -> str:
    done = size_text(model.received)
    share = tr("{done} of {total}").format(done=done, total=size_text(model.total)) if model.total else done
    rate = tr("{size}/s").format(size=size_text(model.rate)) if model.rate else ""
    left = tr("{time} left").format(time=duration(model.remaining)) if model.remaining else ""
    return " · ".join(part for part in (share, rate, left) if part)
