"""Images by class and part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QHeaderView, QTableWidget, QTableWidgetItem

from core.taxonomy import CLASS_CODES, class_name
from gui.i18n import tr, translate
from gui.theme.tokens import CONTROL_HEIGHT, GRID

ROW_HEIGHT: Final = 22

_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class CountTable(QTableWidget):
    """A row for each class that has images, a column for each part, and the sums."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Images by class and split"))
        self.setToolTip(tr("Images by class and split"))
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(ROW_HEIGHT)
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.setMinimumHeight((len(CLASS_CODES) + 1) * ROW_HEIGHT + CONTROL_HEIGHT + GRID)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)

    def show_counts(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        """Show other counts: by part, then by class code."""
        parts = list(counts)
        codes = [code for code in CLASS_CODES if any(counts[part].get(code) for part in parts)]
        rows = [(code, [counts[part].get(code, 0) for part in parts]) for code in codes]
        rows.append((tr("all"), [sum(counts[part].values()) for part in parts]))
        heads = parts if len(parts) > 1 else []
        self.setColumnCount(len(heads) + 2)
        self.setHorizontalHeaderLabels([tr("Class"), *heads, tr("all")])
        self.setRowCount(len(rows))
        for row, (name, numbers) in enumerate(rows):
            self._fill(row, name, [*(numbers if heads else []), sum(numbers)])

    def _fill(self, row: int, name: str, numbers: Sequence[int]) -> None:
        first = QTableWidgetItem(name)
        first.setToolTip(translate(class_name(name)) if name in CLASS_CODES else name)
        self.setItem(row, 0, first)
        for column, number in enumerate(numbers, start=1):
            cell = QTableWidgetItem(str(number) if number else "–")
            cell.setTextAlignment(_RIGHT)
            self.setItem(row, column, cell)
