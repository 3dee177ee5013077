"""A panel that can be moved, folded away and floated."""

from __future__ import annotations

from typing import Protocol, cast

from PyQt5.QtWidgets import QDockWidget, QWidget

from gui.widgets.panel_head import PanelHead


class HasHead(Protocol):
    """A panel with a heading."""

    head: PanelHead


def make_dock(panel: HasHead, name: str) -> QDockWidget:
    """Return a dock around a panel; its name is what the remembered layout knows it by."""
    dock = QDockWidget(panel.head.title)
    dock.setObjectName(name)
    dock.setWidget(cast(QWidget, panel))
    dock.setTitleBarWidget(panel.head)
    return dock
