"""How far a training is: a bar that counts images, on standard error."""

from __future__ import annotations

from typing import Any

from cli.derive import JobBar


class TrainingBar(JobBar):
    """Counts the images of one network after the other.

    Parameters
    ----------
    started, step, finished
        The events of a training that begin the bar, move it and end it; it ends with the job in any case.
    """

    def __init__(self, started: type[Any], step: type[Any], finished: type[Any] | None = None) -> None:
        super().__init__()
        self._started, self._step, self._finished = started, step, finished

    def take(self, event: Any) -> None:
        """Let the bar follow an event."""
        if isinstance(event, self._started):
            name = getattr(event, "class_code", "") or None
            self.open(total=event.total, initial=event.images, desc=name, unit="image", mininterval=0.5)
        elif isinstance(event, self._step) and self.bar is not None:
            self.bar.set_postfix_str(f"loss {event.loss:.4f}", refresh=False)
            self.bar.update(event.images - self.bar.n)
        elif event.ends or (self._finished is not None and isinstance(event, self._finished)):
            self.close()
