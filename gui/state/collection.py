"""What can be done with the images of the output folder: delete, compare, make again, export; and that it is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PyQt5.QtCore import QObject, pyqtSignal

from core.errors import OutputError
from gui.i18n import tr
from gui.state.compare import CompareModel
from gui.state.denoising import DenoisingModel
from gui.state.exports import ExportsModel
from gui.state.folder_watch import FolderWatch
from gui.state.gallery import GalleryModel
from gui.state.picture import PictureModel
from gui.state.reproduction import ReproductionModel
from gui.state.run import RunModel
from gui.state.trash import TrashModel
from gui.workers.engine import Engine


class Collection(QObject):
    """The models behind gallery and comparison, and how they react to each other.

    Signals
    -------
    told
        A confirmation in passing; carries the words.
    folder_vanished, folder_returned
        The output folder is no longer there, or there again.
    failed
        Carries an exception to be told.
    """

    told = pyqtSignal(str)
    folder_vanished = pyqtSignal()
    folder_returned = pyqtSignal()
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
        self.output: Path | None = None
        self.trash = TrashModel(self)
        self.compare = CompareModel(self)
        self.reproduction = ReproductionModel(engine, self)
        self.exports = ExportsModel(self)
        self.watch = FolderWatch(self)
        self._connect()

    def open(self, output: Path) -> None:
        """Begin with another output folder."""
        self.output = output
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
        self.exports.written.connect(lambda path: self.told.emit(tr("Written: {path}").format(path=path)))
        self.watch.vanished.connect(self._vanished)
        self.watch.returned.connect(self._returned)
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

    def _vanished(self) -> None:
        self._gallery.refresh()
        self.folder_vanished.emit()

    def _returned(self) -> None:
        self._gallery.refresh()
        self.folder_returned.emit()

    def _changed(self) -> None:
        """Take in what another program did; a run of this window tells of its images itself."""
        if not self._run.busy and not self._gallery.scanning:
            self._gallery.refresh()


def vanished_error(folder: Path) -> OutputError:
    """Return the words for a folder that is no longer there."""
    return OutputError(
        tr("The output folder '{folder}' is no longer there.").format(folder=folder),
        remedy=tr("Bring it, or its drive, back; or choose another output folder at the top."),
        path=folder,
    )
