"""What an analysis of trajectories is asked for; no torch, so that commands and the window may import it at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import UsageError
from core.generator.request import DEFAULT_BASE_SEED, MAX_STEPS, PRECISIONS, PlannedImage, check_range
from core.generator.samplers import DEFAULT_SAMPLER, SAMPLERS, usual_steps
from core.message import Message
from core.taxonomy import CLASS_CODES, SEED_MASK, image_seed, parse_class
from core.utils.whole_number import read_whole_number
from xai.explanation import BASELINES, METHODS

DEFAULT_EVERY: Final = 5
DEFAULT_GROUPS: Final = 8
QUICK_GROUPS: Final = 4
MAX_GROUPS: Final = 30
NEUTRAL_ACTIONS: Final = ("auto", "null", "hold")
WANTED_METHODS: Final = ("ig", "gradcam")


def default_methods() -> tuple[str, ...]:
    """Return the methods whose maps are drawn unless others are asked for; regions come from the first."""
    return tuple(method for method in WANTED_METHODS if method in METHODS)


@dataclass(frozen=True, slots=True)
class TrajectoryRequest:
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
        Keys of `xai.explanation.METHODS`; the first decides the regions.
    baseline
        Key of `xai.explanation.BASELINES`, for the methods that need one.
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

    output: Path
    classes: tuple[str, ...] = ("MEL",)
    seed: int = DEFAULT_BASE_SEED
    index: int = 0
    count: int = 1
    image: Path | None = None
    models: Path | None = None
    sampler: str = DEFAULT_SAMPLER
    steps: int | None = None
    guidance: float | None = None
    precision: str = "auto"
    color: bool = True
    classifier: Path | None = None
    device: str = "auto"
    every: int = DEFAULT_EVERY
    methods: tuple[str, ...] = dataclasses.field(default_factory=default_methods)
    baseline: str = "skin"
    groups: int = DEFAULT_GROUPS
    neutral: str = "auto"
    quick: bool = False
    image_seed: int | None = None

    def __post_init__(self) -> None:
        SAMPLERS.check(self.sampler)
        _check_one_of("precision", (self.precision,), PRECISIONS)
        _check_one_of("neutral action", (self.neutral,), NEUTRAL_ACTIONS)
        _check_one_of("explanation method", self.methods or ("",), tuple(METHODS))
        _check_one_of("baseline", (self.baseline,), tuple(BASELINES))
        check_range("base seed", self.seed, 0, SEED_MASK)
        check_range("index", self.index, 0, SEED_MASK)
        check_range("number of images", self.count, 1, 10_000)
        check_range("number of steps", self.denoising_steps, 1, MAX_STEPS)
        check_range("spacing of the kept steps", self.every, 1, MAX_STEPS)
        check_range("number of groups", self.groups, 1, MAX_GROUPS)
        if not self.classes:
            raise UsageError(
                Message("No class was named."), remedy=Message("Name one, as in --class MEL, or --class all.")
            )

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

    def settings(self) -> dict[str, Any]:
        """Return what decides the numbers, as plain JSON types: not where they are written to, nor which images."""
        left_out = {"output", "classes", "seed", "index", "count", "image", "image_seed"}
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in left_out}
        paths = {name: str(values[name].absolute()) for name in ("models", "classifier") if values[name] is not None}
        return {**values, **paths, "methods": list(self.methods), "steps": self.denoising_steps, "groups": self.players}


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


def request_of_environment(environment: Mapping[str, str], output: Path) -> TrajectoryRequest:
    """Return the request that the predecessor's environment variables stand for; see docs/trajectory.md.

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


def _check_one_of(what: str, values: tuple[str, ...], choices: tuple[str, ...]) -> None:
    unknown = [value for value in values if value not in choices]
    if unknown:
        raise UsageError(
            Message("There is no {what} '{value}'.", what=what, value=", ".join(unknown)),
            remedy=Message("Choose one of {names}.", names=", ".join(choices)),
        )
