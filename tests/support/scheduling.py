"""How the tests are dealt out to several processes."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

WINDOW = ("tests/gui/", "tests/e2e/test_first_hour.py")
"""Where windows are opened; one process has all of them, so that none takes the focus from another."""


class FilesByWeight(LoadScopeScheduling):
    """The window's tests to one process, from the start; file by file to the others, and to it when it has done."""

    def _split_scope(self, nodeid: str) -> str:
        return "window" if nodeid.startswith(WINDOW) else nodeid.partition("::")[0]
