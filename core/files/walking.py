"""Looking through a folder for files: no folder is entered twice, and only regular files are handed on."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
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
    """What lies in a folder.

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

    Parameters
    ----------
    wanted
        Whether a file of this name is looked for.
    enters
        Whether a folder of this name inside `folder` is looked into.
    """
    files: list[Path] = []
    passed: list[PassedOver] = []
    entered: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        entries = _entries(place, entered, passed)
        folders = []
        for path, mode in entries:
            if mode is not None and stat.S_ISDIR(mode):
                folders += [path] if enters(path.name) else []
            elif wanted(path.name):
                _sort_in(path, mode, files, passed)
        waiting += reversed(folders)
    return Walk(tuple(sorted(files)), tuple(passed))


def _sort_in(path: Path, mode: int | None, files: list[Path], passed: list[PassedOver]) -> None:
    if mode is not None and stat.S_ISREG(mode):
        files.append(path)
    else:
        passed.append(PassedOver(path, _NOWHERE if mode is None else kind_of(mode)))


def _entries(
    folder: Path, entered: set[tuple[int, int]], passed: list[PassedOver]
) -> Iterator[tuple[Path, int | None]]:
    """Return path and mode of what lies in a folder, by name; nothing if it was entered before or cannot be read."""
    try:
        facts = os.stat(folder)
        with os.scandir(folder) as found:
            names = sorted(entry.name for entry in found)
    except OSError:
        passed.append(PassedOver(folder, _CLOSED))
        return iter(())
    identity = (facts.st_dev, facts.st_ino)
    if identity in entered:
        return iter(())
    entered.add(identity)
    return ((folder / name, _mode(folder / name)) for name in names)


def _mode(path: Path) -> int | None:
    try:
        return os.stat(path).st_mode
    except OSError:
        return None
