"""Every command of the window by its words: type to find it, Return to run it."""

from __future__ import annotations

from collections.abc import Iterable

from PyQt5.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QDialog, QHeaderView, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from gui.common.keys import Key, KeysModel
from gui.common.shortcuts import area_title
from gui.i18n import tr
from gui.theme.tokens import GAP, GAP_SMALL
from gui.widgets.fitting import fit
from gui.widgets.labels import label

SIZE = (520, 400)
COMMAND_ROLE = int(Qt.ItemDataRole.UserRole)
LIST_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class CommandPalette(QDialog):
    """Closes itself before the command runs, so that the command finds the window as it was."""

    def __init__(self, keys: KeysModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys = keys
        self._items: list[QTreeWidgetItem] = []
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Run a command"))
        self.setAccessibleName(tr("Run a command"))
        fit(self, SIZE)
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Type what you want to do"))
        self.search.setAccessibleName(tr("Type what you want to do"))
        self.search.setToolTip(tr("The arrow keys choose, Return runs the chosen command, Escape closes"))
        self.list = self._make_list()
        self.nothing = label(tr("No matching command"), "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP, GAP, GAP)
        layout.setSpacing(GAP_SMALL)
        layout.addWidget(self.search)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.nothing)
        self.search.installEventFilter(self)
        self.search.textChanged.connect(self._find)
        self.search.returnPressed.connect(self._run)
        self.list.itemActivated.connect(lambda *_: self._run())
        self._find("")
        self._place(parent)

    @property
    def found(self) -> tuple[str, ...]:
        """Ids of the commands that are offered, the best first."""
        return tuple(item.data(0, COMMAND_ROLE) for item in self._items)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrow keys choose in the list while words are typed."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and event.key() in LIST_KEYS:
            self.list.keyPressEvent(event)
            return True
        return False

    def _make_list(self) -> QTreeWidget:
        view = QTreeWidget()
        view.setColumnCount(3)
        view.setHeaderHidden(True)
        view.setRootIsDecorated(False)
        view.setUniformRowHeights(True)
        view.setProperty("roomy", True)
        view.ensurePolished()  # or rows that are added before the list is shown keep the height of bare text
        view.setAccessibleName(tr("Matching commands"))
        view.setToolTip(tr("A double click runs the command"))
        header = view.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        return view

    def _place(self, parent: QWidget | None) -> None:
        if parent:
            window = parent.window()
            self.move(window.mapToGlobal(QPoint((window.width() - self.width()) // 2, window.height() // 8)))

    def _find(self, text: str) -> None:
        self.list.clear()
        self._items = []
        for key in fitting(self._keys.table, text):
            item = QTreeWidgetItem([key.words, area_title(key.area), self._keys.hints(key.id)])
            item.setData(0, COMMAND_ROLE, key.id)
            if not key.is_ready:
                item.setText(1, tr("not now"))
                item.setDisabled(True)
            self.list.addTopLevelItem(item)
            self._items.append(item)
        ready = [item for item in self._items if not item.isDisabled()]
        if ready:
            self.list.setCurrentItem(ready[0])
        self.nothing.setVisible(not self._items)

    def _run(self) -> None:
        item = self.list.currentItem()
        if item is None or item.isDisabled():
            return
        command = item.data(0, COMMAND_ROLE)
        action = next(key.action for key in self._keys.table if key.id == command)
        self.close()
        QTimer.singleShot(0, action)


def fitting(table: Iterable[Key], text: str) -> list[Key]:
    """Return the commands whose words contain all words of a text; those that begin with it come first."""
    wanted = text.casefold().split()
    found = [key for key in table if all(word in key.words.casefold() for word in wanted)]
    return sorted(found, key=lambda key: not key.words.casefold().startswith(text.casefold().strip()))
