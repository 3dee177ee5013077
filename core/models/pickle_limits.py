"""Looks at a pickle before anything reads it: some would keep the reader busy for hours, or end the whole process.

Nothing is unpickled. The opcodes are gone through with a stack that holds, for each value, only how deep tuples are
nested in it: Python computes the hash of a tuple by recursion without a limit.
"""

from __future__ import annotations

import io
import pickletools
import struct
import zipfile
from pathlib import Path
from typing import BinaryIO, Final

from core.message import Message

MAX_OPCODES: Final = 500_000
"""A network of 330 tensors takes 12,600; with the state of its optimiser and its moving average 60,000."""

MAX_DEPTH: Final = 64
"""Tuples inside tuples; a state dict has three."""

MAX_BYTES: Final = 64 * 1024**2
"""Of the pickle inside a zip archive; the numbers are next to it."""

_LEGACY_PICKLES: Final = 5
"""A file of old form begins with so many: magic number, protocol, system, content, and the keys of the numbers."""

_ZIP: Final = b"PK\x03\x04"
_TUPLES: Final = frozenset({"TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "FROZENSET"})
_PUTS: Final = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_GETS: Final = frozenset({"GET", "BINGET", "LONG_BINGET"})
_NO_PICKLE: Final = (ValueError, EOFError, struct.error, zipfile.BadZipFile, NotImplementedError, LookupError)


class AbsurdPickleError(ValueError):
    """A pickle that no program which saves weights would write; `why` says what is odd about it, as a clause."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def check_pickles(path: Path) -> None:
    """Go through the opcodes of what `torch.save` may have written.

    What is damaged is left to the reader proper, up to the damage.

    Raises
    ------
    AbsurdPickleError
        If it has far too many opcodes, or nests tuples too deep.
    OSError
        If the file cannot be read.
    """
    with path.open("rb") as stream:
        is_archive = stream.read(len(_ZIP)) == _ZIP or zipfile.is_zipfile(path)
        stream.seek(0)
        try:
            if is_archive:
                _check_archive(stream)
            else:
                for _ in range(_LEGACY_PICKLES):
                    _check(stream)
        except AbsurdPickleError:
            raise
        except _NO_PICKLE:
            return


def _check_archive(stream: BinaryIO) -> None:
    with zipfile.ZipFile(stream) as archive:
        for member in archive.infolist():
            if not member.filename.lower().endswith("data.pkl"):
                continue
            if member.file_size > MAX_BYTES:
                raise AbsurdPickleError(Message("its description alone holds {size} bytes", size=member.file_size))
            with archive.open(member) as content:
                _check(io.BytesIO(content.read(MAX_BYTES + 1)))


def _check(stream: BinaryIO) -> None:
    stack = _Depths()
    for count, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
        if count > MAX_OPCODES:
            raise AbsurdPickleError(Message("it consists of more than {most} instructions", most=MAX_OPCODES))
        stack.step(opcode, argument)


class _Depths:
    """How deep tuples are nested in each value of an unpickler's stack; None is a mark."""

    def __init__(self) -> None:
        self._stack: list[int | None] = []
        self._memo: dict[object, int] = {}

    def step(self, opcode: pickletools.OpcodeInfo, argument: object) -> None:
        """Do to the depths what an opcode does to values."""
        if opcode.name in _PUTS:
            self._memo[argument] = self._stack[-1] or 0
        elif opcode.name == "MEMOIZE":
            self._memo[len(self._memo)] = self._stack[-1] or 0
        elif opcode.name in _GETS:
            self._stack.append(self._memo.get(argument, 0))
        elif opcode.name == "MARK":
            self._stack.append(None)
        else:
            self._apply(opcode)

    def _apply(self, opcode: pickletools.OpcodeInfo) -> None:
        depth = max(self._take(opcode), default=0) + (opcode.name in _TUPLES)
        if depth > MAX_DEPTH:
            raise AbsurdPickleError(Message("it nests values more than {most} deep", most=MAX_DEPTH))
        self._stack += [depth] * len(opcode.stack_after)

    def _take(self, opcode: pickletools.OpcodeInfo) -> list[int]:
        """Take from the stack what an opcode consumes: down to the last mark and what it wants below, or so many."""
        before, taken = opcode.stack_before, []
        if pickletools.markobject in before:
            while (depth := self._stack.pop()) is not None:
                taken.append(depth)
            before = before[: before.index(pickletools.markobject)]
        return taken + [self._stack.pop() or 0 for _ in before]
