"""What would become of the settings: a preview that is accepted or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QDialog, QHBoxLayout, QHeaderView, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from core.config.transfer import Change
from gui.i18n import tr, translate
from gui.settings.setting_words import value_words
from gui.theme.tokens import GAP, GAP_LARGE, GAP_SMALL
from gui.widgets.buttons import text_button
from gui.widgets.fitting import fit
from gui.widgets.labels import label

SIZE: Final = (620, 400)


class ChangesDialog(QDialog):
    """Lists changes of settings: what, from which value, to which; accepted by a button that says what happens."""

    def __init__(
        self, changes: Sequence[Change], title: str, action: str, unknown: Sequence[str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        fit(self, SIZE)
        self.list = _make_list(changes)
        self.action = text_button(action, self.accept)
        self.action.setEnabled(bool(changes))
        self.keep = text_button(tr("Change nothing"), self.reject)
        (self.action if changes else self.keep).setDefault(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP_LARGE, GAP_LARGE, GAP_LARGE)
        layout.setSpacing(GAP)
        layout.addWidget(label(title, "title", wrap=True))
        layout.addWidget(self.list, 1)
        for words in _remarks(changes, unknown):
            layout.addWidget(label(words, "muted", wrap=True))
        buttons = QHBoxLayout()
        buttons.setSpacing(GAP_SMALL)
        buttons.addStretch(1)
        buttons.addWidget(self.keep)
        buttons.addWidget(self.action)
        layout.addLayout(buttons)


def _make_list(changes: Sequence[Change]) -> QTreeWidget:
    tree = QTreeWidget()
    tree.setHeaderLabels([tr("Setting"), tr("Now"), tr("Then")])
    tree.setAccessibleName(tr("What changes"))
    tree.setRootIsDecorated(False)
    tree.setUniformRowHeights(True)
    tree.setProperty("roomy", True)
    tree.header().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    for change in changes:
        words = [value_words(change.setting, value) for value in (change.before, change.after)]
        item = QTreeWidgetItem(tree, [translate(change.setting.title), *words])
        for column, text in enumerate(words, start=1):
            item.setToolTip(column, text)
    return tree


def _remarks(changes: Sequence[Change], unknown: Sequence[str]) -> list[str]:
    remarks = []
    if not changes:
        remarks.append(tr("Nothing changes: all settings already have these values."))
    if unknown:
        keys = ", ".join(unknown)
        remarks.append(tr("Ignored, unknown to this version: {keys}").format(keys=keys))
    return remarks
