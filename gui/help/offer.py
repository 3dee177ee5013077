"""Offers the tour to whoever starts the program for the first time, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from core.message import Message
from gui.common.notices import Notice
from gui.i18n import mark

if TYPE_CHECKING:
    from gui.shell.session import Session


OFFERED: Final = "tour/offered"
TOPIC: Final = "tour"


def offer_tour(session: Session, start: Callable[[], object]) -> None:
    """Post the offer unless it was made before; `start` leads through whichever window is there by then."""
    if session.settings.is_safe or session.settings.recall(OFFERED, False, bool):
        return
    session.settings.remember(OFFERED, True)
    words = Message("New here? A tour of seven stops shows what is where.")
    session.notices.post(Notice(TOPIC, words, mark("Show me around"), start))
