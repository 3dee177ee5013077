"""Photographs and lesions of each class, in two lines."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QGridLayout, QWidget

from core.taxonomy import CLASS_CODES, class_name
from gui.i18n import tr, translate
from gui.i18n.numbers import number
from gui.theme.palette import tabular
from gui.theme.tokens import GRID
from gui.widgets.labels import label


class PhotographTable(QWidget):
    """A small grid: class codes, photographs, lesions; classes without photographs are marked."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GRID)
        self._grid.setVerticalSpacing(0)
        self._cells = [[label("", role) for _ in CLASS_CODES] for role in ("muted", "", "muted")]
        for row, cells in enumerate(self._cells):
            for column, cell in enumerate(cells):
                cell.setAlignment(Qt.AlignmentFlag.AlignRight)
                cell.setFont(tabular(cell.font()))
                self._grid.addWidget(cell, row, column)

    def show_counts(self, images: Mapping[str, int], lesions: Mapping[str, int]) -> None:
        """Show other numbers by class code.

        Parameters
        ----------
        lesions
            Empty if they are unknown.
        """
        codes, counts, known = self._cells
        for column, code in enumerate(CLASS_CODES):
            words = tr("{name}: %n photograph(s)", images.get(code, 0)).format(name=translate(class_name(code)))
            codes[column].setText(code)
            counts[column].setText(number(images[code]) if images.get(code) else "–")
            known[column].setText(number(lesions[code]) if lesions.get(code) else "")
            for cell in (codes[column], counts[column]):
                cell.setToolTip(words)
            known[column].setToolTip(tr("%n lesion(s)", lesions[code]) if lesions.get(code) else "")
        self.setAccessibleName(", ".join(f"{code} {images[code]}" for code in CLASS_CODES if images.get(code)))
