"""The queue of runs: what waits, what is being made, what came of it; order, removal and start."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QModelIndex, QSize, Qt
from PyQt5.QtGui import QIcon
from PyQt5.QtWidgets import (
    QFrame,
    QListView,
    QMenu,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
)

from gui.common.shortcuts import keyed
from gui.explain.analyses import AnalysesModel
from gui.explain.analyses_list import AnalysesList
from gui.i18n import tr
from gui.run.queue import OVER, QueueModel, StateRole
from gui.run.queue_store import QueueState
from gui.theme.icons import icon, set_icon
from gui.theme.tokens import CONTROL_HEIGHT, GAP_LARGE, GAP_SMALL, GRID
from gui.widgets.buttons import icon_button, text_button
from gui.widgets.labels import label
from gui.widgets.panel_head import PanelHead

ICONS: dict[QueueState, tuple[str, str]] = {
    QueueState.WAITING: ("waiting", "muted"),
    QueueState.RUNNING: ("start", "accent"),
    QueueState.INTERRUPTED: ("interrupted", "doubt"),
    QueueState.DONE: ("green", "evidence"),
    QueueState.FAILED: ("error", "none"),
    QueueState.DISCARDED: ("red", "muted"),
}


class QueuePanel(QFrame):
    """Shows a `QueueModel`."""

    def __init__(self, queue: QueueModel, analyses: AnalysesModel) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._queue = queue
        self.head = PanelHead(tr("Queue"))
        self.list = self._make_list()
        self.hint = label("", "muted", wrap=True)
        self.hint.setMinimumHeight(CONTROL_HEIGHT + GAP_LARGE)  # two lines, in any font
        self.hint.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.start = self._make_start()
        self.up = keyed(icon_button("up", tr("Earlier"), lambda: self.move_run(-1)), "queue-up")
        self.down = keyed(icon_button("down", tr("Later"), lambda: self.move_run(1)), "queue-down")
        remove = icon_button("remove", tr("Remove from the queue"), lambda: self._on_row(queue.remove))
        self.remove = keyed(remove, "queue-remove")
        self.more = self._make_more()
        self.analyses = AnalysesList(analyses)
        self._lay_out()
        queue.changed.connect(self._show_state)
        analyses.listed.connect(self._show_hint)
        self.list.selectionModel().currentChanged.connect(lambda *_: self._show_state())
        self._show_state()

    def move_run(self, by: int) -> None:
        """Make the chosen run earlier or later."""
        if self._row() >= 0:
            self.list.setCurrentIndex(self._queue.index(self._queue.move(self._row(), by)))

    def _make_list(self) -> QListView:
        view = QListView()
        view.setModel(self._queue)
        view.setItemDelegate(QueueDelegate(view))
        view.setProperty("plain", True)
        view.setAccessibleName(tr("Queued runs"))
        view.setUniformItemSizes(True)
        view.setMinimumHeight(CONTROL_HEIGHT)
        view.setTextElideMode(Qt.TextElideMode.ElideRight)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return view

    def _make_start(self) -> QPushButton:
        button = text_button(tr("Start the queue"), self._toggle)
        set_icon(button, "queue")
        return button

    def _make_more(self) -> QToolButton:
        button = icon_button("more", tr("More about the queue"))
        menu = QMenu(button)
        self.again = menu.addAction(tr("Try the failed run again"), lambda: self._on_row(self._queue.try_again))
        self.sweep = menu.addAction(tr("Remove finished runs"), self._queue.remove_finished)
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return button

    def _lay_out(self) -> None:
        self.head.add(self.start)
        for button in (self.up, self.down, self.remove, self.more):
            self.head.add_at_end(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_SMALL, GRID, GRID, GRID)
        layout.setSpacing(GRID)
        layout.addWidget(self.hint)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.analyses, 1)

    def _toggle(self) -> None:
        if self._queue.active:
            self._queue.hold()
        else:
            self._queue.start()

    def _row(self) -> int:
        return self.list.currentIndex().row()

    def _on_row(self, act: Callable[[int], object]) -> None:
        if self._row() >= 0:
            act(self._row())

    def _show_state(self) -> None:
        queue, row = self._queue, self._row()
        state = queue.runs[row].state if 0 <= row < len(queue.runs) else None
        self.start.setText(tr("Pause queue") if queue.active else tr("Start the queue"))
        self.start.setToolTip(
            tr("Finish the current run, then wait.")
            if queue.active
            else tr("Carry out the waiting runs one after another")
        )
        self.start.setAccessibleName(self.start.text())
        self.start.setEnabled(queue.active or queue.waiting > 0)
        self.up.setEnabled(row > 0)
        self.down.setEnabled(0 <= row < len(queue.runs) - 1)
        self.again.setEnabled(state is QueueState.FAILED)
        self.remove.setEnabled(state not in (None, QueueState.RUNNING))
        self.sweep.setEnabled(any(run.state in OVER for run in queue.runs))
        self._show_hint()

    def _show_hint(self) -> None:
        queue = self._queue
        if queue.problem:
            words = tr("The queue cannot be saved ({why}); runs queued here are lost when this window closes.").format(
                why=queue.problem
            )
        elif not queue.is_kept:
            words = tr("Another window saves the queue; runs queued here are lost when this window closes.")
        elif not queue.runs:
            words = tr(
                "Set up a run on the left and press “Add to queue”; queued runs are carried out one after another."
            )
        elif queue.waiting and not queue.active:
            words = tr("%n run(s) waiting until the queue is started.", queue.waiting)
        else:
            words = ""
        self.hint.setText(words)
        self.hint.setVisible(bool(words) and (bool(queue.runs) or self.analyses.is_empty))
        self.list.setVisible(bool(queue.runs))


class QueueDelegate(QStyledItemDelegate):
    """Draws the state of a run as an icon in front of its words."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Add the icon; it is asked for at every painting and so follows the theme."""
        super().initStyleOption(option, index)
        option.features |= QStyleOptionViewItem.ViewItemFeature.HasDecoration
        option.icon = QIcon(icon(*ICONS[index.data(StateRole)]))
        option.decorationSize = QSize(16, 16)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Return rows as high as other controls."""
        return QSize(super().sizeHint(option, index).width(), CONTROL_HEIGHT - GRID)
