"""What an explanation is asked for with and consists of; no torch, so that the window may import it at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import ISICGUIError, UsageError

GateLevel = Literal["green", "amber", "red"]

METHODS: Final[dict[str, str]] = {"ig": "Integrated Gradients"}
BASELINES: Final = ("skin", "blur", "mean", "noise", "black", "multi")


class ExplanationCancelled(ISICGUIError):  # noqa: N818 - nothing went wrong, the user said stop
    """Raised out of an explanation once its `should_stop` says so; nothing was written."""

    exit_code: ClassVar[int] = 130
    kind: ClassVar[str] = "cancelled"

    def __init__(self) -> None:
        super().__init__("The explanation was cancelled.", remedy="Start it again whenever you like.")


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """Whether a map may be read as evidence.

    Attributes
    ----------
    level
        `green` evidence, `amber` doubt, `red` no evidence at all.
    reasons
        Plain sentences, worst first; empty for green.
    """

    level: GateLevel
    reasons: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return `{"level": ..., "reasons": [...]}`."""
        return {"level": self.level, "reasons": list(self.reasons)}


@dataclass(frozen=True, slots=True)
class ExplainOptions:
    """How to explain an image.

    Attributes
    ----------
    methods
        Keys of `METHODS`.
    target
        `label` (the class the image was made for or lies in the folder of), `predicted`, or a class code.
    classifier
        Weights file or classifier folder; None for the starter classifier.
    """

    methods: tuple[str, ...] = ("ig",)
    target: str = "label"
    classifier: Path | None = None
    baseline: str = "skin"
    device: str = "auto"

    def __post_init__(self) -> None:
        unknown = [m for m in self.methods if m not in METHODS]
        if unknown or not self.methods:
            raise UsageError(
                f"There is no explanation method '{', '.join(unknown)}'.", remedy=f"Choose from {', '.join(METHODS)}."
            )
        if self.baseline not in BASELINES:
            raise UsageError(
                f"There is no baseline '{self.baseline}'.", remedy=f"Choose one of {', '.join(BASELINES)}."
            )


@dataclass(frozen=True, slots=True)
class Classification:
    """A classifier's answer for one image; probabilities by class code, in the classifier's order."""

    predicted: str
    probabilities: Mapping[str, float]
    logits: Mapping[str, float]
    gate: GateVerdict


@dataclass(frozen=True, slots=True)
class Explanation:
    """One map and everything needed to judge it.

    Attributes
    ----------
    image
        The explained picture, uint8, shape (H, W, 3), before any resizing.
    attribution
        Signed contribution of each pixel and channel to the target logit, float32, shape (H, W, 3); it sums to
        `score - baseline_score` up to `delta`.
    delta
        Convergence delta: the sum of the attribution minus (score - baseline_score).
    relative_delta
        |delta| / |score - baseline_score|, or None where the difference is too small to divide by.
    source
        The image's file, or None if it was given as an array.
    notes
        Plain sentences on what was decided: where the target comes from, whether the image was scaled down.
    """

    method: str
    target: str
    baseline: str
    image: NDArray[np.uint8] = field(repr=False)
    attribution: NDArray[np.float32] = field(repr=False)
    score: float = 0.0
    baseline_score: float = 0.0
    delta: float = 0.0
    relative_delta: float | None = None
    steps: int = 0
    classification: Classification = field(default_factory=lambda: Classification("", {}, {}, GateVerdict("red")))
    gate: GateVerdict = field(default_factory=lambda: GateVerdict("red"))
    classifier_sha256: str = ""
    seconds: float = 0.0
    source: Path | None = None
    notes: tuple[str, ...] = ()
