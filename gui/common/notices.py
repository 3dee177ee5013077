"""What the line above the work area has to tell: one notice a topic, the latest on top, none lost behind another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt5.QtCore import QObject, pyqtSignal


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell that interrupts nobody.

    Attributes
    ----------
    topic
        What it is about; a later notice of the same topic takes its place.
    words
        A `core.message.Message`, so that it follows the language of the window.
    action
        Words on the button, in English and marked for translation; empty for no button.
    do
        What the button does; the notice is gone then.
    icon
        A name of `gui.theme.icons`.
    """

    topic: str
    words: str
    action: str = ""
    do: Callable[[], object] | None = None
    icon: str = "info"


class NoticesModel(QObject):
    """The notices that nobody has dismissed.

    Signals
    -------
    changed
        Look at `current` and `count`.
    """

    changed = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notices: dict[str, Notice] = {}

    @property
    def current(self) -> Notice | None:
        """The notice on top, if there is any."""
        return next(reversed(self._notices.values()), None)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._notices)

    def has(self, topic: str) -> bool:
        """Whether something is told about a topic."""
        return topic in self._notices

    def post(self, notice: Notice) -> None:
        """Tell something, on top of what is told already."""
        self._notices.pop(notice.topic, None)
        self._notices[notice.topic] = notice
        self.changed.emit()

    def withdraw(self, topic: str) -> None:
        """Stop telling about a topic; one that nothing is told about is no error."""
        if self._notices.pop(topic, None):
            self.changed.emit()

    def show_next(self) -> None:
        """Put the notice on top below all others."""
        if self.count > 1:
            topic, notice = self._notices.popitem()
            self._notices = {topic: notice, **self._notices}
            self.changed.emit()

    def act(self) -> None:
        """Do what the notice on top offers."""
        notice = self.current
        if notice:
            self.withdraw(notice.topic)
            if notice.do:
                notice.do()

    def dismiss(self) -> None:
        """Drop the notice on top."""
        if self.current:
            self.withdraw(self.current.topic)
