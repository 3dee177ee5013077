"""Arrays that numpy kept in an archive: read by what they should be, before anything is unpacked."""

from __future__ import annotations

import io
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from core.files.reading import damaged, read_input

MAX_BYTES: Final = 512 * 1024**2
"""Of one archive, packed and unpacked; the largest that the program writes hold a few megabytes."""

_MAX_HEADER: Final = 1000
_HEADERS: Final = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_DAMAGE: Final = (
    OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error, struct.error, RecursionError,
    MemoryError, NotImplementedError, RuntimeError, OverflowError, SyntaxError, tokenize.TokenError,
)  # fmt: skip
"""What the readers of ZIP archives and of array headers raise, depending on where the damage is."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an array should be.

    Attributes
    ----------
    kinds
        Letters of `numpy.dtype.kind`: `f` floating point, which must be finite; `i` and `u` whole numbers; `U` text.
    ndim
        Number of dimensions.
    """

    kinds: str
    ndim: int = 0


def read_npz(path: Path, wanted: Mapping[str, Wanted], *, what: str, limit: int = MAX_BYTES) -> dict[str, NDArray[Any]]:
    """Read the arrays that are wanted from an archive of `numpy.savez`; nothing in it is executed.

    Parameters
    ----------
    what
        What the file should be, for the message ("a reference").
    limit
        Upper limit in bytes of the file, and of the arrays together.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    DamagedFileError
        If it is no regular file, too large, damaged, or an array is missing or is another than wanted.
    """
    data = read_input(path, what=what, limit=limit)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.getinfo(f"{name}.npy") for name in wanted}
            if (size := sum(member.file_size for member in members.values())) > limit:
                raise ValueError(f"it would unpack to {size:,} bytes")
            return {name: _read(archive, member, wanted[name]) for name, member in members.items()}
    except _DAMAGE as error:
        raise damaged(path, what, str(error) or type(error).__name__) from error


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, wanted: Wanted) -> NDArray[Any]:
    with archive.open(member) as stream:
        shape, in_columns, dtype = _header(stream)
        if dtype.kind not in wanted.kinds or len(shape) != wanted.ndim:
            raise ValueError(f"{member.filename} holds {dtype} of {len(shape)} dimensions")
        count = math.prod(shape)
        if not dtype.itemsize or min(shape, default=0) < 0 or count * dtype.itemsize > member.file_size:
            raise ValueError(f"{member.filename} cannot hold {shape} values")
        content = stream.read()
    if len(content) != count * dtype.itemsize:
        raise ValueError(f"{member.filename} holds {len(content):,} bytes for {shape} values")
    array = np.frombuffer(bytearray(content), dtype).reshape(shape, order="F" if in_columns else "C")
    if dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{member.filename} holds NaN or infinity")
    return array


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(stream)
    if version not in _HEADERS:
        raise ValueError(f"arrays of format {version} are not read")
    header: tuple[tuple[int, ...], bool, np.dtype[Any]] = _HEADERS[version](stream, max_header_size=_MAX_HEADER)
    return header
