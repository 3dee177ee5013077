"""Maps side by side, as large as they go, with one zoom for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from PyQt5.QtCore import QSize, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QGridLayout, QWidget

from gui.explain.explain import ShownMap
from gui.explain.map_cache import MapKey
from gui.explain.map_tile import MapTile
from gui.theme.tokens import GRID
from gui.widgets.picture_view import PictureView, Place

SMALLEST: Final = (160, 120)
NARROWEST: Final = 84
HEAD: Final = 28
"""Height of a tile that is not picture."""


class MapGrid(QWidget):
    """Shows `ShownMap`s; one of them is chosen.

    Signals
    -------
    chosen
        Another map is chosen, or the chosen one has changed.
    pin_asked
        Carries the `ShownMap` to be pinned, or let go if it is.
    hovered
        Carries the `ShownMap` and the pixel (x, y) under the pointer, or None.
    zoomed
        Carries the magnification.
    """

    chosen = pyqtSignal()
    pin_asked = pyqtSignal(object)
    hovered = pyqtSignal(object, object)
    zoomed = pyqtSignal(float)

    def __init__(self) -> None:
        super().__init__()
        self._tiles: list[MapTile] = []
        self._maps: tuple[ShownMap, ...] = ()
        self._key: MapKey | None = None
        self._opacity = 1.0
        self._pixels = False
        self._columns = 0
        self._layout = QGridLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(GRID)
        self._add_tile()

    @property
    def current(self) -> ShownMap | None:
        """The chosen map; the last one where nobody has chosen."""
        if not self._maps:
            return None
        return next((shown for shown in self._maps if shown.entry.key == self._key), self._maps[-1])

    @property
    def view(self) -> PictureView:
        """The view of the chosen map."""
        current = self.current
        return self._tiles[self._maps.index(current) if current else 0].view

    @property
    def tiles(self) -> Sequence[MapTile]:
        """The tiles in use."""
        return tuple(self._tiles[: len(self._maps)])

    def show_maps(self, maps: Sequence[ShownMap]) -> None:
        """Show maps; the chosen one stays chosen if it is among them."""
        place = self.view.place() if self.view.has_picture else None
        same_image = bool(self._maps and maps) and self._maps[-1].entry.image == maps[-1].entry.image
        if not same_image:
            self._leave_pinned(maps)
        self._maps = tuple(maps)
        while len(self._tiles) < len(maps):
            self._add_tile()
        for tile, shown in zip(self._tiles, maps, strict=False):
            tile.show_map(shown, self._opacity)
        for number, tile in enumerate(self._tiles):
            tile.setVisible(number < len(maps))
        self._arrange(is_new=True)
        self._show_chosen()
        if place and same_image and not place.fits:
            self._follow(None, place)
        self.chosen.emit()

    def set_opacity(self, opacity: float) -> None:
        """Fade every map."""
        self._opacity = opacity
        for tile in self._tiles:
            tile.set_opacity(opacity)

    def set_pixels(self, shown: bool) -> None:
        """Show single pixels in every map."""
        self._pixels = shown
        for tile in self._tiles:
            tile.view.set_pixels(shown)

    def minimumSizeHint(self) -> QSize:
        """Ask for the room of one small map, however many there are: they share what there is."""
        return QSize(*SMALLEST)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange anew where another number of columns makes the maps larger."""
        super().resizeEvent(event)
        self._arrange(is_new=False)

    def _add_tile(self) -> None:
        tile = MapTile()
        tile.view.set_pixels(self._pixels)
        tile.chosen.connect(partial(self._choose, tile))
        tile.pin_asked.connect(partial(self._ask_pin, tile))
        tile.view.hovered.connect(partial(self._hover, tile))
        tile.view.placed.connect(partial(self._follow, tile))
        tile.view.zoomed.connect(self.zoomed)
        tile.setVisible(False)
        self._tiles.append(tile)

    def _arrange(self, *, is_new: bool) -> None:
        columns = best_columns(len(self._maps), self.width(), self.height())
        if columns == self._columns and not is_new:
            return
        self._columns = columns
        for number, tile in enumerate(self.tiles):
            self._layout.addWidget(tile, number // columns, number % columns)
        for column in range(self._layout.columnCount()):
            self._layout.setColumnStretch(column, int(column < columns))
        rows = -(-len(self._maps) // columns) if columns else 0
        for row in range(self._layout.rowCount()):
            self._layout.setRowStretch(row, int(row < rows))

    def _choose(self, tile: MapTile) -> None:
        if tile.shown and tile.shown.entry.key != self._key:
            self._key = tile.shown.entry.key
            self._show_chosen()
            self.chosen.emit()

    def _leave_pinned(self, maps: Sequence[ShownMap]) -> None:
        """With another picture its own map is what counts, not the one that was pinned to compare with."""
        if any(shown.entry.key == self._key and shown.entry.pinned for shown in maps):
            self._key = None

    def _show_chosen(self) -> None:
        current = self.current
        for tile in self.tiles:
            tile.set_chosen(tile.shown is current, is_one_of_many=len(self._maps) > 1)

    def _ask_pin(self, tile: MapTile) -> None:
        if tile.shown:
            self.pin_asked.emit(tile.shown)

    def _hover(self, tile: MapTile, place: tuple[int, int] | None) -> None:
        self.hovered.emit(tile.shown, place)

    def _follow(self, source: MapTile | None, place: Place) -> None:
        for tile in self.tiles:
            if tile is not source:
                tile.view.show_place(place)


def best_columns(count: int, width: int, height: int) -> int:
    """Return the number of columns that makes `count` square pictures largest in a place of this size.

    Columns too narrow for a name are avoided where there is another way.
    """
    if count < 2:
        return count
    wide = [columns for columns in range(1, count + 1) if width / columns >= NARROWEST]
    return max(wide or (1,), key=lambda columns: (round(_side(count, columns, width, height)), -columns))


def best_side(count: int, width: int, height: int) -> float:
    """Return the side that square pictures, one at least, have in a place of this size."""
    return _side(count, best_columns(count, width, height), width, height)


def _side(count: int, columns: int, width: int, height: int) -> float:
    rows = -(-count // columns)
    return min(width / columns, height / rows - HEAD)
