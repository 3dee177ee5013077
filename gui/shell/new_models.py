"""Models that have just arrived are those that the window uses, unless a run is going on."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PyQt5.QtCore import QObject

from core.message import Message
from gui.common.notices import Notice
from gui.i18n import mark
from gui.models.model_download import Arrival

if TYPE_CHECKING:
    from gui.shell.session import Session

TOPIC: Final = "arrival"


class NewModels(QObject):
    """Puts new models to use for a session."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        session.model_download.arrived.connect(self._use_or_offer)

    def _use_or_offer(self, arrival: Arrival) -> None:
        words = Message("New models are in {folder}.", folder=arrival.folder)
        if self._session.run.busy:
            action = mark("Use the new models")
            self._session.notices.post(Notice(TOPIC, words, action, partial(self._use, arrival.folder), "models"))
            return
        self._use(arrival.folder)

    def _use(self, folder: Path) -> None:
        settings = self._session.settings
        if folder == settings.models:
            self._session.catalog.look(folder)
        else:
            settings.choose_folder("paths.models", folder)
