"""What can be done with the images of the output folder: delete, compare, make again, export; and that it is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from PyQt5.QtCore import QObject, pyqtSignal

from core.errors import OutputError
from core.message import Message
from gui.common.picture import PictureModel
from gui.gallery.compare import CompareModel
from gui.gallery.denoising import DenoisingModel
from gui.gallery.exports import ExportsModel
from gui.gallery.folder_watch import FolderWatch
from gui.gallery.gallery import GalleryModel
from gui.gallery.reproduction import ReproductionModel
from gui.gallery.trash import TrashModel
from gui.i18n import tr
from gui.run.run import RunModel
from gui.workers.engine import Engine

LARGE_SHEET: Final = 200
"""From so many images on, making a contact sheet is told of at each quarter."""


class Collection(QObject):
    """The models behind gallery and comparison, and how they react to each other.

    Signals
    -------
    told
        A confirmation in passing; carries the words.
    folder_missing
        Carries whether the output folder is missing that should be there.
    failed
        Carries an exception to be told.
    """

    told = pyqtSignal(str)
    folder_missing = pyqtSignal(bool)
    failed = pyqtSignal(object)

    def __init__(
        self,
        engine: Engine,
        gallery: GalleryModel,
        picture: PictureModel,
        denoising: DenoisingModel,
        run: RunModel,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._gallery, self._picture, self._denoising, self._run = gallery, picture, denoising, run
        self._is_expected = False
        self.trash = TrashModel(self)
        self.compare = CompareModel(self)
        self.reproduction = ReproductionModel(engine, self)
        self.exports = ExportsModel(self)
        self.watch = FolderWatch(self)
        self._connect()

    def open(self, output: Path, *, is_expected: bool) -> None:
        """Begin with another output folder.

        Parameters
        ----------
        is_expected
            Whether it should be there: somebody has chosen it. The default folder is made by the first run.
        """
        self._is_expected = is_expected
        self.trash.open(output)
        self.watch.open(output)

    def close(self) -> None:
        """Begin nothing more."""
        self.watch.stop()
        self.exports.stop()

    def export_film(self, target: Path) -> None:
        """Write the denoising steps that are shown to a file."""
        frames = list(self._denoising.frames)
        code = frames[0].class_code if frames else ""
        self.exports.film(frames, f"{code} · {tr('%n step(s)', frames[0].steps)}" if frames else "", target)

    def _connect(self) -> None:
        self.trash.deleted.connect(self._deleted)
        self.trash.restored.connect(self._restored)
        self.trash.emptied.connect(lambda n: self.told.emit(tr("%n file(s) deleted for good.", n)))
        self.trash.failed.connect(lambda _: self._gallery.refresh())
        self.reproduction.done.connect(self.compare.compare)
        self.exports.progressed.connect(self._tell_progress)
        self.exports.written.connect(lambda path: self.told.emit(tr("Written: {path}").format(path=path)))
        self.watch.presence.connect(self._show_presence)
        self.watch.changed.connect(self._changed)
        self._picture.changed.connect(lambda: self.compare.follow(self._picture.picture))
        sources: tuple[Any, ...] = (self.trash, self.compare, self.reproduction, self.exports, self._gallery.ratings)
        for source in sources:
            source.failed.connect(self.failed)

    def _deleted(self, paths: tuple[str, ...]) -> None:
        """Take deleted images out; where one of them was shown, show the next."""
        rows = [row for path in paths if (row := self._gallery.row_of(Path(path))) is not None]
        self._gallery.remove(paths)
        picture = self._picture.picture
        if picture is None or str(picture.path) not in paths:
            return
        left = self._gallery.rowCount()
        if rows and left:
            self._picture.show(Path(self._gallery.item(min(*rows, left - 1)).path))
        else:
            self._picture.clear()

    def _restored(self, paths: tuple[str, ...]) -> None:
        self._gallery.refresh()
        if len(paths) == 1:
            self._picture.show(Path(paths[0]))

    def _show_presence(self, is_there: bool) -> None:
        self.folder_missing.emit(self._is_expected and not is_there)
        self._is_expected = self._is_expected or is_there

    def _tell_progress(self, done: int, total: int) -> None:
        if total >= LARGE_SHEET and done < total and done % (total // 4) == 0:
            self.told.emit(tr("Contact sheet: {done} of {total} images").format(done=done, total=total))

    def _changed(self) -> None:
        """Take in what another program did; a run of this window tells of its images itself."""
        if not self._run.busy and not self._gallery.scanning:
            self._gallery.refresh()


def missing_folder(folder: Path) -> OutputError:
    """Return the words for an output folder that is not there."""
    return OutputError(
        Message("The output folder '{folder}' is not there.", folder=folder),
        remedy=Message("Bring it, or its drive, back, or choose another one; otherwise the next run creates it again."),
        path=folder,
    )
