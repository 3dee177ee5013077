"""Looking through a folder for files: no folder is entered twice, and only regular files are handed on."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.files.opening import kind_of
from core.message import Message

EXPLANATIONS_DIR: Final = "xai_results"
"""Folder in an output folder that holds maps and overlays: pictures, but no photographs."""

NAMED: Final = 3
"""How many names a sentence gives."""

_NOWHERE: Final = Message("a link that leads nowhere")
_CLOSED: Final = Message("a folder that cannot be read")


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Something that has the name of a wanted file and is none, or a folder that cannot be looked into."""

    path: Path
    kind: str


@dataclass(frozen=True, slots=True)
class Walk:
    """What is in a folder.

    Attributes
    ----------
    files
        Regular files, links to such among them; by folder and name.
    passed_over
        Pipes, sockets, devices and links to nothing that are named like wanted files; folders that cannot be read.
    """

    files: tuple[Path, ...]
    passed_over: tuple[PassedOver, ...] = ()

    @property
    def notes(self) -> tuple[Message, ...]:
        """What a person should know, one sentence each."""
        if not self.passed_over:
            return ()
        named = ", ".join(f"{each.path.name}: {each.kind}" for each in self.passed_over[:NAMED])
        more = ", …" if len(self.passed_over) > NAMED else ""
        return (Message("Not opened: %n thing(s) ({names}).", n=len(self.passed_over), names=named + more),)


def walk(folder: Path, wanted: Callable[[str], bool], enters: Callable[[str], bool] = lambda name: True) -> Walk:
    """Look through a folder and those in it; links to folders are followed, and each folder is entered once.

    What is in the folder itself comes before what links lead to: a folder that is reached by a link as well keeps its
    own name, and a link to a file that is there anyway adds nothing.

    Parameters
    ----------
    wanted
        Whether a file of this name is looked for.
    enters
        Whether a folder of this name inside `folder` is looked into.
    """
    files: list[_Entry] = []
    passed: list[PassedOver] = []
    entered: set[tuple[int, int]] = set()
    waiting: list[Path] = [folder]
    links: list[Path] = []
    while waiting or links:
        place = waiting.pop() if waiting else links.pop(0)
        folders: list[Path] = []
        for entry in _entries(place, entered, passed):
            if entry.is_folder and enters(entry.path.name):
                (links if entry.is_link else folders).append(entry.path)
            elif not entry.is_folder and wanted(entry.path.name):
                _sort_in(entry, files, passed)
        waiting += reversed(folders)
    return Walk(tuple(sorted(_without_links_to_others(files))), tuple(passed))


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is in a folder: its mode, that of what a link leads to, None for nowhere; and whether it is a link."""

    path: Path
    mode: int | None
    is_link: bool

    @property
    def is_folder(self) -> bool:
        return self.mode is not None and stat.S_ISDIR(self.mode)


def _sort_in(entry: _Entry, files: list[_Entry], passed: list[PassedOver]) -> None:
    if entry.mode is not None and stat.S_ISREG(entry.mode):
        files.append(entry)
    else:
        passed.append(PassedOver(entry.path, _NOWHERE if entry.mode is None else kind_of(entry.mode)))


def _without_links_to_others(files: Sequence[_Entry]) -> Iterator[Path]:
    """Yield the files, those that links lead to once."""
    links = [entry.path for entry in files if entry.is_link]
    own = [entry.path for entry in files if not entry.is_link]
    known = {os.path.realpath(path) for path in own} if links else set()
    yield from own
    for path in links:
        target = os.path.realpath(path)
        if target not in known:
            known.add(target)
            yield path


def _entries(folder: Path, entered: set[tuple[int, int]], passed: list[PassedOver]) -> Iterator[_Entry]:
    """Return what is in a folder, by name; nothing if it was entered before or cannot be read."""
    try:
        facts = os.stat(folder)
        with os.scandir(folder) as found:
            names = sorted((entry.name, entry.is_symlink()) for entry in found)
    except OSError:
        passed.append(PassedOver(folder, _CLOSED))
        return iter(())
    identity = (facts.st_dev, facts.st_ino)
    if identity in entered:
        return iter(())
    entered.add(identity)
    return (_Entry(folder / name, _mode(folder / name), is_link) for name, is_link in names)


def _mode(path: Path) -> int | None:
    try:
        return os.stat(path).st_mode
    except OSError:
        return None
