"""Maps and what is known of them, arranged so that the maps are as large as the place allows."""

from __future__ import annotations

from typing import Final

from PyQt5.QtCore import QEvent, QObject, QSize, Qt
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QBoxLayout, QSizePolicy, QWidget

from gui.explain.explain_facts import ExplainFacts
from gui.explain.map_grid import MapGrid, best_side
from gui.theme.tokens import GAP_SMALL
from gui.widgets.vertical_scroll import VerticalScroll

BESIDE_WIDTH: Final = 200
"""Width of the facts when they stand beside the maps."""

LEAST: Final = QSize(300, 200)

WANTED_SIDE: Final = 240
"""Pixels that a map keeps while the facts below it can scroll."""


class MapsAndFacts(QWidget):
    """Puts the facts below the maps, or beside them where a low place makes maps larger so.

    Below, facts that find no room scroll: the scale and the verdict with its reasons stand on top and stay in sight.
    """

    def __init__(self, grid: MapGrid, facts: ExplainFacts) -> None:
        super().__init__()
        self._grid, self._facts = grid, facts
        self._scroll = VerticalScroll(facts)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._layout = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(GAP_SMALL)
        self._layout.addWidget(grid, 1)
        self._layout.addWidget(self._scroll)
        facts.installEventFilter(self)
        grid.chosen.connect(self.arrange)

    @property
    def is_beside(self) -> bool:
        """Whether the facts stand beside the maps."""
        return self._layout.direction() is QBoxLayout.Direction.LeftToRight

    def minimumSizeHint(self) -> QSize:
        """Ask for little in both arrangements: what asked for more in one would keep the window from another."""
        return LEAST

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange anew."""
        super().resizeEvent(event)
        self.arrange()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrange anew when the facts need another height."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.arrange()
        return super().eventFilter(watched, event)

    def arrange(self) -> None:
        """Choose the arrangement with the larger maps."""
        width, height, count = self.width(), self.height(), max(1, len(self._grid.tiles))
        below = self._height_below(width, height)
        side_below = best_side(count, width, height - below - GAP_SMALL)
        side_beside = best_side(count, width - BESIDE_WIDTH - GAP_SMALL, height)
        is_beside = side_beside > side_below
        self._facts.set_narrow(is_beside)
        if is_beside:
            self._layout.setDirection(QBoxLayout.Direction.LeftToRight)
            self._scroll.setFixedWidth(BESIDE_WIDTH)
            self._scroll.setMinimumHeight(0)
            self._scroll.setMaximumHeight(_UNBOUNDED)
        else:
            self._layout.setDirection(QBoxLayout.Direction.TopToBottom)
            self._scroll.setMinimumWidth(0)
            self._scroll.setMaximumWidth(_UNBOUNDED)
            self._scroll.setFixedHeight(below)
        self._scroll.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    def _height_below(self, width: int, height: int) -> int:
        """Return the height of the facts below the maps: all of it, or what the maps leave, the verdict at least."""
        return max(self._facts.least_height(width), min(self._facts.full_height(width), height - WANTED_SIDE))


_UNBOUNDED: Final = 16_777_215
"""What Qt calls no maximum."""
