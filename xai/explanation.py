"""What an explanation is asked for with and consists of; no torch, so that the window may import it at once.

The requests and events of `explain` and `classify` stand here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from core.errors import ISICGUIError, UsageError
from core.events import INTERRUPTED, Event, Progress
from core.files.text import finite
from core.jobs.options import classifier_option, device_option, option
from core.jobs.registry import Request, job
from core.message import Message
from core.taxonomy import parse_class
from xai.baselines import BASELINES
from xai.methods import METHODS, check_methods, read_names

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


GateLevel = Literal["green", "amber", "red"]
Style = Literal["signed", "positive", "jet"]

STYLES: Final[tuple[Style, ...]] = ("signed", "positive", "jet")

CHECK_RESULTS: Final[Mapping[GateLevel, str]] = {"green": "passed", "amber": "caution", "red": "failed"}
"""What each level of the reliability check means."""

MAX_STEPS: Final = 1 << 14
MAX_SEED: Final = (1 << 32) - 1
MAX_PLAYERS: Final = 64


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """The result of the reliability check: whether to trust a map.

    Attributes
    ----------
    level
        `green` passed, `amber` caution, `red` failed.
    reasons
        Plain sentences, worst first; empty for green.
    """

    level: GateLevel
    reasons: tuple[str, ...] = ()

    @property
    def result(self) -> str:
        """The level in words: passed, caution or failed."""
        return CHECK_RESULTS[self.level]

    def to_json(self) -> dict[str, Any]:
        """Return `{"level": ..., "reasons": [...]}`."""
        return {"level": self.level, "reasons": list(self.reasons)}


@dataclass(frozen=True, slots=True)
class ExplainOptions:
    """How to explain an image.

    Attributes
    ----------
    methods
        Keys of `xai.methods.METHODS`; one named twice counts once.
    target
        `label` (the target class of the image, or the class of its folder), `predicted`, or a class code.
    classifier
        Weights file or classifier folder; None for the starter classifier.
    baseline
        Key of `xai.baselines.BASELINES`.
    max_steps
        Integrated Gradients doubles its steps up to this number.
    players
        Superpixels that share the score, at most: exact up to `EXACT_PLAYERS`, sampled above.
    seed
        Of everything random: permutations, SmoothGrad's noise, the noise baseline, random controls.
    mask
        The lesion's mask (white inside), or a folder of masks named like the images, for the faithfulness's share
        inside the lesion; None for none.
    faithfulness
        Whether to measure how faithful each map is.
    """

    methods: tuple[str, ...] = ("ig",)
    target: str = "label"
    classifier: Path | None = None
    baseline: str = "skin"
    device: str = "auto"
    max_steps: int = 512
    players: int = 12
    seed: int = 0
    mask: Path | None = None
    faithfulness: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "methods", check_methods(self.methods))
        BASELINES.check(self.baseline)
        value = self.players
        _check_range(value, 2, MAX_PLAYERS, Message("Invalid number of superpixels: {value}.", value=value))
        value = self.max_steps
        _check_range(value, 1, MAX_STEPS, Message("Invalid number of steps: {value}.", value=value))
        _check_range(self.seed, 0, MAX_SEED, Message("Invalid seed: {value}.", value=self.seed))


def _check_range(value: int, low: int, high: int, message: Message) -> None:
    if not low <= value <= high:
        raise UsageError(message, remedy=Message("Give a whole number from {low} to {high}.", low=low, high=high))


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
        Signed value of each pixel and channel, float32, shape (H, W, 3); summed over the channels it is in the method's
        unit (`xai.methods`). For complete methods everything sums to `score - baseline_score` up to `delta`.
    score, baseline_score
        The target's logit for the image and for the baseline (mean over several), whatever the method makes of it.
    delta
        Convergence delta: the sum of the attribution minus (score - baseline_score); 0 for methods that do not add up.
    relative_delta
        |delta| / |score - baseline_score|, of Integrated Gradients in `combined`; None where the difference is too
        small to divide by, and for methods that do not divide it up.
    steps
        Steps of the integral, or how many altered pictures the classifier was shown.
    source
        The image's file, or None if it was given as an array.
    notes
        Plain sentences on what was decided: where the target comes from, whether the image was scaled down.
    parameters
        Everything else that the method was run with, ready for JSON.
    standard_error
        Of the map, float32, shape (H, W), in its unit; None where nothing was sampled.
    segments
        Superpixel of each pixel, int32, shape (H, W), from 0; None for methods without superpixels.
    cell
        Height and width in the picture's pixels of what a class activation map can tell apart; None for other methods.
    faithfulness
        What `xai.faithfulness` measured, ready for JSON; None if it was not asked.
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
    parameters: Mapping[str, Any] = field(default_factory=dict)
    standard_error: NDArray[np.float32] | None = field(default=None, repr=False)
    segments: NDArray[np.int32] | None = field(default=None, repr=False)
    cell: tuple[float, float] | None = None
    faithfulness: Mapping[str, Any] | None = None


def signed(value: float | None, digits: int = 3) -> str:
    """Return a number with its sign, or a dash."""
    return "\u2013" if value is None else f"{value:+.{digits}f}".replace("-", "\u2212")


def inputs_option(hint: str) -> Any:
    """Return the field that names images and folders of images."""
    return option("", hint, kind="path", many=True, metavar="IMAGE|FOLDER...")


@job("xai.run:run_classify", pauses=True)
@dataclass(frozen=True, slots=True)
class ClassifyRequest(Request):
    """Which images a classifier is asked about."""

    command: ClassVar[tuple[str, ...]] = ("classify",)
    inputs: tuple[Path, ...] = inputs_option("Images, or folders of them.")
    classifier: Path | None = classifier_option()
    device: str = device_option()


@job("xai.run:run_explain", pauses=True)
@dataclass(frozen=True, slots=True)
class ExplainRequest(Request):
    """Which images are explained, and how; see `ExplainOptions`.

    Attributes
    ----------
    targets
        ``label``, ``predicted`` or class codes; each image is explained for each.
    faithfulness
        Implied by a mask.
    """

    command: ClassVar[tuple[str, ...]] = ("explain",)
    inputs: tuple[Path, ...] = inputs_option("Images, or folders of them.")
    output: Path = option("--output", "Folder for overlays, raw maps (.npz) and reports.", kind="folder")
    methods: tuple[str, ...] = option(
        "--methods",
        "Comma-separated, of {choices}; or all.",
        choices=METHODS,
        read=read_names,
        write=",".join,
        default=("ig",),
        always=True,
    )
    target: tuple[str, ...] = option(
        "--target",
        "label, predicted, or classes such as MEL or MEL,NV.",
        read=read_names,
        write=",".join,
        default=("label",),
    )
    classifier: Path | None = classifier_option()
    baseline: str = option(
        "--baseline",
        "Reference image against which attributions are computed.",
        kind="choice",
        choices=BASELINES,
        default="skin",
        always=True,
    )
    players: int = option(
        "--players", "Largest number of superpixels; Shapley is exact up to 12.", kind="whole", default=12, always=True,
        aliases=("--superpixels",),
    )  # fmt: skip
    max_steps: int = option(
        "--max-steps", "Integrated Gradients doubles its steps up to this.", kind="whole", default=512, always=True
    )
    style: Style = option("--style", "Colours of the overlays.", kind="choice", choices=STYLES, default="signed")
    faithfulness: bool = option(
        "--faithfulness", "Also measure how faithful each map is (slower).", kind="switch", default=False
    )
    mask: Path | None = option(
        "--mask", "Lesion mask, or a folder of them; implies --faithfulness.", kind="path", default=None
    )
    seed: int = option("--seed", "Random seed for noise, permutations and controls.", kind="whole", default=0)
    device: str = device_option()

    def __post_init__(self) -> None:
        object.__setattr__(self, "target", tuple(_checked(name) for name in self.target) or ("label",))
        for name in self.target:
            self.options(name)

    def options(self, target: str) -> ExplainOptions:
        """Return how an image is explained for one class."""
        return ExplainOptions(
            self.methods,
            target,
            self.classifier,
            self.baseline,
            self.device,
            self.max_steps,
            self.players,
            self.seed,
            self.mask,
            self.faithfulness or self.mask is not None,
        )


def _checked(target: str) -> str:
    return target if target in ("label", "predicted") else parse_class(target)


@dataclass(frozen=True, slots=True)
class Refused(Event):
    """One image could not be read or its question not be asked; the others go on."""

    name: ClassVar[str] = "error"
    file: Path
    kind: str
    message: str
    remedy: str
    code: int

    @classmethod
    def of(cls, file: Path, error: ISICGUIError) -> Refused:
        """Return the event for an error."""
        return cls(file, error.kind, error.message, error.remedy, error.exit_code)

    @property
    def exit_code(self) -> int:
        """That of the error."""
        return self.code

    def to_json(self) -> dict[str, Any]:
        """Return the event as an error is told that ends a command, and the file."""
        return {
            "event": self.name,
            "kind": self.kind,
            "message": self.message,
            "remedy": self.remedy,
            "file": str(self.file),
        }


@dataclass(frozen=True, slots=True)
class Classified(Event):
    """A classifier's answer for one image, the `done`-th of `total`; probabilities by class code."""

    name: ClassVar[str] = "classified"
    file: Path
    predicted: str
    probabilities: Mapping[str, float]
    gate: GateVerdict
    done: int = field(default=1, metadata={"json": False})
    total: int = field(default=1, metadata={"json": False})

    @property
    def progress(self) -> Progress:
        """Images that were asked about."""
        return Progress.of(self.done, self.total, "images")

    def to_json(self) -> dict[str, Any]:
        """Return the event as plain JSON types."""
        return {**Event.to_json(self), "gate": self.gate.to_json()}


@dataclass(frozen=True, slots=True)
class Explained(Event):
    """One map is on disk."""

    name: ClassVar[str] = "explained"
    file: Path
    method: str
    target: str
    relative_delta: float | None
    gate: GateVerdict
    faithfulness: Mapping[str, Any] | None
    output: Path

    def to_json(self) -> dict[str, Any]:
        """Return the event as plain JSON types; a value that is no number is null."""
        plain: dict[str, Any] = finite({**Event.to_json(self), "gate": self.gate.to_json()})
        return plain


@dataclass(frozen=True, slots=True)
class ExplainFinished(Event):
    """Everything is on disk; `report` is None where there is no map."""

    name: ClassVar[str] = "finished"
    ends: ClassVar[bool] = True
    status: Literal["completed", "stopped"]
    maps: int
    report: Path | None

    @property
    def exit_code(self) -> int:
        """That of an interruption, if it was stopped."""
        return INTERRUPTED if self.status == "stopped" else 0
