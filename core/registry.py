"""Registries: one entry in one place for everything there are several of (samplers, methods, measures, ...).

The choices of the command line, the choosers and tooltips of the window, the checks of requests and the tables in
`docs/reference.md` are read from them. Adding an entry is one decorated function, or one call, in one file.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from core.errors import UsageError
from core.message import Message


class Entry(Protocol):
    """What every entry has."""

    @property
    def key(self) -> str:
        """Its name on the command line and in files."""

    @property
    def title(self) -> str:
        """Its name for people."""

    @property
    def hint(self) -> str:
        """One sentence about it, ending with a full stop."""


E = TypeVar("E", bound=Entry)

REGISTRIES: Final[dict[str, Registry[Any]]] = {}
"""All registries by their name in the plural, in the order in which they were made."""


@dataclass(frozen=True, slots=True)
class Column(Generic[E]):
    """One column of a registry's table in the docs, behind key, title and hint."""

    heading: str
    show: Callable[[E], object]


class Registry(Mapping[str, E]):
    """The entries of one kind, in the order in which they were added.

    Parameters
    ----------
    one, many
        What an entry is called in messages, and the registry's name.
    home
        Package or module whose import adds the entries that ship; imported at the first look. "" if whoever makes the
        registry adds them at once.
    columns
        Further columns of the table in the docs.
    """

    def __init__(self, one: str, many: str, *, home: str = "", columns: Sequence[Column[E]] = ()) -> None:
        self.one, self.many, self._home = one, many, home
        self.columns = tuple(columns)
        self._entries: dict[str, E] = {}
        REGISTRIES[many] = self

    def add(self, entry: E) -> E:
        """Add an entry; a key that is taken is a mistake of the program."""
        if entry.key in self._entries:
            raise ValueError(f"There are two {self.many} called {entry.key}.")
        self._entries[entry.key] = entry
        return entry

    def remove(self, key: str) -> None:
        """Take an entry out again, for tests that added one."""
        del self._entries[key]

    def check(self, key: str) -> str:
        """Return `key` if there is such an entry.

        Raises
        ------
        UsageError
            If there is none; the remedy names those that there are, the nearest first.
        """
        if key not in self._known():
            known = Message("Choose one of {names}.", names=", ".join(self))
            near = difflib.get_close_matches(str(key).lower(), self, n=1)
            raise UsageError(
                Message("There is no {what} '{value}'.", what=self.one, value=key),
                remedy=Message("Did you mean {near}? {choices}", near=near[0], choices=known) if near else known,
            )
        return key

    def __getitem__(self, key: str) -> E:
        return self._known()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._known()))

    def __len__(self) -> int:
        return len(self._known())

    def table(self) -> str:
        """Return the entries as a Markdown table."""
        headings = ("", "Name", *(column.heading for column in self.columns), "What it is")
        rows = [
            (f"`{key}`", entry.title, *(str(column.show(entry)) for column in self.columns), entry.hint)
            for key, entry in self.items()
        ]
        return "\n".join(_line(row) for row in (headings, ("---",) * len(headings), *rows)) + "\n"

    def _known(self) -> dict[str, E]:
        if self._home:
            home, self._home = self._home, ""
            _import_all(home)
        return self._entries


def hint_of(function: Callable[..., Any]) -> str:
    """Return the first paragraph of a function's docstring as one line: where an entry's hint is written down."""
    return " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())


def _import_all(home: str) -> None:
    module = importlib.import_module(home)
    for found in pkgutil.iter_modules(getattr(module, "__path__", ())):
        importlib.import_module(f"{home}.{found.name}")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
