"""The keyboard: makes the keys of a window's table work, anew whenever they are changed, and tells them in tooltips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from PyQt5.QtCore import QEvent, QObject, Qt
from PyQt5.QtGui import QKeyEvent, QKeySequence
from PyQt5.QtWidgets import QAction, QShortcut, QWidget

from gui.common.keys import EVERYWHERE, Area, Key, KeysModel, normal
from gui.i18n import tr

__all__ = ["Area", "Key", "Keyboard", "area_title", "keyed"]

COMMAND: Final = "command"
"""Property of a button or menu entry: the id of the command whose key its tooltip or text tells."""

_BASE: Final = "words-without-key"

Wearer = TypeVar("Wearer", bound=QWidget | QAction)


def keyed(wearer: Wearer, command: str) -> Wearer:
    """Let the tooltip of a control, or the text of a menu entry, tell the key of a command."""
    wearer.setProperty(COMMAND, command)
    return wearer


def area_title(area: Area) -> str:
    """Return what an area is called."""
    return {
        Area.RUN: tr("Run"),
        Area.PICTURE: tr("Image"),
        Area.EXPLAIN: tr("Explanation"),
        Area.GALLERY: tr("Gallery"),
        Area.QUEUE: tr("Queue"),
        Area.WINDOW: tr("Window"),
        Area.HELP: tr("Help"),
    }[area]


class Keyboard(QObject):
    """The shortcuts of a window, as its `KeysModel` says.

    Parameters
    ----------
    scopes
        The parts of the window inside which some keys act on their own account, by name.
    """

    def __init__(self, window: QWidget, model: KeysModel, scopes: Mapping[str, QWidget]) -> None:
        super().__init__(window)
        self._window, self._model, self._scopes = window, model, dict(scopes)
        self._shortcuts: list[QShortcut] = []
        for widget in self._scopes.values():
            widget.installEventFilter(self)
        model.changed.connect(self._renew)
        self._renew()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Act on keys of a scope before the window does, and keep key names in tooltips when their words change."""
        kind = event.type()
        if kind == QEvent.Type.ToolTipChange and isinstance(watched, QWidget):
            self._tell_in_tooltip(watched)
        elif kind in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress) and isinstance(event, QKeyEvent):
            return self._act_in_scope(watched, event)
        return False

    def _renew(self) -> None:
        for shortcut in self._shortcuts:
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        self._shortcuts = [
            self._shortcut(key, text)
            for key in self._model.table
            if key.scope == EVERYWHERE
            for keys in self._model.keys_of(key.id)
            for text in _twins(keys)
        ]
        self._tell_everywhere()

    def _shortcut(self, key: Key, text: str) -> QShortcut:
        shortcut = QShortcut(QKeySequence(text), self._window)
        shortcut.activated.connect(key.action)
        return shortcut

    def _act_in_scope(self, watched: QObject, event: QKeyEvent) -> bool:
        scope = next((name for name, widget in self._scopes.items() if widget is watched), EVERYWHERE)
        key = self._model.owner_of(pressed(event), scope) if scope != EVERYWHERE else None
        if key is None:
            return False
        event.accept()  # of an override this says: no shortcut of the window, the key press itself comes next
        if event.type() == QEvent.Type.KeyPress:
            key.action()
        return True

    def _tell_everywhere(self) -> None:
        for widget in self._window.findChildren(QWidget):
            if widget.property(COMMAND):
                widget.installEventFilter(self)  # a second time is the same as once
                self._tell_in_tooltip(widget)
        for action in self._window.findChildren(QAction):
            if action.property(COMMAND):
                self._tell_in_text(action)

    def _tell_in_tooltip(self, widget: QWidget) -> None:
        told = widget.property(_BASE)
        words, with_key = told if told else ("", "")
        if widget.toolTip() != with_key:
            words = widget.toolTip()
        with_key = _with_key(words, self._model.hint(widget.property(COMMAND)))
        widget.setProperty(_BASE, (words, with_key))
        if widget.toolTip() != with_key:
            widget.setToolTip(with_key)

    def _tell_in_text(self, action: QAction) -> None:
        words = action.text().partition("\t")[0]
        key = self._model.hint(action.property(COMMAND))
        action.setText(f"{words}\t{key}" if key else words)


def pressed(event: QKeyEvent) -> str:
    """Return the key sequence of a key press, empty for a modifier alone."""
    if event.key() in (Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_unknown):
        return ""
    modifiers = int(event.modifiers()) & ~int(Qt.KeyboardModifier.KeypadModifier)
    if modifiers == int(Qt.KeyboardModifier.ShiftModifier) and event.text().strip() and not event.text().isalpha():
        modifiers = 0  # a sign that needs Shift on this keyboard, like + or ?, is known by itself
    return normal(QKeySequence(modifiers | event.key()).toString())


def _twins(text: str) -> tuple[str, ...]:
    """Return a sequence, with Return in it also the one with the number pad's Enter."""
    return (text, text.replace("Return", "Enter")) if "Return" in text else (text,)


def _with_key(words: str, key: str) -> str:
    """Return words with the key at the end of their first line."""
    first, line_break, rest = words.partition("\n")
    return f"{first} ({key}){line_break}{rest}" if key and words else words
