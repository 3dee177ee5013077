"""The frozen events that every long job yields; the window, the command line and the tests consume the same stream."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from core.message import Message

if TYPE_CHECKING:  # annotations only: numpy takes a fifth of a second that the window's start does not have
    import numpy as np
    from numpy.typing import NDArray

REFUSED: Final = 3
"""Exit code of a command that was refused a model or an input."""

INTERRUPTED: Final = 130
"""Exit code of a command that was stopped with everything finished kept."""

RunStatus = Literal["completed", "stopped", "discarded", "failed"]


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events; `name` is what `--json` prints as `"event"`.

    Attributes
    ----------
    ends
        Whether it is the last one of its job.
    """

    name: ClassVar[str] = "event"
    ends: ClassVar[bool] = False

    @property
    def exit_code(self) -> int:
        """What a command that tells this event exits with, at least: 0 unless something was refused or stopped."""
        return 0

    @property
    def progress(self) -> Progress | None:
        """How far the job is, if this event says so."""
        return None

    def to_json(self) -> dict[str, Any]:
        """Return the event as plain JSON types; fields marked `json=False` (pictures) are left out."""
        shown = {
            f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self) if f.metadata.get("json", True)
        }
        return {"event": self.name, **{_json_key(key): value for key, value in shown.items()}}


def _json_key(field_name: str) -> str:
    return "class" if field_name == "class_code" else field_name


@dataclass(frozen=True, slots=True)
class Started(Event):
    """A run begins: everything that was decided on the user's behalf is stated."""

    name: ClassVar[str] = "started"
    run_id: str
    output: Path
    total: int
    counts: dict[str, int]
    sampler: str
    steps: int
    device: str
    precision: str
    batch_size: int


@dataclass(frozen=True, slots=True)
class Loading(Event):
    """A model is being read and verified."""

    name: ClassVar[str] = "loading"
    class_code: str
    path: Path


@dataclass(frozen=True, slots=True)
class Loaded(Event):
    """A model is ready."""

    name: ClassVar[str] = "loaded"
    class_code: str
    path: Path
    sha256: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Preview:
    """What one image looks like at one denoising step.

    Attributes
    ----------
    noisy
        x_t, uint8, shape (H, W, 3).
    predicted
        The predicted x0, uint8, shape (H, W, 3).
    """

    noisy: NDArray[np.uint8]
    predicted: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Step(Event):
    """One denoising step of the current batch is done.

    `step` counts from 1 to `steps`; `images` are the 1-based positions within the run of the images in the batch.
    `preview` shows the batch's first image, at most 15 times a second.
    """

    name: ClassVar[str] = "step"
    class_code: str
    step: int
    steps: int
    timestep: int
    images: tuple[int, ...]
    preview: Preview | None = field(default=None, compare=False, metadata={"json": False})


@dataclass(frozen=True, slots=True)
class Paused(Event):
    """The run waits, with the images being made kept in memory, until it is told to go on or to stop."""

    name: ClassVar[str] = "paused"


@dataclass(frozen=True, slots=True)
class Continued(Event):
    """The pause is over; its `seconds` count for no rate and no estimate."""

    name: ClassVar[str] = "continued"
    seconds: float


@dataclass(frozen=True, slots=True)
class ImageDone(Event):
    """An image is complete on disk, with its journal line and its row.

    `seconds` is the image's share of its batch's time; `rate` (images per second) and `remaining` (seconds) are None
    until two images of the run have been timed, and count finished work only. `explain` says that the request asks for
    the explanation of this image; whoever runs the engine makes and keeps it.
    """

    name: ClassVar[str] = "image"
    class_code: str
    index: int
    isic_number: int
    file: Path
    seed: int
    noise_hash: str
    done: int
    total: int
    seconds: float
    rate: float | None
    remaining: float | None
    explain: bool = False

    @property
    def progress(self) -> Progress:
        """Images of the run."""
        return Progress.of(self.done, self.total, "images")


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """Something went wrong that the run survives: a class without a usable model, or one image."""

    name: ClassVar[str] = "failed"
    class_code: str
    kind: str
    message: str
    remedy: str
    images: int

    @property
    def exit_code(self) -> int:
        """That of a refused model."""
        return REFUSED


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """How far a job is.

    Attributes
    ----------
    done, total
        Within the present part.
    unit
        What is counted: "images", "coalitions"; "" where that says nothing.
    words
        The present part, in words.
    fraction
        Of the whole job, 0..1.
    """

    name: ClassVar[str] = "progress"
    done: int
    total: int
    unit: str
    words: str
    fraction: float

    @classmethod
    def of(cls, done: int, total: int, unit: str, words: str = "") -> Progress:
        """Return how far a job is that has one part."""
        return cls(done, total, unit, words, round(min(done / total, 1.0), 4) if total else 0.0)

    @property
    def progress(self) -> Progress:
        """Itself."""
        return self

    @property
    def sentence(self) -> str:
        """The words, with the count where something is counted."""
        if not self.unit:
            return self.words
        return Message("{words} ({done} of {total})", words=self.words, done=self.done, total=self.total)


@dataclass(frozen=True, slots=True)
class Notice(Event):
    """Something the user should know, such as a batch halved after an out-of-memory error."""

    name: ClassVar[str] = "notice"
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """The end of a run, always the last event of a stream that does not raise; pauses do not count in `seconds`."""

    name: ClassVar[str] = "finished"
    ends: ClassVar[bool] = True
    run_id: str
    status: RunStatus
    written: int
    failed: int
    remaining: int
    seconds: float
    output: Path

    @property
    def exit_code(self) -> int:
        """That of an interruption, if it was stopped."""
        return INTERRUPTED if self.status in ("stopped", "discarded") else 0
