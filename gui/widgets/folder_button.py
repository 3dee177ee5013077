"""A button that shows which folder is in force and offers others."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QRect, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QIcon, QPainter, QPaintEvent
from PyQt5.QtWidgets import QMenu, QSizePolicy, QStyle, QStyleOptionToolButton, QToolButton

from core.home import home_folder
from gui.theme import palette
from gui.theme.icons import icon, set_icon
from gui.theme.tokens import GAP_SMALL, ICON_SIZE


class FolderButton(QToolButton):
    """Shows a caption and a folder, shortened in the middle; its menu is filled when it opens.

    Signals
    -------
    about_to_open
        Fill the menu now; carries the menu.
    """

    about_to_open = pyqtSignal(object)

    def __init__(self, icon_name: str, caption: str, elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__()
        self._elide = elide
        self._caption = caption
        self.setProperty("chooser", True)
        self._value = ""
        set_icon(self, icon_name, "muted")
        self.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(140)
        self.setMaximumWidth(340)
        menu = QMenu(self)
        menu.aboutToShow.connect(lambda: self.about_to_open.emit(menu))
        self.setMenu(menu)

    def show_value(self, value: str, tooltip: str) -> None:
        """Show what is in force."""
        self._value = value
        self.setToolTip(tooltip)
        self.setAccessibleName(f"{self._caption}: {value}")
        self.update()

    def sizeHint(self) -> QSize:
        """Ask for the room the words need."""
        words = self.fontMetrics().horizontalAdvance(f"{self._caption}  {self._value}")
        return QSize(min(340, words + 4 * GAP_SMALL + 2 * ICON_SIZE), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Ask for enough to recognise the folder by; the words are shortened."""
        return QSize(self.minimumWidth(), super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the button with icon, muted caption, value and an arrow."""
        painter = QPainter(self)
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        option.icon, option.text = QIcon(), ""
        self.style().drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option, painter, self)
        area = self.rect().adjusted(GAP_SMALL, 0, -GAP_SMALL, 0)
        side = ICON_SIZE
        top = (self.height() - side) // 2
        self.icon().paint(painter, area.left(), top, side, side)
        icon("open-fold", "muted").paint(painter, area.right() - side + 2, top, side, side)
        self._draw_words(painter, area.adjusted(side + GAP_SMALL, 0, -side - 2, 0))

    def _draw_words(self, painter: QPainter, area: QRect) -> None:
        """Draw caption and value; where both do not fit, the value alone: the icon says what it is."""
        metrics = self.fontMetrics()
        left = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        caption = metrics.horizontalAdvance(self._caption) + GAP_SMALL
        if caption + metrics.horizontalAdvance(self._value) <= area.width():
            painter.setPen(palette.color("muted"))
            painter.drawText(area, left, self._caption)
            area = area.adjusted(caption, 0, 0, 0)
        painter.setPen(palette.color("text" if self.isEnabled() else "disabled"))
        painter.drawText(area, left, metrics.elidedText(self._value, self._elide, area.width()))


def short_path(path: Path, home: Path | None = None) -> str:
    """Return a path with the home folder as ``~``."""
    try:
        return str(Path("~") / path.relative_to(home or home_folder()))
    except ValueError:
        return str(path)
