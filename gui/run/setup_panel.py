"""The left region: which classes, how many, how, on what, and the buttons that start and stop it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from core.taxonomy import CLASS_CODES
from gui.common.window_requests import WindowRequest
from gui.i18n import tr
from gui.run.advanced import AdvancedOptions
from gui.run.class_row import COUNT_WIDTH, ClassRow
from gui.run.classes import MAX_IMAGES
from gui.run.device_panel import DevicePanel
from gui.run.run_controls import RunControls
from gui.theme.tokens import GAP, GAP_SMALL, GRID
from gui.widgets.buttons import text_button
from gui.widgets.fold import Fold
from gui.widgets.labels import label
from gui.widgets.panel_head import PanelHead
from gui.widgets.quiet import show_number
from gui.widgets.vertical_scroll import VerticalScroll

if TYPE_CHECKING:
    from gui.shell.session import Session


class SetupPanel(QFrame):
    """Class rows, the folds, and what the run is controlled with."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._session = session
        self.head = PanelHead(tr("Classes"))
        self.rows = {code: self._make_row(code) for code in CLASS_CODES}
        self.advanced = Fold(tr("Advanced"), AdvancedOptions(session.settings))
        self.devices = Fold(tr("Device and memory"), DevicePanel(session))
        self.controls = RunControls(session)
        self.start = self.controls.start
        self._same = self._make_same()
        self.options = self._scrolled()
        self._lay_out()
        self._connect()

    def _connect(self) -> None:
        session = self._session
        session.settings.changed.connect(self._follow_setting)
        session.classes.row_changed.connect(self._show_row)
        for fold in (self.advanced, self.devices):
            fold.toggled.connect(partial(self._reveal_later, fold))

    def _reveal_later(self, fold: Fold, is_open: bool) -> None:
        if is_open:
            QTimer.singleShot(0, partial(self.options.reveal, fold))  # the fold has its height only after the layout

    def _show_row(self, code: str) -> None:
        self.rows[code].show_choice(self._session.classes.row(code))

    def _follow_setting(self, key: str) -> None:
        if key == "generation.count":
            show_number(self._same, self._session.settings.get(key))

    def _make_row(self, code: str) -> ClassRow:
        classes = self._session.classes
        row = ClassRow(code)
        row.show_choice(classes.row(code))
        row.check_asked.connect(lambda checked: classes.set_checked(code, checked))
        row.count_asked.connect(lambda count: classes.set_count(code, count))
        row.models_asked.connect(partial(self._session.wish.emit, WindowRequest.GET_MODELS))
        return row

    def _make_same(self) -> QSpinBox:
        spin = QSpinBox()
        spin.setRange(1, MAX_IMAGES)
        spin.setFixedWidth(COUNT_WIDTH)
        spin.setAlignment(Qt.AlignmentFlag.AlignRight)
        spin.setValue(self._session.settings.get("generation.count"))
        spin.setToolTip(tr("The same number for every class"))
        spin.setAccessibleName(tr("The same number for every class"))
        spin.setKeyboardTracking(False)
        spin.valueChanged.connect(partial(self._session.settings.set, "generation.count"))
        return spin

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP, GAP, GAP)
        layout.setSpacing(GAP_SMALL)
        layout.addWidget(self.options, 1)
        layout.addWidget(self.controls)

    def _scrolled(self) -> VerticalScroll:
        content = QWidget()
        inside = QVBoxLayout(content)
        inside.setContentsMargins(0, 0, GRID, 0)
        inside.setSpacing(GRID)
        for row in self.rows.values():
            inside.addWidget(row)
        inside.addLayout(self._all_none())
        inside.addWidget(self.advanced)
        inside.addWidget(self.devices)
        inside.addStretch(1)
        return VerticalScroll(content)

    def _all_none(self) -> QHBoxLayout:
        classes = self._session.classes
        line = QHBoxLayout()
        line.setSpacing(0)
        line.addWidget(text_button(tr("All"), lambda: classes.check_all(True), flat=True))
        line.addWidget(text_button(tr("None"), lambda: classes.check_all(False), flat=True))
        line.addStretch(1)
        caption = label(tr("same for all"), "muted")
        caption.setBuddy(self._same)
        line.addWidget(caption)
        line.addSpacing(GAP_SMALL)
        line.addWidget(self._same)
        return line
