"""How the images being made look at each step, for the live preview and for looking back afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PyQt5.QtCore import QObject, pyqtSignal

from core.events import Preview, Step

KEPT: Final = 200
"""Frames kept of one image; of more steps, the later ones replace the last."""


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
    """The frames of the image that is being made, or was made last.

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
        self._follows = True

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
            self.frames, self._follows = [], True
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
        """Forget all frames."""
        self.frames, self.position, self._follows = [], -1, True
        self.changed.emit()

    def _starts_anew(self, frame: Frame) -> bool:
        if not self.frames:
            return True
        last = self.frames[-1]
        return (frame.class_code, frame.image) != (last.class_code, last.image) or frame.step <= last.step
