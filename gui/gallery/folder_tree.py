"""Folders with the number of files in each, as they will be."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem

from gui.i18n import tr
from gui.theme.icons import icon
from gui.theme.tokens import GAP_LARGE


class FolderTree(QTreeWidget):
    """Shows numbers of files by folder; the root has a name of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderLabels([tr("Folder"), tr("Files")])
        self.setAccessibleName(tr("Folders that will be written"))
        self.setToolTip(tr("Folders that will be written, with the number of files in each"))
        self.setUniformRowHeights(True)
        self.setProperty("roomy", True)
        self.setIndentation(GAP_LARGE)
        self.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)

    def show_folders(self, root: str, files: Mapping[str, int]) -> None:
        """Show other folders.

        Parameters
        ----------
        files
            Number of files by path, with slashes, relative to the root; ``""`` is the root itself. In this order.
        """
        self.clear()
        items = {"": _item(root, files.get("", 0))}
        self.addTopLevelItem(items[""])
        for path, count in files.items():
            self._add(items, path, count)
        self.expandAll()

    def _add(self, items: dict[str, QTreeWidgetItem], path: str, count: int) -> None:
        if path in items:
            return
        parent, _, name = path.rpartition("/")
        self._add(items, parent, 0)
        items[path] = _item(name, count)
        items[parent].addChild(items[path])


def _item(name: str, count: int) -> QTreeWidgetItem:
    item = QTreeWidgetItem([name, str(count) if count else ""])
    item.setIcon(0, icon("folder", "muted"))
    item.setTextAlignment(1, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter))
    return item
