"""The glossary: find a word, read what it means."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QListWidget, QTextBrowser, QVBoxLayout, QWidget

from gui.help.glossary import Term, matching, terms
from gui.i18n import tr
from gui.theme.tokens import GAP, GAP_LARGE
from gui.widgets.buttons import text_button
from gui.widgets.fitting import fit

SIZE = (620, 420)
LIST_WIDTH = 220


class GlossaryDialog(QDialog):
    """A list of terms beside the meaning of the chosen one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._terms = terms()
        self._found: list[Term] = []
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Glossary"))
        self.setAccessibleName(tr("Glossary"))
        fit(self, SIZE)
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Find a word"))
        self.search.setAccessibleName(tr("Find a word"))
        self.search.setToolTip(tr("Searches the terms and their meanings"))
        self.search.setClearButtonEnabled(True)
        self.list = QListWidget()
        self.list.setFixedWidth(LIST_WIDTH)
        self.list.setAccessibleName(tr("Terms"))
        self.list.setProperty("roomy", True)
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.meaning = QTextBrowser()
        self.meaning.setAccessibleName(tr("Meaning of the chosen term"))
        self.meaning.setTabChangesFocus(True)
        self._lay_out()
        self.search.textChanged.connect(self._find)
        self.list.currentRowChanged.connect(self._show)
        self._find("")

    @property
    def found(self) -> tuple[str, ...]:
        """The terms that are listed."""
        return tuple(term.name for term in self._found)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP_LARGE, GAP_LARGE, GAP_LARGE)
        layout.setSpacing(GAP)
        layout.addWidget(self.search)
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addWidget(self.list)
        row.addWidget(self.meaning, 1)
        layout.addLayout(row, 1)
        close = text_button(tr("Close"), self.close)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)

    def _find(self, text: str) -> None:
        self._found = matching(self._terms, text)
        self.list.clear()
        self.list.addItems([term.name for term in self._found])
        self.list.setCurrentRow(0 if self._found else -1)

    def _show(self, row: int) -> None:
        self.meaning.clear()
        if row < 0:
            self.meaning.setPlainText(tr("No matching term"))
            return
        term = self._found[row]
        self.meaning.setHtml(f"<h3>{term.name}</h3><p>{term.meaning}</p>")
