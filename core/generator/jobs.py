"""The jobs of this room: generate, resume, reproduce. One warm generator a process keeps networks between jobs."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import torch

from core.cancel import CancelToken
from core.errors import OutputError
from core.events import Event
from core.files.atomic import create_bytes_atomic, output_errors
from core.generation import GenerationRequest, ReproduceRequest, ResumeRequest
from core.generator.image_generator import ImageGenerator
from core.jobs.stream import stream
from core.message import Message

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Reproduced(Event):
    """An image was made again; differences in units of 1/255, over all pixels and channels."""

    name: ClassVar[str] = "reproduced"
    ends: ClassVar[bool] = True
    file: Path
    max_difference: int
    mean_difference: float
    identical: bool
    same_weights: bool
    notes: tuple[str, ...]
    saved: Path | None = field(default=None, metadata={"json": False})


@functools.cache
def warm_generator() -> ImageGenerator:
    """Return the generator of this process, which keeps the networks in use."""
    return ImageGenerator()


def generate(request: GenerationRequest, cancel: CancelToken) -> Iterator[Event]:
    """Carry out a request; see `ImageGenerator.generate`."""
    if request.threads:
        torch.set_num_threads(request.threads)
    yield from warm_generator().generate(request, cancel)


def resume(request: ResumeRequest, cancel: CancelToken) -> Iterator[Event]:
    """Finish the interrupted runs of a folder; see `ImageGenerator.resume`."""
    yield from warm_generator().resume(request.output, cancel, changes=request.changes)


def reproduce(request: ReproduceRequest, cancel: CancelToken) -> Iterator[Event]:
    """Make an image again and say how far it is from the original; see `core.generator.reproduce`.

    Raises
    ------
    OutputError
        If the new file is there already, or cannot be written.
    JobStopped
        If that was asked for; nothing is written.
    """
    from core.generator.reproduce import reproduce as reproduce_image

    if request.save is not None and request.save.exists():
        raise OutputError(
            Message("{path} exists already.", path=request.save),
            remedy=Message("Choose another name; nothing is overwritten."),
            path=request.save,
        )
    made = yield from stream(
        lambda context: reproduce_image(request.image, models=request.models, device=request.device, context=context),
        cancel,
    )
    if request.save is not None:
        _save(made.pixels, request.save)
    yield Reproduced(
        request.image, made.max_difference, made.mean_difference, made.identical, made.same_weights, made.notes,
        request.save,
    )  # fmt: skip


def _save(pixels: NDArray[np.uint8], path: Path) -> None:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    with output_errors(path):
        create_bytes_atomic(path, buffer.getvalue())
