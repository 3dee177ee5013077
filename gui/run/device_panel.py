"""The devices: how much memory each has, how much of it is free, and what the run will need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from gui.common.engine_model import EngineState
from gui.i18n import tr, translate
from gui.i18n.numbers import gib_text
from gui.theme.tokens import GAP_SMALL, GRID
from gui.widgets.labels import ElidedLabel, label
from gui.workers.engine import DeviceInfo, DeviceMemory

if TYPE_CHECKING:
    from gui.shell.session import Session


RESOLUTION = 1000


class DevicePanel(QWidget):
    """One row for each device of the engine, and a sentence about the run."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.rows: dict[str, DeviceRow] = {}
        self.need = label("", "muted", wrap=True)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(GAP_SMALL, 0, 0, GAP_SMALL)
        self._layout.setSpacing(GAP_SMALL)
        self._layout.addWidget(self.need)
        session.engine.changed.connect(self._show_devices)
        session.memory.changed.connect(self._show_memory)
        session.forecast.changed.connect(self._show_need)
        self._show_devices()

    def _show_devices(self) -> None:
        info = self._session.engine.info
        for row in self.rows.values():
            row.deleteLater()
        self.rows = {device.key: DeviceRow(device) for device in info.devices} if info else {}
        for place, row in enumerate(self.rows.values()):
            self._layout.insertWidget(place, row)
        self._show_memory()
        self._show_need()

    def _show_memory(self) -> None:
        for key, memory in self._session.memory.devices.items():
            if key in self.rows:
                self.rows[key].show_memory(memory)

    def _show_need(self) -> None:
        told = self._session.forecast.run_estimate
        if self._session.engine.state is not EngineState.READY:
            self.need.setText(tr("Known when the engine is ready"))
        elif told is None or told.device not in self.rows:
            self.need.setText("")
        else:
            words = tr("This run: {device}, {precision}, %n image(s) at once, up to {memory}", told.batch_size)
            device = self.rows[told.device].name.text().split(" · ")[0]
            self.need.setText(words.format(device=device, precision=told.precision, memory=gib_text(told.memory)))


class DeviceRow(QWidget):
    """The name of a device over a bar of the memory in use."""

    def __init__(self, device: DeviceInfo) -> None:
        super().__init__()
        self.name = ElidedLabel(translate(device.name))
        self.free = label("", "muted")
        self.bar = QProgressBar()
        self.bar.setRange(0, RESOLUTION)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Memory in use: {device}").format(device=device.name))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        for part in (self.name, self.bar, self.free):
            layout.addWidget(part)

    def show_memory(self, memory: DeviceMemory) -> None:
        """Show what its driver says."""
        self.bar.setValue(round(RESOLUTION * (1 - memory.free / memory.total)))
        words = tr("{free} of {total} free")
        self.free.setText(words.format(free=gib_text(memory.free), total=gib_text(memory.total)))
