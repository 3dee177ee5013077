"""Analyses of trajectories: what is asked for, how it stands, and the file that keeps them. No Qt, no torch."""

from __future__ import annotations

import enum
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.message import Message
from core.taxonomy import parse_class
from core.utils.field_types import misfit
from gui.workers.list_store import ListStore


@dataclass(frozen=True, slots=True)
class AnalysisRequest:
    """What to analyse: an image of this program, or images of a class that are drawn for it.

    Attributes
    ----------
    output
        Folder that gets a folder for the analysis.
    image
        A PNG of this program, whose recipe says class, seed and settings; None to draw images.
    class_code
        Class of the images to be drawn; `all` for every class.
    seed, index, count
        Base seed of `generate`, number of the first image in its sequence, and how many of each class.
    steps, sampler
        As in a `GenerationRequest`.
    every
        Look at every N-th denoising step.
    methods, baseline
        Keys of `xai.explanation.METHODS` and `BASELINES`.
    quick
        Fewer groups of steps; maps and interventions of the finished image only.
    """

    output: Path
    image: Path | None = None
    class_code: str = "MEL"
    seed: int = 42
    index: int = 0
    count: int = 1
    models: Path | None = None
    classifier: Path | None = None
    device: str = "auto"
    sampler: str = "dpmpp-2m-sde"
    steps: int = 20
    every: int = 5
    groups: int = 8
    methods: tuple[str, ...] = ("ig", "gradcam")
    baseline: str = "skin"
    quick: bool = False

    def __post_init__(self) -> None:
        if name := misfit(self):
            raise ValueError(f"no usable '{name}'")
        if self.class_code != "all":
            parse_class(self.class_code)

    @property
    def images(self) -> int:
        """How many images are analysed, as far as is known here."""
        return 1 if self.image else self.count * (7 if self.class_code == "all" else 1)

    def arguments(self) -> tuple[str, ...]:
        """Return the command line that does it, without the program."""
        said = ["trajectory", "--output", str(self.output), *self._what()]
        for flag, value in (("--models", self.models), ("--classifier", self.classifier)):
            said += [flag, str(value)] if value else []
        said += ["--device", self.device, "--every", str(self.every), "--groups", str(self.groups)]
        said += ["--methods", ",".join(self.methods), "--baseline", self.baseline]
        return (*said, "--quick") if self.quick else tuple(said)

    def _what(self) -> list[str]:
        if self.image:
            return ["--image", str(self.image)]
        drawn = {"--seed": self.seed, "--index": self.index, "--count": self.count, "--steps": self.steps}
        numbers = [text for flag, value in drawn.items() for text in (flag, str(value))]
        return ["--class", self.class_code, *numbers, "--sampler", self.sampler]

    def to_json(self) -> dict[str, Any]:
        """Return the request as plain JSON types."""
        data = asdict(self)
        for name in ("output", "image", "models", "classifier"):
            data[name] = None if data[name] is None else str(data[name])
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> AnalysisRequest:
        """Rebuild a request from `to_json`.

        Raises
        ------
        KeyError, TypeError, ValueError, ISICGUIError
            If it is none, or asks for what this version does not know.
        """
        paths = {name: None if data[name] is None else Path(data[name]) for name in ("image", "models", "classifier")}
        values = {**data, **paths, "output": Path(data["output"]), "methods": tuple(data["methods"])}
        return cls(**values)


class AnalysisState(enum.Enum):
    """Where an analysis stands."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    INTERRUPTED = "interrupted"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Analysis:
    """One analysis in the list.

    Attributes
    ----------
    folder
        Where it writes, as soon as that is known.
    note
        How it ended: the verdict, or why it failed.
    fraction, stage, done, total
        How far it is: of the whole, 0..1, and within a stage.
    """

    request: AnalysisRequest
    state: AnalysisState = AnalysisState.WAITING
    folder: Path | None = None
    note: str = ""
    fraction: float = 0.0
    stage: str = ""
    done: int = 0
    total: int = 0
    key: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        if name := misfit(self):
            raise ValueError(f"no usable '{name}'")

    def to_json(self) -> dict[str, Any]:
        """Return what is kept, as plain JSON types."""
        return {
            "request": self.request.to_json(),
            "state": self.state.value,
            "folder": None if self.folder is None else str(self.folder),
            "note": self.note,
            "fraction": self.fraction,
            "key": self.key,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Analysis:
        """Rebuild an analysis from `to_json`; the exceptions are those of `AnalysisRequest.from_json`."""
        return cls(
            AnalysisRequest.from_json(data["request"]),
            AnalysisState(data["state"]),
            None if data["folder"] is None else Path(data["folder"]),
            data["note"],
            data["fraction"],
            key=data["key"],
        )


class AnalysisStore(ListStore[Analysis]):
    """The file of the analyses in a folder of settings."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "analyses")

    def read(self, entry: Any) -> Analysis:
        """Rebuild an analysis."""
        return Analysis.from_json(entry)

    def notice(self, reason: str, name: str) -> Message:
        """Say that the list could not be read."""
        return Message(
            "The list of analyses could not be read ({reason}). The file was kept as {name}.", reason=reason, name=name
        )
