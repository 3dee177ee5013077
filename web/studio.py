"""What the page and the door ask for: jobs in one worker's process, and a folder for every visitor that is deleted.

Nothing of Gradio is known here.
"""

from __future__ import annotations

import secrets
import shutil
import threading
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.cancel import CancelToken
from core.errors import InputRefusedError, ISICGUIError, UsageError
from core.events import Event, Failed, Finished, ImageDone, Notice, Step
from core.generation import GenerationRequest
from core.guided import Image2ImageRequest, InpaintRequest, InterpolateRequest
from core.jobs.client import JobClient
from core.jobs.registry import Request
from core.message import Message
from dataset.png import read_recipe
from xai.explanation import Explained, ExplainRequest

MOST_IMAGES: Final = 16
"""Of one request: the queue is for everybody."""

MOST_STEPS: Final = 100
MOST_UPLOAD: Final = "20mb"

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a visitor sees of a job so far.

    Attributes
    ----------
    preview
        The image that is being made, RGB, uint8; None until there is one.
    step, steps
        How far that image is.
    images
        The finished images, in order.
    total
        How many there will be.
    notes
        What should be known, in plain words.
    """

    preview: Pixels | None = None
    step: int = 0
    steps: int = 0
    images: tuple[Path, ...] = ()
    total: int = 0
    notes: tuple[str, ...] = ()


@dataclass(eq=False)
class Visitor:
    """One visitor: a folder of its own, which nobody else is shown.

    Attributes
    ----------
    token
        Cannot be guessed.
    """

    token: str
    folder: Path
    images: list[Path] = field(default_factory=list)
    _number: int = 0

    def place(self) -> Path:
        """Return a new folder for a job."""
        self._number += 1
        return self.folder / f"{self._number:04d}"

    def take_in(self, pixels: Pixels, name: str) -> Path:
        """Keep an uploaded picture for a job, without whatever else its file contained, and return its file."""
        path = self.folder / "uploads" / f"{secrets.token_hex(8)}_{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        return path

    def own(self, path: Path) -> Path:
        """Return one of the visitor's images.

        Raises
        ------
        InputRefusedError
            If it is not among them.
        """
        if path not in self.images:
            raise InputRefusedError(Message("This image is not there any more."), remedy=Message("Generate it again."))
        return path

    def packed(self) -> Path:
        """Return a ZIP archive of all images of this visit, each with its recipe inside and beside it."""
        archive = self.folder / "images.zip"
        with zipfile.ZipFile(archive, "w") as target:
            for number, path in enumerate(self.images, start=1):
                for file in (path, path.with_suffix(".json")):
                    target.write(file, f"{number:04d}_{path.parent.name}{file.suffix}")
        return archive


class Studio:
    """Visitors and the one engine that they share.

    Parameters
    ----------
    root
        Folder for the visitors' folders; it is deleted by `close`.
    models
        Models folder.
    """

    def __init__(self, root: Path, models: Path, client: JobClient | None = None) -> None:
        self.root, self.models = root, models
        self._client = client or JobClient("isicgui-web")
        self._visitors: dict[str, Visitor] = {}
        self._turn = threading.Lock()

    def welcome(self) -> Visitor:
        """Return a new visitor."""
        token = secrets.token_urlsafe(24)
        visitor = Visitor(token, self.root / secrets.token_hex(16))
        visitor.folder.mkdir(parents=True)
        self._visitors[token] = visitor
        return visitor

    def visitor(self, token: str | None) -> Visitor:
        """Return a known visitor, or a new one for a token that is not known (any more)."""
        known = self._visitors.get(token or "")
        return known or self.welcome()

    def forget(self, token: str | None) -> None:
        """Delete everything of a visitor."""
        visitor = self._visitors.pop(token or "", None)
        if visitor is not None:
            shutil.rmtree(visitor.folder, ignore_errors=True)

    def close(self) -> None:
        """End the engine and delete everything of everybody."""
        self._client.close()
        for token in list(self._visitors):
            self.forget(token)

    def follow(self, visitor: Visitor, request: Request, cancel: CancelToken | None = None) -> Iterator[Shown]:
        """Carry out a request for images, one at a time for all visitors, and yield what there is to see.

        Raises
        ------
        ISICGUIError
            As the job raises it; `WorkerDiedError` if the engine ended. The next request starts it again.
        """
        shown = Shown()
        for event in self._events(request, cancel):
            shown = _after(shown, event)
            if isinstance(event, ImageDone):
                visitor.images.append(event.file)
            yield shown

    def explain(self, visitor: Visitor, image: Path, cancel: CancelToken | None = None) -> tuple[Path, str, str]:
        """Explain one of a visitor's images by Integrated Gradients.

        Returns
        -------
        tuple
            The overlay's file, the result of the reliability check, and its reasons.
        """
        request = ExplainRequest(inputs=(visitor.own(image),), output=visitor.place(), methods=("ig",))
        found = [event for event in self._events(request, cancel) if isinstance(event, Explained)]
        if not found:
            raise InputRefusedError(Message("This image cannot be explained."), remedy=Message("Choose another image."))
        (overlay, *_) = sorted(found[0].output.rglob("*_overlay.png"))
        return overlay, found[0].gate.result, " ".join(map(str, found[0].gate.reasons))

    def reproduce(self, visitor: Visitor, image: Path) -> int:
        """Make one of a visitor's images again and return the largest difference of a pixel, 0 to 255."""
        from core.generation import ReproduceRequest
        from core.generator.image_generator import Reproduced

        events = self._events(ReproduceRequest(image=visitor.own(image), models=self.models), None)
        (made,) = [event for event in events if isinstance(event, Reproduced)]
        return made.max_difference

    def _events(self, request: Request, cancel: CancelToken | None) -> Iterator[Event]:
        with self._turn:
            yield from self._client.run(request, cancel)


def _after(shown: Shown, event: Event) -> Shown:
    if isinstance(event, Step):
        preview = shown.preview if event.preview is None else event.preview.predicted
        return replace(shown, preview=preview, step=event.step, steps=event.steps)
    if isinstance(event, ImageDone):
        return replace(shown, images=(*shown.images, event.file), total=event.total)
    if isinstance(event, Notice | Failed):
        return replace(shown, notes=(*shown.notes, str(event.message)))
    return shown if not isinstance(event, Finished) else replace(shown, step=shown.steps)


def recipe_of(image: Path) -> Mapping[str, object]:
    """Return the recipe of an image as plain JSON types."""
    return read_recipe(image).to_json()


@dataclass(frozen=True, slots=True)
class Form:
    """What a visitor fills in, the same for every way to begin.

    Attributes
    ----------
    code
        Class of the images.
    count
        How many, up to `MOST_IMAGES`.
    steps
        Denoising steps; None for the sampler's usual number.
    guidance
        None for the model's own.
    """

    code: str
    count: int = 1
    seed: int = 42
    sampler: str = "dpmpp-2m-sde"
    steps: int | None = None
    guidance: float | None = None

    def __post_init__(self) -> None:
        for what, value, most in (("images", self.count, MOST_IMAGES), ("steps", self.steps or 1, MOST_STEPS)):
            if not 1 <= value <= most:
                raise UsageError(
                    Message("The number of {what} is {value}.", what=what, value=value),
                    remedy=Message("Choose a value from {low} to {high}.", low=1, high=most),
                )


class Requests:
    """From what a visitor filled in to the request of a job."""

    def __init__(self, studio: Studio, visitor: Visitor, form: Form) -> None:
        self._visitor, self._form = visitor, form
        self._shared = {
            "models": studio.models, "output": visitor.place(), "sampler": form.sampler, "steps": form.steps,
            "guidance": form.guidance, "seed": form.seed,
        }  # fmt: skip

    def from_noise(self) -> Request:
        """Images of a class."""
        return GenerationRequest(counts=((self._form.code, self._form.count),), **self._shared)  # type: ignore[arg-type]

    def variation(self, picture: Pixels | None, strength: float) -> Request:
        """Images that begin from an uploaded one."""
        image = self._visitor.take_in(_given(picture), "image")
        return Image2ImageRequest(
            images=(image,), class_code=self._form.code, count=self._form.count, strength=strength,
            **self._shared,  # type: ignore[arg-type]
        )  # fmt: skip

    def inside(self, picture: Pixels | None, mask: Pixels | None) -> Request:
        """Images that are an uploaded one outside of a mask."""
        image, marked = self._visitor.take_in(_given(picture), "image"), self._visitor.take_in(_given(mask), "mask")
        return InpaintRequest(
            image=image, mask=marked, class_code=self._form.code, count=self._form.count,
            **self._shared,  # type: ignore[arg-type]
        )  # fmt: skip

    def between(self, first: Path, second: Path) -> Request:
        """Images on the way from one of the visitor's images to another."""
        shared = {key: value for key, value in self._shared.items() if key in ("models", "output", "seed")}
        return InterpolateRequest(
            first=self._visitor.own(first), second=self._visitor.own(second), count=max(2, self._form.count),
            **shared,  # type: ignore[arg-type]
        )  # fmt: skip


def _given(picture: Pixels | None) -> Pixels:
    if picture is None:
        raise UsageError(Message("There is no image to begin from."), remedy=Message("Upload one first."))
    return picture


def in_words(error: ISICGUIError) -> str:
    """Return an error and what can be done, for a person."""
    return f"{error.message} {error.remedy}".strip()
