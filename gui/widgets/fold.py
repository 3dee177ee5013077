"""A heading that folds what is under it away."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget

from gui.theme.icons import set_icon


class Fold(QWidget):
    """Shows or hides its content.

    Signals
    -------
    toggled
        Carries whether the content is shown.
    """

    toggled = pyqtSignal(bool)

    def __init__(self, title: str, content: QWidget, *, is_open: bool = False) -> None:
        super().__init__()
        self._content = content
        self._head = QToolButton()
        self._head.setText(title)
        self._head.setCheckable(True)
        self._head.setProperty("flat", True)
        self._head.setProperty("fold", True)
        self._head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._head.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._head.setAccessibleName(title)
        self._head.toggled.connect(self._show)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._head)
        layout.addWidget(content)
        self._show(is_open)

    @property
    def is_open(self) -> bool:
        """Whether the content is shown."""
        return self._head.isChecked()

    def set_open(self, is_open: bool) -> None:
        """Show or hide the content."""
        self._head.setChecked(is_open)

    def _show(self, is_open: bool) -> None:
        self._head.setChecked(is_open)
        self._content.setVisible(is_open)
        set_icon(self._head, "open-fold" if is_open else "closed-fold", "muted")
        self.toggled.emit(is_open)
