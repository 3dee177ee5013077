"""What an analysis of trajectories is asked for; no torch, so that commands and the window may import it at once.

Its events are told here too, as the command line prints them with --json.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from core.errors import UsageError
from core.events import Event
from core.generation import DEFAULT_BASE_SEED, MAX_STEPS, PRECISIONS, PlannedImage, check_range
from core.jobs.options import classifier_option, device_option, option
from core.jobs.registry import Request, job
from core.message import Message
from core.samplers import DEFAULT_SAMPLER, SAMPLERS, usual_steps
from core.taxonomy import CLASS_CODES, SEED_MASK, image_seed, parse_class
from core.utils.field_types import read_whole_number
from xai.baselines import BASELINES
from xai.methods import METHODS, check_methods, read_names

DEFAULT_EVERY: Final = 5
DEFAULT_GROUPS: Final = 8
QUICK_GROUPS: Final = 4
MAX_GROUPS: Final = 30
NEUTRAL_ACTIONS: Final = ("auto", "null", "hold")
OF_RECIPE: Final = ("classes", "seed", "index", "count", "sampler", "steps")
"""Fields that say nothing where an image is named: its recipe does."""

DEFAULT_METHODS: Final = ("ig", "gradcam")
"""Methods whose maps are drawn unless others are asked for; regions come from the first."""


def parse_classes(text: str) -> tuple[str, ...]:
    """Read `MEL`, `MEL,NV` or `all`; in canonical order.

    Raises
    ------
    UnknownClassError
        If a class is none of the seven.
    """
    if text.strip().lower() == "all":
        return CLASS_CODES
    named = {parse_class(part) for part in text.split(",") if part.strip()}
    return tuple(code for code in CLASS_CODES if code in named)


def _classes_in_words(classes: tuple[str, ...]) -> str:
    return "all" if classes == CLASS_CODES else ",".join(classes)


@job("xai.trajectory.run:run_trajectory", pauses=True)
@dataclass(frozen=True, slots=True)
class TrajectoryRequest(Request):
    """Everything that decides an analysis.

    Attributes
    ----------
    output
        An output folder of this program, or any folder for the analysis itself; see `xai.trajectory.folders`.
    classes
        Class codes, in canonical order.
    seed, index, count
        For each class the images `index` to `index + count - 1` of base seed `seed`, as `generate` numbers them.
    image
        A PNG made by this program, analysed instead: class, seed and all settings of drawing come from its recipe.
    models
        Models folder; None for the starter models.
    sampler, steps, guidance, precision, color
        As in a `GenerationRequest`; steps None for the sampler's default.
    classifier
        Weights file or classifier folder; None for the starter classifier.
    every
        Keep and explain every so many steps; the first and the last always.
    methods
        Keys of `xai.methods.METHODS`; the first decides the regions.
    baseline
        Key of `xai.baselines.BASELINES`, for the methods that need one.
    groups
        Players of Time-SHAP: so many groups of consecutive steps.
    neutral
        What a step does that is left out: `null` (predict without a class), `hold` (keep the last predicted image), or
        `auto` for `null` where the model has a null class.
    quick
        Four groups, and maps and interventions of the finished image only.
    image_seed
        The seed of the one image itself, in place of the one that `seed` and `index` give.
    """

    command: ClassVar[tuple[str, ...]] = ("trajectory",)
    output: Path = option(
        "--output", "Folder of the analysis, or an output folder of images.", kind="folder", metavar="DIRECTORY"
    )
    classes: tuple[str, ...] = option(
        "--class", "MEL, MEL,NV or all.", read=parse_classes, write=_classes_in_words, default=("MEL",)
    )
    seed: int = option("--seed", "Base seed, as of generate.", kind="whole", default=DEFAULT_BASE_SEED)
    index: int = option("--index", "First image, counted from 0 as generate does.", kind="whole", default=0)
    count: int = option("--count", "Images per class.", kind="whole", default=1)
    image: Path | None = option(
        "--image", "Analyse this image: class, seed and settings from its recipe.", kind="file", default=None
    )
    models: Path | None = option(
        "--models",
        "Folder of models: checkpoints or diffusers folders.",
        kind="folder",
        default=None,
        default_words="the starter models",
    )
    sampler: str = option(
        "--sampler", "Denoising method.", kind="choice", choices=SAMPLERS, default=DEFAULT_SAMPLER, always=True
    )
    steps: int | None = option(
        "--steps", "Denoising steps.", kind="whole", default=None, default_words="20; ddim and ddpm 50"
    )
    guidance: float | None = option(
        "--guidance",
        "Classifier-free guidance: 1 = none, 0 = without the class.",
        kind="number",
        default=None,
        default_words="the model's own",
    )
    precision: str = option("--precision", "Numeric precision.", kind="choice", choices=PRECISIONS, default="auto")
    color: bool = option(
        "--no-color",
        "Disable colour correction.",
        kind="switch",
        opposite=True,
        default=True,
    )
    classifier: Path | None = classifier_option()
    device: str = device_option()
    every: int = option(
        "--every", "Keep and explain every N-th step.", kind="whole", metavar="N", default=DEFAULT_EVERY, always=True
    )
    methods: tuple[str, ...] = option(
        "--methods",
        "Methods for the maps, of {choices}; the first decides the regions.",
        choices=METHODS,
        read=read_names,
        write=",".join,
        default=DEFAULT_METHODS,
        always=True,
    )
    baseline: str = option(
        "--baseline",
        "Baseline of the maps that need one.",
        kind="choice",
        choices=BASELINES,
        default="skin",
        always=True,
    )
    groups: int = option(
        "--groups",
        "Groups of steps for Time-SHAP; exact up to 10.",
        kind="whole",
        default=DEFAULT_GROUPS,
        always=True,
    )
    neutral: str = option(
        "--neutral",
        "Replacement for an ablated step: null (unconditional prediction), hold (previous prediction), "
        "auto (null where the model has a null class).",
        kind="choice",
        choices=NEUTRAL_ACTIONS,
        default="auto",
    )
    quick: bool = option(
        "--quick",
        "Four groups; maps and interventions of the finished image only.",
        kind="switch",
        default=False,
    )
    image_seed: int | None = None

    def __post_init__(self) -> None:
        SAMPLERS.check(self.sampler)
        _check_one_of(Message("precision"), self.precision, PRECISIONS)
        _check_one_of(Message("neutral action"), self.neutral, NEUTRAL_ACTIONS)
        check_methods(self.methods)
        BASELINES.check(self.baseline)
        for code in self.classes:
            parse_class(code)
        check_range(Message("base seed"), self.seed, 0, SEED_MASK)
        check_range(Message("index"), self.index, 0, SEED_MASK)
        check_range(Message("number of images"), self.count, 1, 10_000)
        check_range(Message("number of steps"), self.denoising_steps, 1, MAX_STEPS)
        check_range(Message("spacing of the kept steps"), self.every, 1, MAX_STEPS)
        check_range(Message("number of groups"), self.groups, 1, MAX_GROUPS)
        if not self.classes:
            raise UsageError(
                Message("No class was named."), remedy=Message("Name one, as in --class MEL, or --class all.")
            )

    @property
    def images(self) -> int:
        """The number of images to be analysed."""
        return 1 if self.image is not None or self.image_seed is not None else self.count * len(self.classes)

    @property
    def denoising_steps(self) -> int:
        """The number of denoising steps."""
        return usual_steps(self.sampler) if self.steps is None else self.steps

    @property
    def players(self) -> int:
        """The number of groups that Time-SHAP uses, before it is held to the number of steps."""
        return min(self.groups, QUICK_GROUPS) if self.quick else self.groups

    def planned(self) -> list[PlannedImage]:
        """Return the images to be analysed; none if the request names an image file."""
        if self.image is not None:
            return []
        if self.image_seed is not None:
            return [PlannedImage(self.classes[0], self.index, self.image_seed)]
        indices = range(self.index, self.index + self.count)
        return [PlannedImage(code, i, image_seed(code, i, self.seed)) for code in self.classes for i in indices]

    def of_image(self) -> TrajectoryRequest:
        """Return the request for its image alone, without what the image's recipe decides."""
        defaults: dict[str, Any] = {one.name: one.default for one in dataclasses.fields(self) if one.name in OF_RECIPE}
        return dataclasses.replace(self, **defaults)

    def settings(self) -> dict[str, Any]:
        """Return what decides the numbers, as plain JSON types: not where they are written to, nor which images."""
        left_out = {"output", "classes", "seed", "index", "count", "image", "image_seed"}
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in left_out}
        paths = {name: values[name].name for name in ("models", "classifier") if values[name] is not None}
        return {**values, **paths, "methods": list(self.methods), "steps": self.denoising_steps, "groups": self.players}


def request_of_environment(environment: Mapping[str, str], output: Path) -> TrajectoryRequest:
    """Return the request that ISICGenerator's environment variables stand for; see docs/trajectory.md.

    Raises
    ------
    UsageError
        If a value cannot be used.
    """
    model, image = environment.get("XAI_DDPM_MODEL_PATH"), environment.get("XAI_IMAGE_PATH")
    steps = _number(environment, "XAI_INFERENCE_STEPS")
    seed = _number(environment, "XAI_GENERATION_SEED")
    return TrajectoryRequest(
        output=output,
        classes=(parse_class(environment.get("XAI_TARGET_CLASS", "MEL")),),
        image=Path(image) if image else None,
        models=Path(model) if model else None,
        steps=steps,
        every=_number(environment, "XAI_SAVE_EVERY_N") or DEFAULT_EVERY,
        image_seed=DEFAULT_BASE_SEED if seed is None else seed,
    )


def _number(environment: Mapping[str, str], name: str) -> int | None:
    text = environment.get(name, "").strip()
    if not text:
        return None
    number = read_whole_number(text)
    if number is None:
        raise UsageError(
            Message("{name} is '{text}', which is not a whole number.", name=name, text=text),
            remedy=Message("Set {name} to a whole number.", name=name),
        )
    return number


def _check_one_of(what: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(
            Message("There is no {what} '{value}'.", what=what, value=value),
            remedy=Message("Choose one of {names}.", names=", ".join(choices)),
        )


@dataclass(frozen=True, slots=True)
class AnalysisStarted(Event):
    """An analysis begins.

    Attributes
    ----------
    output
        The folder of this analysis, which the report will be in.
    parts
        One name for each image, as in ``MEL 0 (seed 2133561722)``.
    finished_parts
        How many of them an earlier, interrupted run has finished already.
    """

    name: ClassVar[str] = "started"
    output: Path
    parts: tuple[str, ...]
    finished_parts: int = 0


@dataclass(frozen=True, slots=True)
class Analysed(Event):
    """One image is analysed and everything about it is on disk."""

    name: ClassVar[str] = "analysed"
    class_code: str
    index: int
    seed: int
    folder: Path
    seconds: float


@dataclass(frozen=True, slots=True)
class AnalysisFinished(Event):
    """Everything is done.

    Attributes
    ----------
    verdict
        The result in one or two plain sentences.
    """

    name: ClassVar[str] = "finished"
    ends: ClassVar[bool] = True
    output: Path
    report: Path
    verdict: str
    seconds: float
