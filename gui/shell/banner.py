"""A line above the work area that tells something and offers to act on it; it interrupts nobody."""

from __future__ import annotations

from PyQt5.QtWidgets import QFrame, QHBoxLayout, QPushButton

from gui.common.notices import NoticesModel
from gui.i18n import tr, translate
from gui.theme.tokens import GAP_SMALL, GRID
from gui.widgets.buttons import icon_button, text_button
from gui.widgets.icon_label import IconLabel
from gui.widgets.labels import label


class Banner(QFrame):
    """Shows the latest notice of a model; hidden while there is none."""

    def __init__(self, notices: NoticesModel) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._notices = notices
        self._icon = IconLabel()
        self._words = label(wrap=True)
        self._action: QPushButton = text_button(tr("More"), notices.act)
        self._next: QPushButton = text_button("", notices.show_next, flat=True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GAP_SMALL + GRID, GRID, GRID, GRID)
        layout.setSpacing(GAP_SMALL)
        layout.addWidget(self._icon)
        layout.addWidget(self._words, 1)
        layout.addWidget(self._action)
        layout.addWidget(self._next)
        layout.addWidget(icon_button("close", tr("Dismiss"), notices.dismiss))
        notices.changed.connect(self._show)
        self._show()

    @property
    def text(self) -> str:
        """What is told."""
        return self._words.text()

    def _show(self) -> None:
        notice = self._notices.current
        self.setVisible(notice is not None)
        self._show_how_many()
        if notice is None:
            return
        words = translate(notice.words)
        self._words.setText(words)
        self.setAccessibleName(words)
        self._icon.show_icon(notice.icon, "accent")
        self._action.setVisible(bool(notice.action))
        if notice.action:
            self._action.setText(tr(notice.action))
            self._action.setAccessibleName(tr(notice.action))

    def _show_how_many(self) -> None:
        others = self._notices.count - 1
        self._next.setVisible(others > 0)
        words = tr("%n more", max(0, others))
        self._next.setText(words)
        self._next.setAccessibleName(words)
        self._next.setToolTip(tr("Show the next notice"))
