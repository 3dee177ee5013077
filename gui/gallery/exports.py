"""Pictures of pictures: contact sheets and the denoising as animation or strip, written beside the GUI thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from PyQt5.QtCore import QObject, pyqtSignal

from core.files.atomic import output_errors, write_bytes_atomic
from gui.gallery.denoising import Frame
from gui.workers.task import TaskRunner

GIF: Final = ".gif"


class ExportsModel(QObject):
    """Writes one file after the other.

    Signals
    -------
    progressed
        Carries how many images of a contact sheet are done, and of how many.
    written
        Carries the path of a finished file.
    failed
        Carries the exception.
    """

    progressed = pyqtSignal(int, int)
    written = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = TaskRunner(1, self)
        self._stopped = False

    def contact_sheet(self, images: Sequence[str], target: Path) -> None:
        """Write a sheet of images with their captions to a PNG file."""
        paths = [Path(path) for path in images]
        self._start(lambda: self._sheet(paths), target)

    def film(self, frames: Sequence[Frame], title: str, target: Path) -> None:
        """Write the denoising steps to a file: an animation if it ends in ``.gif``, else a strip."""
        self._start(lambda: _film(frames, title, moving=target.suffix.lower() == GIF), target)

    def stop(self) -> None:
        """Leave a contact sheet unfinished; for the end of the program."""
        self._stopped = True

    def _start(self, make: Callable[[], bytes], target: Path) -> None:
        self._tasks.start(lambda: _write(make(), target), self._tell, self.failed.emit)

    def _sheet(self, paths: Sequence[Path]) -> bytes:
        from measures.sheets.contact_sheet import contact_sheet  # brings Pillow: not before the window is shown

        return contact_sheet(paths, tick=lambda done: self._tick(done, len(paths)))

    def _tick(self, done: int, total: int) -> bool:
        self.progressed.emit(done, total)  # from the worker's thread: Qt hands it over to the receiver's
        return not self._stopped

    def _tell(self, target: Path | None) -> None:
        if target:
            self.written.emit(target)


def _film(frames: Sequence[Frame], title: str, *, moving: bool) -> bytes:
    from measures.sheets.film import FilmFrame, animation, strip

    plain = [FilmFrame(f.step, f.steps, f.preview.noisy, f.preview.predicted) for f in frames]
    return (animation if moving else strip)(plain, title)


def _write(data: bytes, target: Path) -> Path | None:
    if not data:
        return None
    with output_errors(target):
        write_bytes_atomic(target, data)
    return target
