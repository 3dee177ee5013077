"""How long a download waits, and how often it tries again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds.

    Attributes
    ----------
    connect
        Until a server answers at all.
    silence
        That a server may send nothing in the middle of a file.
    pauses
        Before each further attempt. Attempts are counted again whenever a byte has come, so a connection that breaks
        every minute still brings the whole file.
    standstill
        After which a download without any byte is given up, whatever it is waiting for.
    """

    connect: float = 15.0
    silence: float = 30.0
    pauses: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0)
    standstill: float = 180.0


PATIENCE: Final = Patience()
