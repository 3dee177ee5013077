"""What can be done with images of the gallery, as a menu."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtWidgets import QMenu, QWidget

from gui.common.desktop import open_path
from gui.common.window_requests import WindowRequest
from gui.gallery.scan import GalleryItem
from gui.i18n import tr

if TYPE_CHECKING:
    from gui.shell.session import Session


class GalleryMenu(QMenu):
    """A menu for some images; what cannot be done now is shown disabled.

    Parameters
    ----------
    items
        The images it is about.
    act
        The panel's own actions by name: ``copy``, ``compare``, ``sheet``, ``delete``, ``delete_rejected``, ``undo``,
        ``empty``.
    """

    def __init__(
        self, session: Session, items: Sequence[GalleryItem], act: Mapping[str, Callable[[], None]], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._session, self._items, self._act = session, items, act
        self._add_opening()
        self.addSeparator()
        self._add_rating()
        self.addSeparator()
        self._add_use()
        self.addSeparator()
        self._add_trash()

    def _key(self, command: str) -> str:
        return "\t" + self._session.keys.hint(command)

    def _add(self, words: str, action: Callable[[], None], enabled: bool) -> None:
        self.addAction(words, action).setEnabled(enabled)

    def _add_opening(self) -> None:
        first = Path(self._items[0].path) if self._items else Path()
        self._add(tr("Open in the system's viewer"), lambda: open_path(first), bool(self._items))
        self._add(tr("Show in the file manager"), lambda: open_path(first.parent), bool(self._items))
        count = len(self._items)
        self._add(tr("Copy %n image(s)", max(1, count)) + self._key("copy-image"), self._act["copy"], count > 0)

    def _add_rating(self) -> None:
        ratings, keys = self._session.gallery.ratings, [item.key for item in self._items]
        menu = self.addMenu(tr("Rating"))
        menu.setEnabled(bool(keys))
        for stars in range(5, 0, -1):
            menu.addAction("★" * stars + self._key(f"rate-{stars}"), lambda stars=stars: ratings.rate(keys, stars))
        menu.addAction(tr("No stars") + self._key("rate-0"), lambda: ratings.rate(keys, 0))
        self._add(
            tr("Reject, or undo the rejection") + self._key("reject"), lambda: ratings.toggle_rejected(keys), bool(keys)
        )

    def _add_use(self) -> None:
        count = len(self._items)
        words = tr("Compare the two") if count == 2 else tr("Compare with another one")
        self._add(words + self._key("compare"), self._act["compare"], count in (1, 2))
        self._add(tr("Analyse the whole trajectory…"), self._analyse, count == 1)
        self._add(tr("Contact sheet…"), self._act["sheet"], self._session.gallery.rowCount() > 0)
        words = tr("Export for training…") + self._key("export")
        self._add(words, partial(self._session.wish.emit, WindowRequest.EXPORT), bool(self._session.gallery.counts))

    def _analyse(self) -> None:
        """Show the image, whose analysis is then suggested."""
        self._session.analyse_image(Path(self._items[0].path))

    def _add_trash(self) -> None:
        trash, rejected = self._session.collection.trash, len(self._session.gallery.rejected())
        self._add(tr("Move to the trash") + self._key("delete"), self._act["delete"], bool(self._items))
        words = tr("Move %n rejected image(s) to the trash", rejected)
        self._add(words, self._act["delete_rejected"], rejected > 0)
        self._add(tr("Undo the last deletion") + self._key("undo"), self._act["undo"], trash.deletions > 0)
        self._add(tr("Empty the trash (%n file(s))…", trash.files), self._act["empty"], trash.files > 0)
