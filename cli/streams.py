"""Standard input, output and error when a shell has closed them, or nobody reads them any more."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TextIO


def open_standard_streams() -> None:
    """Put the null device in place of streams that are closed, so that no file opened later gets their numbers."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if _is_closed(number):
            _take_number(number)
        if getattr(sys, name) is None:
            stream = open(number, mode, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)


def flush_standard_streams() -> None:
    """Write what is still buffered; raises BrokenPipeError if nobody reads it."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def silence_broken_streams() -> bool:
    """Send to nowhere what cannot be written, so that nothing fails at the exit; return whether all was written."""
    written = [_is_flushed(stream) for stream in (sys.stdout, sys.stderr) if stream is not None]
    return all(written)


def _is_flushed(stream: TextIO) -> bool:
    try:
        stream.flush()
    except OSError:
        with suppress(OSError, io.UnsupportedOperation):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
            stream.flush()
        return False
    except ValueError:  # it is closed already
        return False
    return True


def _is_closed(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return True
    return False


def _take_number(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)
