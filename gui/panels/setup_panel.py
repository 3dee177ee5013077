"""The left region: which classes, how many, how, and the button that starts it."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QMenu, QPushButton, QSpinBox, QVBoxLayout, QWidget

from core.cancel import StopMode
from core.taxonomy import CLASS_CODES
from gui.i18n import tr
from gui.panels.advanced import AdvancedOptions
from gui.state.classes import MAX_IMAGES
from gui.state.request import estimate
from gui.state.session import Session
from gui.theme.icons import set_icon
from gui.theme.tokens import GAP, GAP_SMALL, GRID
from gui.widgets.buttons import text_button
from gui.widgets.class_row import COUNT_WIDTH, ClassRow
from gui.widgets.fold import Fold
from gui.widgets.labels import label
from gui.widgets.panel_head import PanelHead
from gui.widgets.vertical_scroll import VerticalScroll


class SetupPanel(QFrame):
    """Class rows, the advanced fold, the estimate, and Start, Stop, Regenerate."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._session = session
        self.head = PanelHead(tr("Classes"))
        self.rows = {code: self._make_row(code) for code in CLASS_CODES}
        self.advanced = Fold(tr("Advanced"), AdvancedOptions(session.settings))
        self.estimate = label("", "muted", wrap=True)
        self.start = self._make_start()
        self.stop = self._make_stop()
        self.regenerate = text_button(tr("Regenerate"), session.regenerate)
        set_icon(self.regenerate, "again")
        self.regenerate.setToolTip(tr("Make as many further images with the settings of the last run (Ctrl+R)"))
        self._same = self._make_same()
        self._lay_out()
        self._connect()
        self._show_state()

    def _connect(self) -> None:
        session = self._session
        session.classes.row_changed.connect(lambda code: self.rows[code].show_choice(session.classes.row(code)))
        session.classes.changed.connect(self._show_state)
        session.settings.changed.connect(lambda _: self._show_state())
        session.catalog.changed.connect(self._show_state)
        session.run.state_changed.connect(self._show_state)
        session.run.image_done.connect(lambda _: self._show_state())

    def _make_row(self, code: str) -> ClassRow:
        classes = self._session.classes
        row = ClassRow(code)
        row.show_choice(classes.row(code))
        row.check_asked.connect(lambda checked: classes.set_checked(code, checked))
        row.count_asked.connect(lambda count: classes.set_count(code, count))
        return row

    def _make_start(self) -> QPushButton:
        button = text_button(tr("Start"), self._session.start)
        button.setObjectName("primary")
        button.setToolTip(tr("Make the images (Ctrl+Return)"))
        set_icon(button, "start", "on_accent")
        return button

    def _make_stop(self) -> QPushButton:
        button = text_button(tr("Stop"))
        button.setProperty("tall", True)
        set_icon(button, "stop")
        menu = QMenu(button)
        stop = self._session.stop
        menu.addAction(tr("After this image"), lambda: stop(StopMode.AFTER_IMAGE))
        menu.addAction(tr("Now, keep the finished images (Esc)"), lambda: stop(StopMode.NOW))
        menu.addSeparator()
        menu.addAction(tr("Now, and take this run's images back"), lambda: stop(StopMode.DISCARD))
        button.setMenu(menu)
        button.setToolTip(tr("Stop the run; there are three ways"))
        return button

    def _make_same(self) -> QSpinBox:
        spin = QSpinBox()
        spin.setRange(1, MAX_IMAGES)
        spin.setFixedWidth(COUNT_WIDTH)
        spin.setAlignment(Qt.AlignmentFlag.AlignRight)
        spin.setValue(self._session.settings.get("generation.count"))
        spin.setToolTip(tr("The same number for every class"))
        spin.setAccessibleName(tr("The same number for every class"))
        spin.valueChanged.connect(self._session.classes.set_all_counts)
        return spin

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP, GAP, GAP)
        layout.setSpacing(GAP_SMALL)
        layout.addWidget(self._scrolled(), 1)
        layout.addWidget(self.estimate)
        buttons = QHBoxLayout()
        buttons.setSpacing(GAP_SMALL)
        buttons.addWidget(self.start, 1)
        buttons.addWidget(self.stop)
        layout.addLayout(buttons)
        layout.addWidget(self.regenerate)

    def _scrolled(self) -> VerticalScroll:
        content = QWidget()
        inside = QVBoxLayout(content)
        inside.setContentsMargins(0, 0, GRID, 0)
        inside.setSpacing(GRID)
        for row in self.rows.values():
            inside.addWidget(row)
        inside.addLayout(self._all_none())
        inside.addWidget(self.advanced)
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

    def _show_state(self) -> None:
        session = self._session
        busy = session.run.busy
        cost = estimate(session.settings, session.classes, session.catalog.title)
        self.estimate.setText(tr("Looking at the models…") if session.catalog.catalog is None else cost.text())
        self.start.setEnabled(not busy and cost.images > 0)
        self.stop.setEnabled(busy)
        self.regenerate.setEnabled(not busy and session.run.last_request is not None)
