"""How a long job is told to stop: a token that is looked at after every denoising step."""

from __future__ import annotations

import enum
import threading


class StopMode(enum.Enum):
    """The three honest ways to stop a run."""

    AFTER_IMAGE = "after_image"
    """Finish the images being made, then stop."""
    NOW = "now"
    """Drop the images being made, keep every finished one."""
    DISCARD = "discard"
    """Drop the images being made and take back every image of this run."""


_SEVERITY = {None: 0, StopMode.AFTER_IMAGE: 1, StopMode.NOW: 2, StopMode.DISCARD: 3}


class CancelToken:
    """A thread-safe request to stop; a later request can only be more urgent, never less."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mode: StopMode | None = None

    @property
    def mode(self) -> StopMode | None:
        """The most urgent stop asked for so far, or None."""
        return self._mode

    def request(self, mode: StopMode) -> None:
        """Ask the job to stop."""
        with self._lock:
            if _SEVERITY[mode] > _SEVERITY[self._mode]:
                self._mode = mode

    @property
    def stops_now(self) -> bool:
        """Whether the job must stop at the next denoising step."""
        return self._mode in (StopMode.NOW, StopMode.DISCARD)
