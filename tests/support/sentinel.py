"""A tree that nothing may touch: snapshots tell what changed, names, contents, links, modes and times included."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PIPE = "pipe"


@dataclass(frozen=True)
class Entry:
    """What `lstat` and a look inside say of one name."""

    kind: int
    mode: int
    links: int
    modified: int
    content: str


def make_sentinel(folder: Path) -> Path:
    """Make a tree of what people have beside an output folder, and return it.

    It holds files, folders with files in them, empty ones, links to a file, to a folder and to nothing, two names of
    one file, a read-only file, a picture-like and a temporary-like name, and a pipe where the system has them.
    """
    (folder / "folder/inner").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "MEL").mkdir()
    for name in _FILES:
        (folder / name).write_bytes(f"content of {name}\n".encode())
    os.chmod(folder / "read-only.txt", 0o444)
    os.link(folder / "file.txt", folder / "second name.txt")
    if os.name != "nt":  # there, links need a right that few accounts have
        os.symlink(folder / "file.txt", folder / "link to file")
        os.symlink(folder / "folder", folder / "link to folder")
        os.symlink(folder / "nowhere", folder / "link to nothing")
        os.mkfifo(folder / PIPE)
    return folder


_FILES = (
    "file.txt", "read-only.txt", "journal.jsonl", "folder/a.json", "folder/inner/b.bin", "MEL/ISIC_0000001.png",
    "folder/x.0123abcd.tmp", "lock.json",
)  # fmt: skip


def snapshot(folder: Path, *, links: bool = False) -> dict[str, Entry]:
    """Return every name below a folder with what lies there; links are not followed.

    Parameters
    ----------
    links
        Whether the number of names that a file has counts: on where the test itself plants no hard link.
    """
    found = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            found[str(path.relative_to(folder))] = _entry(path, links)
    return found


def changes(before: dict[str, Entry], after: dict[str, Entry]) -> list[str]:
    """Say what differs, one line for each name."""
    lines = [f"gone: {name}" for name in sorted(before.keys() - after.keys())]
    lines += [f"new: {name}" for name in sorted(after.keys() - before.keys())]
    same = sorted(before.keys() & after.keys())
    return lines + [f"changed: {n}: {before[n]} -> {after[n]}" for n in same if before[n] != after[n]]


@contextmanager
def untouched(folder: Path, *, links: bool = False):
    """Assert that nothing in a folder changes inside the block, whatever way it ends."""
    before = snapshot(folder, links=links)
    try:
        yield folder
    finally:
        found = changes(before, snapshot(folder, links=links))
        assert not found, "\n".join(found)


def _entry(path: Path, links: bool) -> Entry:
    found = os.lstat(path)
    regular = stat.S_ISREG(found.st_mode)
    content = hashlib.sha256(path.read_bytes()).hexdigest() if regular else ""
    if stat.S_ISLNK(found.st_mode):
        content = os.readlink(path)
    count = found.st_nlink if links and regular else 1
    return Entry(stat.S_IFMT(found.st_mode), stat.S_IMODE(found.st_mode), count, found.st_mtime_ns, content)
