"""What was found on this computer: an icon, a name and a finding a line, and what to do where something is amiss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QGridLayout, QWidget

from core.checks import Check, Status
from gui.i18n import mark, tr, translate
from gui.theme.tokens import GAP, GRID
from gui.widgets.icon_label import IconLabel
from gui.widgets.labels import ElidedLabel, label

NAME_WIDTH = 170

_SIGNS: Final[dict[Status, tuple[str, str, str]]] = {
    "ok": ("green", "evidence", mark("in order")),
    "warn": ("warning", "doubt", mark("note")),
    "fail": ("red", "none", mark("missing")),
}


class FindingList(QWidget):
    """Grows with its findings; put it into something that scrolls."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GAP)
        self._grid.setVerticalSpacing(GRID)
        self._grid.setColumnMinimumWidth(1, NAME_WIDTH)
        self._grid.setColumnStretch(2, 1)
        self._shown: tuple[Check, ...] = ()

    def show_findings(self, findings: Sequence[Check]) -> None:
        """Show other findings; those that are only added to the ones shown are put under them."""
        wanted = tuple(finding for finding in findings if not _is_detail(finding))
        if wanted[: len(self._shown)] != self._shown:
            self._clear()
        for finding in wanted[len(self._shown) :]:
            self._add(finding)
        self._shown = wanted

    def _add(self, finding: Check) -> None:
        row = self._grid.rowCount()
        icon_name, token, word = _SIGNS[finding.status]
        name, detail = translate(finding.name), translate(finding.detail)
        sign = IconLabel(icon_name, token)
        sign.setAccessibleName(tr(word))
        sign.setToolTip(tr(word))
        self._grid.addWidget(sign, row, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(label(name), row, 1, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(ElidedLabel(detail) if finding.status == "ok" else _sentence(detail), row, 2)
        if finding.remedy and finding.status != "ok":
            self._grid.addWidget(_sentence(translate(finding.remedy), "muted"), row + 1, 2)

    def _clear(self) -> None:
        while self._grid.count():
            self._grid.takeAt(0).widget().deleteLater()
        self._shown = ()


def _is_detail(finding: Check) -> bool:
    """Whether it is a file's checksum that is as it should be, which interests nobody here."""
    return finding.status == "ok" and finding.detail.startswith("SHA-256")


def _sentence(words: str, role: str = "") -> QWidget:
    made = label(words, role, wrap=True)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made
