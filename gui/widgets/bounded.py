"""Words of any length in a place of bounded height: what does not fit is scrolled to."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QObject, QSize, Qt
from PyQt5.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget


class Bounded(QScrollArea):
    """Shows `content` as high as it is, up to a bound; it is there as long as the content is.

    Parameters
    ----------
    most
        Its height at most, in pixels.
    """

    def __init__(self, content: QWidget, most: int) -> None:
        super().__init__()
        self._content, self._most = content, most
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        is_hidden = content.isHidden() and content.testAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide)
        if not content.objectName():
            content.setObjectName("scrolled")
        self.setWidget(content)
        content.setVisible(not is_hidden)  # Qt shows what it takes in
        self.setVisible(not is_hidden)

    def hasHeightForWidth(self) -> bool:
        """Whether the height depends on the width: that of wrapped words does."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of the content in a width, up to the bound."""
        content = self._content
        needed = content.heightForWidth(width) if content.hasHeightForWidth() else content.sizeHint().height()
        return min(self._most, max(0, needed))

    def sizeHint(self) -> QSize:
        """Ask for the room of the content, up to the bound."""
        width = max(self.width(), self._content.minimumSizeHint().width())
        return QSize(self._content.sizeHint().width(), self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """Ask for the least width of the content."""
        return QSize(self._content.minimumSizeHint().width(), 0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Come and go with the content, and ask for another height when it does."""
        if watched is self._content:
            if event.type() == QEvent.Type.ShowToParent:
                self.show()
            elif event.type() == QEvent.Type.HideToParent:
                self.hide()
            elif event.type() == QEvent.Type.LayoutRequest:
                self.updateGeometry()
        return super().eventFilter(watched, event)
