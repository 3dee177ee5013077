"""JSON as a tree that can be folded; long lists are cut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from PyQt5.QtWidgets import QTreeWidget, QTreeWidgetItem

from gui.i18n import tr

MOST_ITEMS: Final = 200
"""Of one list or object; there may be arrays with ten thousands of values."""


class JsonTree(QTreeWidget):
    """Shows JSON files, each under its name; a branch is filled when it is opened for the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderLabels([tr("Name"), tr("Value")])
        self.setAccessibleName(tr("Numbers"))
        self.setProperty("plain", True)
        self.setUniformRowHeights(True)
        self.setColumnWidth(0, 260)
        self._waiting: dict[int, Any] = {}
        self.itemExpanded.connect(self._fill)

    def show_files(self, files: Mapping[str, Any]) -> None:
        """Show the content of files by their names."""
        self.clear()
        self._waiting.clear()
        for name, value in files.items():
            item = self._item(name, value)
            self.addTopLevelItem(item)
            item.setExpanded(self.topLevelItemCount() == 1)

    def _item(self, name: str, value: Any) -> QTreeWidgetItem:
        if not isinstance(value, (dict, list)):
            return QTreeWidgetItem([name, _text(value)])
        item = QTreeWidgetItem([name, tr("%n value(s)", len(value))])
        if value:
            self._waiting[id(item)] = (item, value)  # the item is kept so that its id stays its own
            item.setChildIndicatorPolicy(QTreeWidgetItem.ChildIndicatorPolicy.ShowIndicator)
        return item

    def _fill(self, item: QTreeWidgetItem) -> None:
        _, value = self._waiting.pop(id(item), (item, None))
        if value is None:
            return
        pairs: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
        for number, (name, inner) in enumerate(pairs):
            if number == MOST_ITEMS:
                item.addChild(QTreeWidgetItem(["…", tr("%n further value(s)", len(value) - MOST_ITEMS)]))
                break
            item.addChild(self._item(str(name), inner))


def _text(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
