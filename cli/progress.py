"""A progress bar for runs that make images: images done, and the step being worked on."""

from __future__ import annotations

from cli.derive import JobBar
from core.events import Event, ImageDone, Loading, Started, Step


class ImageBar(JobBar):
    """Counts images; silent where nobody watches."""

    def take(self, event: Event) -> None:
        """Let the bar follow an event."""
        if isinstance(event, Started):
            self.open(total=event.total, unit="image")
        elif self.bar is not None:
            self._describe(event)

    def _describe(self, event: Event) -> None:
        if isinstance(event, Loading):
            self.bar.set_description_str(f"{event.class_code} loading model")
        elif isinstance(event, Step):
            self.bar.set_description_str(f"{event.class_code} step {event.step}/{event.steps}")
        elif isinstance(event, ImageDone):
            self.bar.update(event.done - self.bar.n)
        elif event.ends:
            self.close()
