"""Moves the focus from one part of the window to the next."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QApplication, QWidget


def step_region(regions: Sequence[QWidget], by: int) -> None:
    """Give the focus to the next of the regions that are seen, or the one before; nothing changes without any."""
    shown = [region for region in regions if region.isVisible() and _first(region)]
    if not shown:
        return
    current = next((i for i, region in enumerate(shown) if _holds_focus(region)), -1 if by > 0 else 0)
    target = _first(shown[(current + by) % len(shown)])
    if target:
        target.setFocus(Qt.FocusReason.TabFocusReason)


def chain_focus(parts: Sequence[QWidget]) -> None:
    """Let Tab go through all of one part before the next; inside a part it keeps its order.

    A heading is a part of its own: what lies in it is made after the panel, but stands above it.
    """
    order = [widget for part in parts for widget in _focus_chain(part)]
    for before, after in pairwise(dict.fromkeys(order)):
        QWidget.setTabOrder(before, after)


def _focus_chain(part: QWidget) -> list[QWidget]:
    found, widget = [part] if _takes_tab(part) else [], part.nextInFocusChain()
    while widget is not part:
        if part.isAncestorOf(widget) and _takes_tab(widget):
            found.append(widget)
        widget = widget.nextInFocusChain()
    return found


def _holds_focus(region: QWidget) -> bool:
    focus = QApplication.focusWidget()
    return focus is not None and (focus is region or region.isAncestorOf(focus))


def _first(region: QWidget) -> QWidget | None:
    """Return the first widget of a region that the Tab key reaches."""
    widget = region
    while True:
        if region.isAncestorOf(widget) and widget.isVisible() and widget.isEnabled() and _takes_tab(widget):
            return widget
        widget = widget.nextInFocusChain()
        if widget is region:
            return None


def _takes_tab(widget: QWidget) -> bool:
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
