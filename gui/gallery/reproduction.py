"""Making the shown image again from its recipe, and saying how far the result is from it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal

from core.message import Message, joined
from gui.common.picture import Picture
from gui.workers.engine import Engine, MadeAgain
from gui.workers.task import TaskRunner


class ReproductionModel(QObject):
    """One image at a time.

    Signals
    -------
    changed
        Look at `working`.
    done
        Carries the picture, the one made again, and the verdict in words.
    failed
        It could not be made again; carries the exception.
    """

    changed = pyqtSignal()
    done = pyqtSignal(object, object, object)
    failed = pyqtSignal(object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._tasks = TaskRunner(1, self)
        self.working: Path | None = None

    def start(self, picture: Picture, models: Path | None) -> None:
        """Make a picture again; its weights are looked for in `models`, too."""
        if self.working or picture.recipe is None:
            return
        self._show(picture.path)
        self._tasks.start(
            lambda: self._engine.make_again(picture.path, models),
            lambda made: self._accept(picture, made),
            self._refuse,
        )

    def _accept(self, picture: Picture, made: MadeAgain) -> None:
        self._show(None)
        content = hashlib.sha256(made.pixels.tobytes()).hexdigest()
        again = Picture(picture.path, made.pixels, picture.recipe, content)
        self.done.emit(picture, again, verdict(made))

    def _refuse(self, error: BaseException) -> None:
        self._show(None)
        self.failed.emit(error)

    def _show(self, working: Path | None) -> None:
        self.working = working
        self.changed.emit()


def verdict(made: MadeAgain) -> str:
    """Say how far an image that was made again is from the original, and what was different in its making."""
    if made.max_difference == 0:
        words = Message("Reproduced: identical, every pixel the same.")
    else:
        words = Message(
            "Reproduced: the largest pixel difference is {largest} of 255, on average {mean:.3f}.",
            largest=made.max_difference,
            mean=made.mean_difference,
        )
    return joined((words, *made.notes))
