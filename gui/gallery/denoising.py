"""How the images being made look at each step, for the live preview and for looking back afterwards."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PyQt5.QtCore import QObject, pyqtSignal

from core.events import Preview, Step

KEPT: Final = 200
"""Frames kept of one image; of more steps, the later ones replace the last."""

FILMS: Final = 8
FILM_BYTES: Final = 32 * 2**20
"""Images whose steps are kept until the window is closed: so many of the latest, and no more than that of memory."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One step of one image."""

    class_code: str
    image: int
    step: int
    steps: int
    timestep: int
    preview: Preview


class DenoisingModel(QObject):
    """The frames of the image that is being made, or of the one that was chosen, if it is one of the latest.

    Attributes
    ----------
    frames
        One film, in the order of its steps.
    position
        Which of them is shown.
    is_unknown
        Whether an image was chosen whose steps are not kept.

    Signals
    -------
    changed
        There are other frames, or another one is shown.
    """

    changed = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.frames: list[Frame] = []
        self.position = -1
        self.is_unknown = False
        self._follows = True
        self._is_filed = False
        self._films: OrderedDict[tuple[Path, int], list[Frame]] = OrderedDict()

    @property
    def frame(self) -> Frame | None:
        """The frame shown."""
        return self.frames[self.position] if self.frames else None

    def add(self, step: Step) -> None:
        """Take a step of the engine; one without a picture changes nothing."""
        if step.preview is None:
            return
        frame = Frame(step.class_code, step.images[0], step.step, step.steps, step.timestep, step.preview)
        if self._starts_anew(frame):
            self.frames, self._follows, self._is_filed = [], True, False
        if len(self.frames) >= KEPT:
            self.frames.pop()
        self.frames.append(frame)
        if self._follows:
            self.position = len(self.frames) - 1
        self.changed.emit()

    def show(self, position: int) -> None:
        """Show a frame; the last one follows what comes."""
        if self.frames and position != self.position:
            self.position = max(0, min(position, len(self.frames) - 1))
            self._follows = self.position == len(self.frames) - 1
            self.changed.emit()

    def clear(self) -> None:
        """Show nothing until the next step; films that are kept stay."""
        self._show_film([], is_unknown=False)

    def keep(self, file: Path) -> None:
        """Take the frames for those of an image that has just been written: the first one after them."""
        mark = _mark(file)
        if self.frames and not self._is_filed and mark:
            self._films[mark] = self.frames
            self._bound()
        self._is_filed = True

    def leave(self) -> None:
        """Note that the image of the frames was not written: the next one that is has not been watched."""
        self._is_filed = True

    def choose(self, file: Path | None) -> None:
        """Show the steps of an image that was made before, or that they are not kept."""
        mark = _mark(file) if file else None
        film = self._films.get(mark, []) if mark else []
        if not film or film is not self.frames:
            self._show_film(film, is_unknown=file is not None and not film)

    def _show_film(self, film: list[Frame], *, is_unknown: bool) -> None:
        self.frames, self.position, self.is_unknown = film, len(film) - 1, is_unknown
        self._follows = self._is_filed = True
        self.changed.emit()

    def _bound(self) -> None:
        while len(self._films) > FILMS or sum(map(_bytes_of, self._films.values())) > FILM_BYTES:
            self._films.popitem(last=False)

    def _starts_anew(self, frame: Frame) -> bool:
        if not self.frames:
            return True
        last = self.frames[-1]
        return (frame.class_code, frame.image) != (last.class_code, last.image) or frame.step <= last.step


def _mark(file: Path) -> tuple[Path, int] | None:
    """Return what tells a file from an earlier one of its name, or None if it is gone."""
    try:
        return file, file.stat().st_mtime_ns
    except OSError:
        return None


def _bytes_of(film: list[Frame]) -> int:
    return sum(frame.preview.noisy.nbytes + frame.preview.predicted.nbytes for frame in film)
