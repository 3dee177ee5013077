"""What an evaluation is asked for, and what it tells while it works."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from core.errors import UsageError
from core.events import Event
from core.message import Message


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """What is compared with what.

    Attributes
    ----------
    synthetic
        Folders of generated images, each judged by itself; at least one.
    real
        Photographs of lesions that the generator has not seen.
    train
        The photographs that it has learnt from; without them nothing is said about copies.
    masks
        Masks that the images were asked to follow.
    reference
        Folder of images that the generated ones are compared with pair by pair, by file name.
    features
        Weights of Inception (as ported from TensorFlow) or of an ImageNet network, for a second feature space.
    lpips
        Weights of AlexNet, with which pairs are compared by LPIPS, too.
    evaluator
        Classifier that had no part in generating; the starter's independent one if None.
    cache
        Where features are kept between runs; the user's cache folder if None.
    """

    synthetic: tuple[Path, ...]
    real: Path
    output: Path
    train: Path | None = None
    masks: Path | None = None
    reference: Path | None = None
    features: Path | None = None
    lpips: Path | None = None
    evaluator: Path | None = None
    cache: Path | None = None
    device: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.synthetic:
            raise UsageError(
                Message("There are no images to evaluate."), remedy=Message("Name their folder with --synthetic.")
            )
        if len({path.absolute() for path in self.synthetic}) < len(self.synthetic):
            raise UsageError(
                Message("A folder is named twice with --synthetic."), remedy=Message("Name each folder once.")
            )
        if self.lpips is not None and self.reference is None:
            raise UsageError(
                Message("LPIPS compares pairs, and there are no references."),
                remedy=Message("Name their folder with --reference."),
            )


@dataclass(frozen=True, slots=True)
class EvaluationStarted(Event):
    """The evaluation begins."""

    name: ClassVar[str] = "started"
    output: Path
    synthetic: tuple[Path, ...]
    real: Path


@dataclass(frozen=True, slots=True)
class Progressed(Event):
    """How far it is: `fraction` of everything, 0..1; `done` and `total` within the stage."""

    name: ClassVar[str] = "progress"
    stage: str
    done: int
    total: int
    fraction: float
    words: str


@dataclass(frozen=True, slots=True)
class Judged(Event):
    """One measurement of one set is finished."""

    name: ClassVar[str] = "judged"
    set: str
    section: str
    title: str
    level: str
    verdict: str


@dataclass(frozen=True, slots=True)
class EvaluationFinished(Event):
    """The end: everything is written."""

    name: ClassVar[str] = "finished"
    output: Path
    results: Path
    report: Path
    pdf: Path
    level: str
    verdict: str
    seconds: float
    sets: dict[str, Any] = field(default_factory=dict)
