"""The settings that exist: type, default, range and words for each, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from core.errors import UsageError
from core.generator.request import DEFAULT_BASE_SEED, DEFAULT_SAMPLER, DEFAULT_STEPS, MAX_STEPS, PRECISIONS
from core.taxonomy import SEED_MASK

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes
    ----------
    key
        Dotted name; the part before the dot is the section in the file.
    type
        `str`, `int`, `float` or `bool`.
    default
        The value where none was chosen. An empty path means: the product's own place.
    minimum, maximum
        Inclusive range of a number, None for unbounded.
    choices
        The only texts allowed, empty for any.
    """

    key: str
    type: type[str] | type[int] | type[float] | type[bool]
    default: Value
    title: str
    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()

    def check(self, value: object) -> Value:
        """Return `value` in this setting's type.

        Raises
        ------
        UsageError
            If the type is wrong, the number out of range or not finite, or the text not among the choices.
        """
        if self.type is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not self.type or not isinstance(value, (str, int, float, bool)):
            raise self._refusal(value)
        if self.choices and value not in self.choices:
            raise self._refusal(value)
        if isinstance(value, (int, float)) and not self._in_range(value):
            raise self._refusal(value)
        return value

    def allowed(self) -> str:
        """Say in words which values are allowed."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        kind = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}[self.type]
        if self.minimum is None and self.maximum is None:
            return kind
        low = "" if self.minimum is None else f" from {self.minimum:g}"
        high = "" if self.maximum is None else f" up to {self.maximum:g}"
        return f"{kind}{low}{high}"

    def _in_range(self, value: float) -> bool:
        low = float("-inf") if self.minimum is None else self.minimum
        high = float("inf") if self.maximum is None else self.maximum
        return low <= value <= high

    def _refusal(self, value: object) -> UsageError:
        return UsageError(f"The setting {self.key} cannot be {value!r}.", remedy=f"It takes {self.allowed()}.")


SCHEMA: Final[tuple[Setting, ...]] = (
    Setting("paths.models", str, "", "Models folder", "Checkpoints or model packs; empty for the starter models."),
    Setting("paths.output", str, "", "Output folder", "Where images go; empty for the output folder in your home."),
    Setting("paths.classifier", str, "", "Classifier", "Classifier file or folder; empty for the starter classifier."),
    Setting(
        "generation.sampler",
        str,
        DEFAULT_SAMPLER,
        "Sampler",
        "The rule by which noise becomes an image; ddpm is the predecessor's.",
        choices=tuple(DEFAULT_STEPS),
    ),
    Setting(
        "generation.steps",
        int,
        DEFAULT_STEPS[DEFAULT_SAMPLER],
        "Steps",
        "Denoising steps per image.",
        minimum=1,
        maximum=MAX_STEPS,
    ),
    Setting(
        "generation.seed",
        int,
        DEFAULT_BASE_SEED,
        "Base seed",
        "The number all random numbers of a run follow from.",
        minimum=0,
        maximum=SEED_MASK,
    ),
    Setting("generation.seed_random", bool, False, "Random seeds", "Draw a fresh seed for each image and record it."),
    Setting(
        "generation.guidance",
        float,
        0.0,
        "Guidance scale",
        "How strongly a class-conditional model is pushed towards its class; 0 for the model's own recommendation.",
        minimum=0.0,
        maximum=50.0,
    ),
    Setting("generation.device", str, "auto", "Device", "auto, cpu, cuda or cuda:N."),
    Setting(
        "generation.precision",
        str,
        "auto",
        "Precision",
        "Number format of the network; auto uses bf16 where the hardware has it.",
        choices=PRECISIONS,
    ),
    Setting(
        "generation.batch_size",
        int,
        0,
        "Batch size",
        "Images denoised together; 0 lets the device decide.",
        minimum=0,
        maximum=4096,
    ),
    Setting("generation.color", bool, True, "Colour correction", "Apply the colour statistics next to the models."),
    Setting(
        "generation.count",
        int,
        5,
        "Images per class",
        "How many images a class starts with in the window.",
        minimum=1,
        maximum=1_000_000,
    ),
    Setting("xai.enabled", bool, False, "Explanations", "Show explanations over the shown image."),
    Setting(
        "xai.every",
        int,
        0,
        "Explain every N-th image",
        "While generating, explain every N-th image of a class; 0 for none.",
        minimum=0,
        maximum=1_000_000,
    ),
    Setting(
        "xai.steps",
        int,
        64,
        "Integration steps",
        "Points on the path of Integrated Gradients; more are slower and more exact.",
        minimum=8,
        maximum=1024,
    ),
    Setting(
        "xai.baseline",
        str,
        "skin",
        "Baseline",
        "The image without evidence that explanations start from.",
        choices=("skin", "blur", "mean", "noise", "black", "multi"),
    ),
    Setting(
        "xai.opacity", float, 0.6, "Overlay opacity", "0 shows the image alone, 1 the map.", minimum=0.0, maximum=1.0
    ),
    Setting("ui.theme", str, "system", "Theme", "Colours of the window.", choices=("system", "light", "dark")),
    Setting("ui.language", str, "system", "Language", "Language of the window.", choices=("system", "en", "ru", "zh")),
    Setting(
        "cache.size_mb",
        int,
        1024,
        "Cache size",
        "Megabytes that thumbnails and explanations of shown images may take on disk.",
        minimum=16,
        maximum=1_000_000,
    ),
)

BY_KEY: Final[Mapping[str, Setting]] = MappingProxyType({setting.key: setting for setting in SCHEMA})
