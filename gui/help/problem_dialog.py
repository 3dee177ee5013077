"""Bad news: what happened, why, what to do; details for whoever wants to report it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QFontDatabase
from PyQt5.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gui.common.problem import Problem
from gui.help.problem_actions import Remedy
from gui.i18n import tr
from gui.theme.tokens import GAP, GAP_LARGE, GAP_SMALL
from gui.widgets.bounded import Bounded
from gui.widgets.buttons import text_button
from gui.widgets.icon_label import IconLabel
from gui.widgets.labels import label

WIDTH = 480
TEXT_WIDTH = 400
ICON_SIDE = 32
DETAILS_HEIGHT = 160
MOST_WORDS = 240
"""Height of what is said, at most, in pixels: buttons and details must find room on a small screen, too."""


class ProblemDialog(QDialog):
    """Shows a `Problem` and what can be done about it; never blocks whoever opens it.

    Signals
    -------
    diagnostics_asked
        Somebody wants to report the problem.
    """

    diagnostics_asked = pyqtSignal()

    def __init__(self, problem: Problem, remedies: Sequence[Remedy] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.problem = problem
        self.remedies = [self._remedy_button(remedy) for remedy in remedies]
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(problem.title)
        self.setMinimumWidth(WIDTH)
        self.finish = text_button(tr("Close"), self.close)
        self.details = self._make_details()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP_LARGE, GAP_LARGE, GAP_LARGE)
        layout.setSpacing(GAP)
        layout.addWidget(Bounded(self._words(), MOST_WORDS))
        if self.remedies:
            layout.addLayout(self._remedies())
        layout.addWidget(self.details)
        layout.addLayout(self._buttons())
        layout.setSizeConstraint(QLayout.SizeConstraint.SetMinimumSize)
        first = self.remedies[0] if self.remedies else self.finish
        first.setDefault(True)
        first.setFocus()
        self.setAccessibleName(problem.title)
        self.setAccessibleDescription(f"{problem.message} {problem.remedy}")

    def _words(self) -> QWidget:
        name, token = ("warning", "doubt") if self.problem.expected else ("error", "none")
        picture = IconLabel(name, token, ICON_SIDE)
        column = QVBoxLayout()
        column.setSpacing(GAP_SMALL)
        for text, role in ((self.problem.title, "title"), (self.problem.message, ""), (self.problem.remedy, "muted")):
            if text:
                line = label(text, role, wrap=True)
                line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                line.setMinimumWidth(TEXT_WIDTH)
                line.setTextFormat(Qt.TextFormat.PlainText)
                column.addWidget(line)
        column.addStretch(1)
        words = QWidget()
        row = QHBoxLayout(words)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP)
        row.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)
        return words

    def _remedies(self) -> QVBoxLayout:
        """One button a line: their words are sentences, and longer in other languages."""
        column = QVBoxLayout()
        column.setSpacing(GAP_SMALL)
        column.setContentsMargins(ICON_SIDE + GAP, 0, 0, 0)
        for button in self.remedies:
            column.addWidget(button)
        return column

    def _remedy_button(self, remedy: Remedy) -> QPushButton:
        button = text_button(tr(remedy.words))
        button.clicked.connect(partial(self._act, remedy))
        return button

    def _act(self, remedy: Remedy) -> None:
        """Close first: what the remedy does may open the next dialog."""
        self.accept()
        remedy.do()

    def _make_details(self) -> QPlainTextEdit:
        text = QPlainTextEdit(self.problem.details)
        text.setReadOnly(True)
        text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        text.setFixedHeight(DETAILS_HEIGHT)
        text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        text.hide()
        text.setAccessibleName(tr("Details"))
        return text

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(GAP_SMALL)
        if self.problem.details:
            details = text_button(tr("Show details"))
            details.setCheckable(True)
            details.toggled.connect(self._show_details)
            row.addWidget(details)
        report = text_button(tr("Diagnostics…"), self.diagnostics_asked.emit)
        report.setToolTip(tr("What to send when reporting this: versions, device, latest log lines"))
        row.addWidget(report)
        row.addStretch(1)
        row.addWidget(self.finish)
        return row

    def _show_details(self, shown: bool) -> None:
        self.details.setVisible(shown)
        self.adjustSize()
