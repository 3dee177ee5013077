"""An operating system that fails, or dies, at a chosen call: SQLite's way of testing, call by call."""

from __future__ import annotations

import os
from contextlib import contextmanager

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CALLS = ("open", "write", "fsync", "replace", "rename", "link", "unlink", "mkdir", "ftruncate")


def _only_reads(path, flags, *mode):
    """Whether a file is opened for reading; folders are opened to make names durable."""
    return not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and not os.path.isdir(path)


class Killed(BaseException):
    """The process is dead: nothing that it would still do has any effect."""


class BrokenOS:
    """Counts the calls that change files, and breaks from a chosen one on.

    Parameters
    ----------
    at
        1-based number of the call that fails; 0 for none (counting only).
    error
        Makes the exception to raise.
    lasting
        Whether every later call fails too.
    torn
        Whether a write that fails leaves half of its bytes.
    """

    def __init__(self, at=0, error=None, *, lasting=False, torn=False):
        self.at = at
        self.error = error
        self.lasting = lasting
        self.torn = torn
        self.count = 0

    @property
    def fired(self):
        return 0 < self.at <= self.count

    @contextmanager
    def installed(self, monkeypatch):
        opening = os.open
        with monkeypatch.context() as patch:
            for name in CALLS:
                patch.setattr(os, name, self._wrap(name, getattr(os, name)))
            patch.setattr(os, "open", _unless_reading(os.open, opening))
            yield self

    def _wrap(self, name, real):
        def call(*arguments, **options):
            if name == "open" and _only_reads(*arguments):
                return real(*arguments, **options)
            self.count += 1
            if self.at and (self.count == self.at or (self.lasting and self.count > self.at)):
                if self.torn and name == "write" and self.count == self.at:
                    real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                raise self.error()
            return real(*arguments, **options)

        return call


def _unless_reading(broken, real):
    """Opening a file to read it changes nothing, and no full disk prevents it."""

    def call(path, flags, *arguments, **options):
        return (broken if flags & WRITING else real)(path, flags, *arguments, **options)

    return call
