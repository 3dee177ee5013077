"""A zip archive whose bytes depend on nothing but its members: same files, same archive, on every machine."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

_FIRST_DAY: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
_PLAIN_FILE: Final = 0o100644 << 16
_HEADERS: Final = 30 + 46
_END: Final = 22


def pack(folder: Path, paths: Sequence[str], archive: Path) -> Iterator[str]:
    """Write files of a folder into a new archive, stored as they are, and yield each path when it is in.

    Parameters
    ----------
    paths
        Relative to `folder`, with slashes; they are put in sorted.

    Raises
    ------
    OSError
        If something cannot be read or written.
    """
    with archive.open("xb") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as made:
        for path in sorted(paths):
            member = zipfile.ZipInfo(path, _FIRST_DAY)
            member.create_system, member.external_attr = _UNIX, _PLAIN_FILE
            made.writestr(member, (folder / path).read_bytes())
            yield path


def packed_size(sizes: dict[str, int]) -> int:
    """Return the bytes of an archive of files with these paths and sizes, as long as it stays below 4 GB."""
    return _END + sum(_HEADERS + 2 * len(path.encode()) + size for path, size in sizes.items())
