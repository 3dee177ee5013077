"""Which keys do what: the defaults of the window's table, and what the user has chosen instead."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtGui import QKeySequence

from core.files import loose_json
from gui.common.settings import SettingsModel
from gui.i18n import tr

STORED: Final = "keys/chosen"
EVERYWHERE: Final = ""

NAVIGATION: Final = frozenset(
    ("Tab", "Shift+Tab", "Backtab", "Shift+Backtab", "Return", "Space", "Up", "Down", "Left", "Right", "Home", "End",
     "PgUp", "PgDown", "Backspace")
)  # fmt: skip
"""Keys that controls, lists and text fields themselves need."""


class Area(enum.Enum):
    """What a command is about; lists are grouped by it, in this order."""

    RUN = "run"
    PICTURE = "picture"
    EXPLAIN = "explain"
    GALLERY = "gallery"
    QUEUE = "queue"
    WINDOW = "window"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Key:
    """One command: its keys until others are chosen, what it does in words, and what is called.

    Attributes
    ----------
    keys
        Key sequences as `QKeySequence` reads them, the one told in tooltips first; may be empty: the command is then
        reached through the palette, or with keys that the user chooses.
    words
        In the language of the window.
    id
        What chosen keys are remembered by; never changes, however the words do.
    scope
        Where the keys act: everywhere, or only inside a named part of the window (there before the ones of
        everywhere).
    """

    keys: tuple[str, ...]
    words: str
    action: Callable[[], object]
    id: str
    area: Area = Area.WINDOW
    scope: str = EVERYWHERE

    @property
    def is_ready(self) -> bool:
        """Whether the command would do something now: a button that it presses is enabled."""
        enabled = getattr(getattr(self.action, "__self__", None), "isEnabled", None)
        return bool(enabled()) if enabled else True


class KeysModel(QObject):
    """The keys in force.

    Signals
    -------
    changed
        Some command has other keys.
    """

    changed = pyqtSignal()

    def __init__(self, settings: SettingsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._table: dict[str, Key] = {}
        self._chosen = _read(settings.recall(STORED, "", str))

    @property
    def table(self) -> Sequence[Key]:
        """All commands of the window."""
        return tuple(self._table.values())

    def define(self, table: Iterable[Key]) -> None:
        """Say which commands there are; a window that is built anew says it again, in its language.

        Raises
        ------
        ValueError
            If two commands share an id.
        """
        self._table = {}
        for key in table:
            if key.id in self._table:
                raise ValueError(f"Two commands are called {key.id}")
            self._table[key.id] = key
        self.changed.emit()

    def keys_of(self, command: str) -> tuple[str, ...]:
        """Return the keys of a command; a default that was given to another command is no longer its own."""
        if command in self._chosen:
            return self._chosen[command]
        key = self._table[command]
        return tuple(text for text in map(normal, key.keys) if not self._is_given_away(text, key))

    def hint(self, command: str) -> str:
        """Return the first key of a command as people read it, empty if it has none."""
        keys = self.keys_of(command) if command in self._table else ()
        return readable(keys[0]) if keys else ""

    def hints(self, command: str) -> str:
        """Return all keys of a command as people read them."""
        return " / ".join(map(readable, self.keys_of(command)))

    def is_changed(self, command: str) -> bool:
        """Whether the keys of a command are other ones than at the first start."""
        return self.keys_of(command) != tuple(map(normal, self._table[command].keys))

    def owner_of(self, text: str, scope: str) -> Key | None:
        """Return the command that has a key in a scope."""
        for key in self._table.values():
            if key.scope == scope and normal(text) in self.keys_of(key.id):
                return key
        return None

    def assign(self, command: str, keys: Sequence[str]) -> None:
        """Give a command these keys; whoever had one of them loses it."""
        wanted = tuple(dict.fromkeys(map(normal, keys)))
        scope = self._table[command].scope
        for other in self._table.values():
            if other.id != command and other.scope == scope and set(self.keys_of(other.id)) & set(wanted):
                self._chosen[other.id] = tuple(text for text in self.keys_of(other.id) if text not in wanted)
        self._chosen[command] = wanted
        self._keep()

    def swap(self, command: str, text: str) -> None:
        """Give a command a key in place of its own ones; these go to the command that had it."""
        other, own = self.owner_of(text, self._table[command].scope), self.keys_of(command)
        self.assign(command, [text])
        if other and other.id != command:
            self.assign(other.id, [*self.keys_of(other.id), *own])

    def reset(self, command: str) -> None:
        """Give a command its first keys back; whoever has them by now loses them."""
        self.assign(command, self._table[command].keys)
        del self._chosen[command]
        self._keep()

    def reset_all(self) -> None:
        """Give every command its first keys back."""
        self._chosen.clear()
        self._keep()

    def _is_given_away(self, text: str, key: Key) -> bool:
        return any(
            text in keys and other != key.id and self._scope(other) == key.scope for other, keys in self._chosen.items()
        )

    def _scope(self, command: str) -> str | None:
        return self._table[command].scope if command in self._table else None

    def _keep(self) -> None:
        self._settings.remember(STORED, json.dumps(self._chosen) if self._chosen else "")
        self.changed.emit()


def refusal(text: str) -> str:
    """Return why a key sequence cannot be given to a command, empty if it can."""
    if text in NAVIGATION:
        return tr("{keys} is needed to move about in the window. Combine it with Ctrl, Alt or Shift.").format(
            keys=readable(text)
        )
    return ""


def normal(text: str) -> str:
    """Return a key sequence in its one portable spelling; the Enter key of the number pad counts as Return."""
    return str(QKeySequence(text).toString(QKeySequence.SequenceFormat.PortableText)).replace("Enter", "Return")


def readable(text: str) -> str:
    """Return a key sequence as this system writes it."""
    return str(QKeySequence(text).toString(QKeySequence.SequenceFormat.NativeText))


def _read(text: str) -> dict[str, tuple[str, ...]]:
    """Return the stored choices; what is not readable as such was not chosen."""
    try:
        found = loose_json.parse(text or "{}")
    except ValueError:
        return {}
    return {str(name): _texts(keys) for name, keys in found.items()} if isinstance(found, Mapping) else {}


def _texts(keys: Any) -> tuple[str, ...]:
    texts = [normal(key) for key in keys if isinstance(key, str)] if isinstance(keys, list) else []
    return tuple(text for text in texts if text)
