"""How a long job is told to stop or to pause: a token that is looked at after every denoising step."""

from __future__ import annotations

import enum
import threading
import time


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
    """A thread-safe request to stop or to pause.

    A later stop can only be more urgent, never less. A pause lasts until `go_on` or a stop, whichever comes first.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()  # reentrant: a signal handler may ask for a stop in the middle of a wait
        self._mode: StopMode | None = None
        self._paused = False
        self._pauses_ended = 0

    @property
    def mode(self) -> StopMode | None:
        """The most urgent stop asked for so far, or None."""
        return self._mode

    def request(self, mode: StopMode) -> None:
        """Ask the job to stop; a pause ends with it."""
        with self._changed:
            if _SEVERITY[mode] > _SEVERITY[self._mode]:
                self._mode = mode
            self._end_pause()

    @property
    def stops_now(self) -> bool:
        """Whether the job must stop at the next denoising step."""
        return self._mode in (StopMode.NOW, StopMode.DISCARD)

    @property
    def is_paused(self) -> bool:
        """Whether the job must wait at the next denoising step."""
        return self._paused

    def pause(self) -> None:
        """Ask the job to wait; one that has been asked to stop does not."""
        with self._changed:
            self._paused = self._mode is None

    def go_on(self) -> None:
        """End the pause."""
        with self._changed:
            self._end_pause()

    def wait_while_paused(self) -> float:
        """Block until the present pause ends, though another be asked for at once; return the seconds that took."""
        began = time.perf_counter()
        with self._changed:
            ended = self._pauses_ended
            self._changed.wait_for(lambda: not self._paused or self._pauses_ended != ended)
        return time.perf_counter() - began

    def _end_pause(self) -> None:
        self._paused = False
        self._pauses_ended += 1
        self._changed.notify_all()
