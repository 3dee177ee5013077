"""What an evaluation is asked for, and what it tells while it works."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from core.errors import UsageError
from core.events import Event
from core.jobs.options import device_option, option
from core.jobs.registry import Request, job
from core.message import Message
from evaluation.measurements import MEASUREMENTS, parse_measures


@job("evaluation.run:run_evaluation")
@dataclass(frozen=True, slots=True)
class EvaluationRequest(Request):
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
    measures
        Keys in `MEASUREMENTS`; empty for all.
    cache
        Where features are kept between runs; the user's cache folder if None.
    """

    command: ClassVar[tuple[str, ...]] = ("evaluate",)
    synthetic: tuple[Path, ...] = option(
        "--synthetic", "Generated images; repeat to compare sets.", kind="folder", many=True
    )
    real: Path = option("--real", "Held-out photographs: lesions that the generator was not trained on.", kind="path")
    output: Path = option("--output", "Where results.json, report.html and report.pdf go.", kind="folder")
    train: Path | None = option(
        "--train", "Training photographs of the generator; enables copy detection.", kind="path", default=None
    )
    masks: Path | None = option("--masks", "Masks that the images should follow.", kind="folder", default=None)
    reference: Path | None = option(
        "--reference", "Images to compare with pair by pair, by file name.", kind="folder", default=None
    )
    features: Path | None = option(
        "--features",
        "Weights for a second feature space: Inception (TF) or torchvision's ImageNet networks.",
        kind="path",
        default=None,
        aliases=("--inception",),
    )
    lpips: Path | None = option(
        "--lpips", "torchvision's AlexNet weights; adds LPIPS to the comparison of pairs.", kind="path", default=None
    )
    evaluator: Path | None = option(
        "--evaluator",
        "Independent classifier.",
        kind="path",
        default=None,
        default_words="the starter's independent one",
    )
    measures: tuple[str, ...] = option(
        "--measures", "Measures to compute, joined by commas.", read=parse_measures, write=",".join, default=(),
        default_words="all that the given folders allow",
    )  # fmt: skip
    cache: Path | None = None
    seed: int = option("--seed", "Random seed of the random halves and subsets.", kind="whole", default=0)
    device: str = device_option()

    def __post_init__(self) -> None:
        for key in self.measures:
            MEASUREMENTS.check(key)
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
    """The end: everything is written. `sets` says of each set how many images, what to make of it, and why."""

    name: ClassVar[str] = "finished"
    ends: ClassVar[bool] = True
    output: Path
    results: Path
    report: Path
    pdf: Path
    level: str
    verdict: str
    seconds: float
    sets: dict[str, Any] = field(default_factory=dict)
