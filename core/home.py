"""The home folder, and texts that do not say who somebody is: no names of user and machine, passwords, addresses."""

from __future__ import annotations

import getpass
import os
import re
import socket
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

from core.version import PRODUCT


def home_folder() -> Path:
    """Return the home of the user; a folder of theirs among the temporary ones for an account that has none."""
    try:
        home = Path.home()
    except RuntimeError:  # neither HOME nor an entry in the list of accounts, as in some containers
        home = Path()
    return home if home.is_absolute() else Path(tempfile.gettempdir()) / f"{PRODUCT.lower()}-{_account()}"


def expanded(text: str) -> Path:
    """Return the path that a person has typed, ``~`` standing for the home folder; an unknown ``~name`` stays so."""
    return Path(os.path.expanduser(text))


def _account() -> str:
    return str(os.getuid()) if os.name == "posix" else "user"


_NOBODYS: Final = frozenset({"root", "admin", "administrator", "user", "users", "home", "localhost", "isicgui"})
"""Names of accounts and machines that name nobody and occur in ordinary sentences."""

_OTHERS: Final = re.compile(r"(?i)((?:[a-z]:)?[\\/]+(?:home|users)[\\/]+)[^\\/\s'\"<>:|*?]+")
_SECRETS: Final = (
    (re.compile(r"(?i)\b([a-z]{2,}://)[^/\s:@]+(?::[^/\s@]*)?@"), r"\1<removed>@"),
    (re.compile(r"(?i)\b(authorization\s*[=:]\s*)(?:bearer|basic)?\s*[^\s,;&]+"), r"\1<removed>"),
    (
        re.compile(
            r"(?i)\b([\w-]*(?:token|secret|password|passwd|api[_-]?key|access[_-]?key))(['\"]?\s*[=:]\s*['\"]?)[^\s'\",;&]+"
        ),
        r"\1\2<removed>",
    ),
    (re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"), "<e-mail>"),
)


@dataclass(frozen=True)
class Redactor:
    """Takes out of a text what says who somebody is and where their files are.

    Attributes
    ----------
    folders
        What stands in the place of each folder; the longest is looked for first, in every spelling it may have.
    names
        What stands in the place of each name of a person or a machine, as a whole word in any case.
    """

    folders: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def clean(self, text: str) -> str:
        """Return the text without them."""
        for folder in sorted(self.folders, key=len, reverse=True):
            for spelling in _spellings(folder):
                text = re.sub(re.escape(spelling) + r"(?![\w-])", _literal(self.folders[folder]), text, flags=re.I)
        text = _OTHERS.sub(r"\1<user>", text)
        for pattern, instead in _SECRETS:
            text = pattern.sub(instead, text)
        for name, instead in self.names.items():
            text = re.sub(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", _literal(instead), text, flags=re.I)
        return text


def without_home(text: str) -> str:
    """Return a text that is passed on without the home folder of whoever made it, and without names of accounts."""
    home = str(home_folder())
    for spelling in dict.fromkeys(_spellings(home)) if len(Path(home).parts) > 1 else ():
        text = re.sub(re.escape(spelling) + r"(?![\w-])", "~", text)
    return _OTHERS.sub(r"\1<user>", text)


def own_redactor(folders: Mapping[str, Path]) -> Redactor:
    """Return what to take out for the user of this process on this machine.

    Parameters
    ----------
    folders
        Folders that the user has chosen, by what is to stand in their place.
    """
    chosen = {str(path): f"<{words}>" for words, path in folders.items() if len(path.parts) > 1}
    names = {_user(): "<user>", socket.gethostname(): "<computer>", socket.gethostname().split(".")[0]: "<computer>"}
    telling = {name: words for name, words in names.items() if len(name) > 1 and name.casefold() not in _NOBODYS}
    home = home_folder()
    own = {str(home): "~"} if len(home.parts) > 1 else {}  # "/" is home to accounts without one
    return Redactor({**chosen, **own}, telling)


def _spellings(folder: str) -> Iterator[str]:
    """Yield a path as it is, with slashes the other way, doubled as in quoted text, and as part of a URL."""
    forward = folder.replace("\\", "/")
    yield folder.replace("\\", "\\\\")
    yield folder
    yield forward
    yield quote(forward, safe="/:")


def _literal(text: str) -> str:
    return text.replace("\\", r"\\")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
