"""The settings that exist: type, default, range and words for each, in one table.

Their words are `Message`s, so that the window can show them in its own language.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from types import MappingProxyType
from typing import Any, Final, Literal

from core.errors import UsageError
from core.generation import DEFAULT_BASE_SEED, MAX_STEPS, PRECISIONS
from core.message import Message
from core.registry import Registry
from core.samplers import DEFAULT_SAMPLER, SAMPLERS, usual_steps
from core.taxonomy import CLASS_CODES, SEED_MASK
from core.utils.field_types import MOST

Value = str | int | float | bool
Form = Literal["", "folder", "path", "device"]

LONGEST_SHOWN: Final = 120
_DEVICE: Final = re.compile(r"auto|cpu|cuda(:[0-9]{1,3})?")


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
    registry
        Where the choices and their words come from, if there is one of what is chosen; one of a room above as
        ``module:name``.
    form
        What a text is: a folder, the path of a file or folder (both absolute, or empty), or the name of a device.
    words
        What choices are called where people see them; a choice that is not named is called by itself.
    zero
        What the number 0 means, where it means something else than nothing.
    """

    key: str
    type: type[str] | type[int] | type[float] | type[bool]
    default: Value
    title: str
    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    registry: Registry[Any] | str | None = None
    form: Form = ""
    words: Mapping[str, str] = field(default_factory=dict)
    zero: str = ""

    @property
    def section(self) -> str:
        """The part of the key before the dot."""
        return self.key.partition(".")[0]

    @property
    def known_choices(self) -> dict[str, str]:
        """The only texts allowed, with what people call them; empty for any."""
        if self.registry is not None:
            return {key: entry.title for key, entry in self._entries().items()}
        return {key: self.words.get(key, key) for key in self.choices}

    def hint_of(self, choice: str) -> str:
        """Return a sentence on a choice, "" where there is none."""
        entry = self._entries().get(choice)
        return "" if entry is None else entry.hint

    def check(self, value: object) -> Value:
        """Return `value` in this setting's type.

        Raises
        ------
        UsageError
            If the type is wrong, the number out of range or not finite, or the text not among the choices or not of
            the form it should have.
        """
        if self.type is float and type(value) is int and abs(value) <= MOST:
            value = float(value)
        if type(value) is not self.type or not isinstance(value, (str, int, float, bool)):
            raise self._refusal(value)
        if self.known_choices and value not in self.known_choices:
            raise self._refusal(value)
        if isinstance(value, str) and not self._has_form(value):
            raise self._refusal(value)
        if isinstance(value, (int, float)) and not self._in_range(value):
            raise self._refusal(value)
        return value

    def allowed(self) -> str:
        """Say in words which values are allowed."""
        if self.known_choices:
            return Message("one of {choices}", choices=", ".join(self.known_choices))
        if self.form:
            return _FORMS[self.form]
        kind = _KINDS[self.type]
        if self.minimum is None and self.maximum is None:
            return kind
        if self.maximum is None:
            return Message("{kind} from {low:g}", kind=kind, low=self.minimum)
        if self.minimum is None:
            return Message("{kind} up to {high:g}", kind=kind, high=self.maximum)
        return Message("{kind} from {low:g} to {high:g}", kind=kind, low=self.minimum, high=self.maximum)

    def _entries(self) -> Mapping[str, Any]:
        if not isinstance(self.registry, str):
            return self.registry or {}
        module, _, name = self.registry.partition(":")
        found: Mapping[str, Any] = getattr(importlib.import_module(module), name)
        return found

    def _in_range(self, value: float) -> bool:
        low = float("-inf") if self.minimum is None else self.minimum
        high = float("inf") if self.maximum is None else self.maximum
        return low <= value <= high

    def _has_form(self, text: str) -> bool:
        if self.form == "device":
            return _DEVICE.fullmatch(text) is not None
        if self.form and text:  # of either family: settings travel between machines
            is_whole = PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute()
            return is_whole and "\0" not in text and _can_be_a_name(text)
        return True

    def _refusal(self, value: object) -> UsageError:
        return UsageError(
            Message("The setting {key} cannot be {value}.", key=self.key, value=_shown(value)),
            remedy=Message("It takes {allowed}.", allowed=self.allowed()),
        )


def _can_be_a_name(text: str) -> bool:
    """Whether the system could have such a path: bytes that are no UTF-8 come as the escapes that `os` uses."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def _shown(value: object) -> str:
    """Return a value as a message quotes it, long ones in part; whole numbers of any length."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MOST:
        return "a number of very many digits" if abs(value) > 10**20 else str(value)
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


_KINDS: Final[Mapping[type, Message]] = {
    str: Message("a text"),
    int: Message("a whole number"),
    float: Message("a number"),
    bool: Message("true or false"),
}
_FORMS: Final[Mapping[str, Message]] = {
    "folder": Message("the full path of a folder, or nothing"),
    "path": Message("the full path of a file or folder, or nothing"),
    "device": Message("auto, cpu, cuda or cuda:N"),
}

SECTIONS: Final[Mapping[str, str]] = {
    "paths": Message("Folders"),
    "generation": Message("Generation"),
    "xai": Message("Explanations"),
    "ui": Message("Appearance"),
    "performance": Message("Performance"),
    "cache": Message("Cache"),
}
"""What the sections are called, in the order in which people see them."""

SCHEMA: Final[tuple[Setting, ...]] = (
    Setting(
        "paths.models",
        str,
        "",
        Message("Models folder"),
        Message("Checkpoints or model packs; empty for the starter models."),
        form="folder",
    ),
    Setting(
        "paths.output",
        str,
        "",
        Message("Output folder"),
        Message("Where images go; empty for the output folder in your home."),
        form="folder",
    ),
    Setting(
        "paths.classifier",
        str,
        "",
        Message("Classifier"),
        Message("Classifier file or folder; empty for the starter classifier."),
        form="path",
    ),
    Setting(
        "generation.count",
        int,
        5,
        Message("Images per class"),
        Message("How many images a class starts with in the window."),
        minimum=1,
        maximum=10_000,
    ),
    Setting(
        "generation.sampler",
        str,
        DEFAULT_SAMPLER,
        Message("Sampler"),
        Message("The rule by which noise becomes an image; DDPM is the one of ISICGenerator."),
        registry=SAMPLERS,
    ),
    Setting(
        "generation.steps",
        int,
        usual_steps(),
        Message("Steps"),
        Message("Denoising steps per image."),
        minimum=1,
        maximum=MAX_STEPS,
    ),
    Setting(
        "generation.seed",
        int,
        DEFAULT_BASE_SEED,
        Message("Base seed"),
        Message("The number from which all random numbers of a run are derived."),
        minimum=0,
        maximum=SEED_MASK,
    ),
    Setting(
        "generation.seed_random",
        bool,
        False,
        Message("Random seeds"),
        Message("Draw a fresh seed for each image and record it."),
    ),
    Setting(
        "generation.guidance",
        float,
        0.0,
        Message("Guidance scale"),
        Message(
            "How strongly a class-conditional model is pushed towards its class; 0 for the model's own recommendation."
        ),
        minimum=0.0,
        maximum=50.0,
        zero=Message("the model's own"),
    ),
    Setting(
        "generation.device",
        str,
        "auto",
        Message("Device"),
        Message("What images and explanations are computed on: auto, cpu, cuda or cuda:N."),
        form="device",
    ),
    Setting(
        "generation.precision",
        str,
        "auto",
        Message("Precision"),
        Message("Numeric precision of the network; automatic is bf16 where the hardware supports it."),
        choices=PRECISIONS,
        words={"auto": Message("automatic")},
    ),
    Setting(
        "generation.batch_size",
        int,
        0,
        Message("Batch size"),
        Message("Images denoised together; 0 lets the device decide."),
        minimum=0,
        maximum=4096,
        zero=Message("automatic"),
    ),
    Setting(
        "generation.color",
        bool,
        True,
        Message("Colour correction"),
        Message("Apply the colour statistics next to the models."),
    ),
    Setting(
        "xai.enabled",
        bool,
        False,
        Message("Explanations"),
        Message("Show explanations over the shown image."),
    ),
    Setting(
        "xai.every",
        int,
        10,
        Message("Explain every N-th image"),
        Message(
            "While generating with explanations on, explain every N-th image of each class, "
            "starting with the first; 0 for none."
        ),
        minimum=0,
        maximum=10_000,
        zero=Message("none"),
    ),
    Setting(
        "xai.steps",
        int,
        512,
        Message("Most integration steps"),
        Message(
            "Integrated Gradients adds points on its path until the map sums to the logit "
            "difference, up to this number; more points are slower and more exact."
        ),
        minimum=8,
        maximum=1024,
    ),
    Setting(
        "xai.baseline",
        str,
        "skin",
        Message("Baseline"),
        Message("The reference image against which attributions are computed."),
        registry="xai.baselines:BASELINES",
    ),
    Setting(
        "xai.target",
        str,
        "label",
        Message("Explained class"),
        Message("The class whose logit is explained."),
        choices=("label", "predicted", *CLASS_CODES),
        words={"label": Message("the image's target class"), "predicted": Message("the predicted class")},
    ),
    Setting(
        "xai.style",
        str,
        "signed",
        Message("Colours of maps"),
        Message("Signed colours separate support from opposition; the other colour maps match older figures."),
        choices=("signed", "positive", "jet"),
        words={
            "signed": Message("positive and negative"),
            "positive": Message("positive only"),
            "jet": Message("classic jet"),
        },
    ),
    Setting(
        "xai.save_steps",
        int,
        5,
        Message("XAI steps"),
        Message("The trajectory analysis covers every N-th denoising step."),
        minimum=1,
        maximum=MAX_STEPS,
    ),
    Setting(
        "xai.opacity",
        float,
        0.6,
        Message("Overlay opacity"),
        Message("0 shows the image alone, 1 the map."),
        minimum=0.0,
        maximum=1.0,
    ),
    Setting(
        "ui.theme",
        str,
        "system",
        Message("Theme"),
        Message("Colours of the window."),
        choices=("system", "light", "dark"),
        words={"system": Message("as the system"), "light": Message("light"), "dark": Message("dark")},
    ),
    Setting(
        "ui.language",
        str,
        "system",
        Message("Language"),
        Message("Language of the window."),
        choices=("system", "en", "ru", "zh"),
        words={"system": Message("as the system"), "en": "English", "ru": "Русский", "zh": "中文"},
    ),
    Setting(
        "performance.threads",
        int,
        0,
        Message("CPU threads"),
        Message("Threads that computing on the CPU may take, from the next run on; 0 for all."),
        minimum=0,
        maximum=1024,
        zero=Message("automatic"),
    ),
    Setting(
        "cache.size_mb",
        int,
        1024,
        Message("Cache size"),
        Message("Megabytes that thumbnails may take on disk."),
        minimum=16,
        maximum=1_000_000,
    ),
)

BY_KEY: Final[Mapping[str, Setting]] = MappingProxyType({setting.key: setting for setting in SCHEMA})
