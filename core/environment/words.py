"""What set-up says: to standard error, because standard output belongs to the command that follows."""

from __future__ import annotations

import sys

from core.errors import ISICGUIError


class SetupError(ISICGUIError):
    """The environment could not be made ready."""

    kind = "setup"


def say(text: str) -> None:
    """Show a line at once; a stream that cannot show a letter shows its code instead."""
    stream = sys.stderr
    if stream is None:  # pythonw has none
        return
    encoding = stream.encoding or "ascii"
    stream.write(text.encode(encoding, errors="backslashreplace").decode(encoding) + "\n")
    stream.flush()
