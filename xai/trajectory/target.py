"""The one number that an analysis is about: a classifier's logit for a class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import InputRefusedError
from core.jobs.stream import JobContext
from core.message import Message
from xai.attribution import Score
from xai.classifier import Classifier

_CHUNK_PIXELS: Final = 1_000_000

Floats = NDArray[np.float64]
Logits = Callable[[Tensor], Tensor]
"""Maps pictures (N, 3, H, W) in 0..1 to logits (N, K)."""


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """The logit of one class.

    Attributes
    ----------
    index
        Which logit.
    logits
        All logits of pictures (N, 3, H, W) in 0..1.
    """

    index: int
    logits: Logits

    @property
    def score(self) -> Score:
        """The logit as a differentiable function of pictures."""
        return lambda pixels: self.logits(pixels)[:, self.index]

    def of_pixels(self, pixels: Tensor, context: JobContext | None = None) -> Floats:
        """Return the logits of pictures (N, 3, H, W) in 0..1, shape (N,), computed some at a time."""
        answers = all_logits(self.logits, pixels, context)
        return np.asarray(answers[:, self.index], dtype=np.float64)

    def of_pictures(self, pictures: NDArray[np.uint8]) -> Floats:
        """Return the logits of pictures, uint8, shape (N, H, W, 3)."""
        return self.of_pixels(to_pixels(pictures))


def make_target(classifier: Classifier, class_code: str) -> Target:
    """Return the logit of a class.

    Raises
    ------
    InputRefusedError
        If the classifier does not know the class.
    """
    if class_code not in classifier.index:
        raise InputRefusedError(
            Message(
                "The classifier {path} has no class {code}; its classes are {names}.",
                path=classifier.path,
                code=class_code,
                names=", ".join(classifier.classes),
            ),
            remedy=Message("Name another classifier with --classifier, or another class."),
            path=classifier.path,
        )
    return Target(classifier.index[class_code], classifier.logits)


def all_logits(logits: Logits, pixels: Tensor, context: JobContext | None = None) -> Floats:
    """Return all logits (N, K) of pictures (N, 3, H, W) in 0..1, some pictures at a time.

    Raises
    ------
    JobStopped
        As soon as that is asked for.
    """
    chunk = max(1, _CHUNK_PIXELS // (pixels.shape[-1] * pixels.shape[-2]))
    parts = []
    context = context or JobContext()
    with torch.no_grad():
        for start in range(0, len(pixels), chunk):
            context.check()
            parts.append(logits(pixels[start : start + chunk]).double().cpu().numpy())
    return np.concatenate(parts)


def to_pixels(pictures: NDArray[np.uint8]) -> Tensor:
    """Return pictures, uint8, shape (N, H, W, 3), as float32 (N, 3, H, W) in 0..1."""
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).float() / 255
