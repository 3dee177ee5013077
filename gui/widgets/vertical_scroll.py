"""An area that scrolls up and down and is never narrower than what is in it."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QObject, QPoint, QSize, Qt
from PyQt5.QtWidgets import QFrame, QScrollArea, QWidget

from gui.theme.tokens import GRID
from gui.widgets.wheel_guard import WheelGuard


class VerticalScroll(QScrollArea):
    """Shows `content` at its own width or wider."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self._content = content
        content.setObjectName("scrolled")
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        WheelGuard(content)

    def reveal(self, part: QWidget) -> None:
        """Scroll until as much as possible of a part of the content is seen, its top at least."""
        top = part.mapTo(self._content, QPoint(0, 0)).y()
        bar = self.verticalScrollBar()
        bar.setValue(min(top, max(bar.value(), top + part.height() - self.viewport().height())))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ask for another width when the content does."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def minimumSizeHint(self) -> QSize:
        """Ask for the width of the content and of a scroll bar."""
        bar = self.verticalScrollBar().sizeHint().width() + GRID
        return QSize(self._content.minimumSizeHint().width() + bar, super().minimumSizeHint().height())
