"""What `explain` and `classify` are asked for, and what they tell while they work. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from core.errors import ISICGUIError
from core.events import INTERRUPTED, Event, Progress
from core.files.text import finite
from core.jobs.options import classifier_option, device_option, option
from core.jobs.registry import Request, job
from core.taxonomy import parse_class
from xai.baselines import BASELINES
from xai.explanation import STYLES, ExplainOptions, GateVerdict, Style
from xai.methods import METHODS, read_names


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
