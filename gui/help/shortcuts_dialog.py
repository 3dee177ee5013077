"""Every command of the window with its keys: searched, changed by pressing others, given back."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gui.common.keys import Area, Key, KeysModel, readable, refusal
from gui.common.shortcuts import area_title
from gui.help.key_recorder import KeyRecorder
from gui.i18n import tr
from gui.theme.tokens import GAP, GAP_LARGE, GAP_SMALL
from gui.widgets.buttons import text_button
from gui.widgets.fitting import fit
from gui.widgets.labels import label

SIZE = (620, 560)
COMMAND_ROLE = int(Qt.ItemDataRole.UserRole)


class ShortcutsDialog(QDialog):
    """Shows a `KeysModel` and changes it; every change is in force at once."""

    def __init__(self, keys: KeysModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys = keys
        self._adds = False
        self._wanted = ""
        self._groups: list[QTreeWidgetItem] = []
        self._rows: dict[str, QTreeWidgetItem] = {}
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Keyboard shortcuts"))
        self.setAccessibleName(tr("Keyboard shortcuts"))
        fit(self, SIZE)
        self.search = self._make_search()
        self.tree = self._make_tree()
        self.recorder = KeyRecorder()
        self.words = label("", wrap=True)
        self.swap = text_button(tr("Exchange the shortcuts"), self._exchange)
        self.cancel = text_button(tr("Leave as it was"), self._rest)
        self.change = text_button(tr("Change…"), lambda: self._record(adds=False))
        self.add = text_button(tr("Add another…"), lambda: self._record(adds=True))
        self.remove = text_button(tr("Remove"), self._remove)
        self.reset = text_button(tr("Reset"), self._reset)
        self.reset_all = text_button(tr("Reset all"), self._reset_all)
        self.finish = text_button(tr("Close"), self.close)
        self._explain_buttons()
        self._lay_out()
        self._connect()
        self._fill()
        self._rest()

    @property
    def chosen(self) -> str:
        """The id of the chosen command, empty for none."""
        item = self.tree.currentItem()
        return str(item.data(0, COMMAND_ROLE) or "") if item else ""

    def choose(self, command: str) -> None:
        """Choose a command in the list."""
        self.tree.setCurrentItem(self._rows[command])

    def _make_search(self) -> QLineEdit:
        search = QLineEdit()
        search.setPlaceholderText(tr("Find a command or a key"))
        search.setAccessibleName(tr("Find a command or a key"))
        search.setToolTip(tr("Show only commands and keys that contain these words"))
        search.setClearButtonEnabled(True)
        return search

    def _make_tree(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setHeaderLabels([tr("Command"), tr("Keys"), ""])
        tree.setAccessibleName(tr("Commands and their keys"))
        tree.setToolTip(tr("Return on a command changes its keys"))
        tree.setUniformRowHeights(True)
        tree.setProperty("roomy", True)
        tree.ensurePolished()  # or rows that are added before the tree is shown keep the height of bare text
        tree.setIndentation(GAP_LARGE)
        header = tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        return tree

    def _explain_buttons(self) -> None:
        self.change.setToolTip(tr("Press other keys for the chosen command"))
        self.add.setToolTip(tr("Press further keys for the chosen command; it keeps those it has"))
        self.remove.setToolTip(tr("Remove the shortcuts of the chosen command"))
        self.reset.setToolTip(tr("Restore the default shortcut of the chosen command"))
        self.reset_all.setToolTip(tr("Restore all default shortcuts"))
        self.swap.setToolTip(tr("Each of the two commands gets the shortcut of the other"))
        self.cancel.setToolTip(tr("Change nothing"))
        self.finish.setToolTip(tr("Close this list; changes apply already"))

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP_LARGE, GAP_LARGE, GAP_LARGE)
        layout.setSpacing(GAP)
        layout.addWidget(self.search)
        layout.addWidget(self.tree, 1)
        layout.addWidget(self.recorder)
        layout.addWidget(self.words)
        layout.addLayout(_row((self.swap, self.cancel)))
        layout.addLayout(_row((self.change, self.add, self.remove, self.reset), (self.reset_all, self.finish)))

    def _connect(self) -> None:
        self.search.textChanged.connect(self._filter)
        self.tree.currentItemChanged.connect(self._rest)
        self.tree.itemActivated.connect(lambda *_: self._record(adds=False))
        self.recorder.recorded.connect(self._take)
        self.recorder.given_up.connect(self._rest)
        self._keys.changed.connect(self._show_keys)

    def _fill(self) -> None:
        for area in Area:
            commands = [key for key in self._keys.table if key.area is area]
            if commands:
                self._add_area(area_title(area), commands)
        self.tree.expandAll()
        self._show_keys()
        self.tree.setCurrentItem(next(iter(self._rows.values())))

    def _add_area(self, title: str, commands: Sequence[Key]) -> None:
        group = QTreeWidgetItem([title])
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        font = group.font(0)
        font.setBold(True)
        group.setFont(0, font)
        self.tree.addTopLevelItem(group)
        self._groups.append(group)
        for key in commands:
            item = QTreeWidgetItem([key.words])
            item.setData(0, COMMAND_ROLE, key.id)
            item.setToolTip(0, key.words)
            group.addChild(item)
            self._rows[key.id] = item

    def _show_keys(self) -> None:
        for command, item in self._rows.items():
            item.setText(1, self._keys.hints(command) or tr("none"))
            item.setText(2, tr("changed") if self._keys.is_changed(command) else "")
        self._allow()

    def _filter(self, text: str) -> None:
        wanted = text.casefold().split()
        for item in self._rows.values():
            told = f"{item.text(0)} {item.text(1)}".casefold()
            item.setHidden(not all(word in told for word in wanted))
        for group in self._groups:
            group.setHidden(all(item.isHidden() for item in self._rows.values() if item.parent() is group))
        self._rest()

    def _record(self, *, adds: bool) -> None:
        if self.chosen:
            self._adds = adds
            self._rest()
            self.recorder.clear()
            self.recorder.show()
            self.recorder.setFocus()

    def _take(self, text: str) -> None:
        self._wanted = text
        owner = self._keys.owner_of(text, self._scope())
        if refusal(text):
            self.words.setText(refusal(text))
            self.words.show()
        elif owner and owner.id != self.chosen:
            self._tell_conflict(owner)
        else:
            self._keys.assign(self.chosen, self._with(text))
            self._rest()
            self.tree.setFocus()

    def _tell_conflict(self, owner: Key) -> None:
        told = tr("{keys} already belongs to “{command}”.")
        self.recorder.hide()  # first: it gives up when it goes, and that puts everything to rest
        self.words.setText(told.format(keys=readable(self._wanted), command=owner.words))
        for part in (self.words, self.swap, self.cancel):
            part.show()
        self.swap.setFocus()

    def _exchange(self) -> None:
        if self._adds:
            self._keys.assign(self.chosen, self._with(self._wanted))
        else:
            self._keys.swap(self.chosen, self._wanted)
        self._rest()
        self.tree.setFocus()

    def _with(self, text: str) -> tuple[str, ...]:
        return (*self._keys.keys_of(self.chosen), text) if self._adds else (text,)

    def _scope(self) -> str:
        return next(key.scope for key in self._keys.table if key.id == self.chosen)

    def _remove(self) -> None:
        self._keys.assign(self.chosen, ())

    def _reset(self) -> None:
        self._keys.reset(self.chosen)

    def _reset_all(self) -> None:
        self._keys.reset_all()

    def _rest(self, *_: object) -> None:
        """Wait for what the user does next."""
        for part in (self.recorder, self.words, self.swap, self.cancel):
            part.hide()
        self._allow()

    def _allow(self) -> None:
        command = self.chosen
        self.change.setEnabled(bool(command))
        self.add.setEnabled(bool(command) and bool(self._keys.keys_of(command)))
        self.remove.setEnabled(bool(command) and bool(self._keys.keys_of(command)))
        self.reset.setEnabled(bool(command) and self._keys.is_changed(command))
        self.reset_all.setEnabled(any(self._keys.is_changed(key.id) for key in self._keys.table))


def _row(left: Sequence[QPushButton], right: Sequence[QPushButton] = ()) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(GAP_SMALL)
    for button in left:
        row.addWidget(button)
    row.addStretch(1)
    for button in right:
        row.addWidget(button)
    return row
