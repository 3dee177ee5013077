"""What `image2image`, `inpaint` and `interpolate` are asked for; nothing heavy is imported."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

from core.beginning import Beginning
from core.errors import UsageError
from core.generation import DEFAULT_BASE_SEED, GenerationRequest, check_range
from core.jobs.options import option
from core.jobs.registry import Request, job
from core.message import Message
from core.samplers import DEFAULT_SAMPLER
from core.taxonomy import CLASS_CODES, parse_class

MAX_BEGINNINGS: Final = 10_000
"""Pictures that one run begins from, and images between two."""

_SHARED: Final = (
    "output", "steps", "guidance", "device", "precision", "batch_size", "color", "trajectory", "threads",
)  # fmt: skip
"""Fields that mean the same in the run that makes the images."""


def _as_in_generate(name: str, default: Any = MISSING) -> Any:
    """Return a field that is asked for as `generate` asks for it, with another default if one is given."""
    known = GenerationRequest.__dataclass_fields__[name]
    return field(default=known.default if default is MISSING else default, metadata=known.metadata)


@dataclass(frozen=True, slots=True)
class GuidedRequest(Request):
    """Base of the requests for images that begin from others.

    Attributes
    ----------
    sampler, steps, guidance, device, precision, batch_size, color, trajectory, threads
        As of `GenerationRequest`; None leaves the choice to the command.
    """

    output: Path = _as_in_generate("output")
    models: Path | None = option(
        "--models", "Folder of models: checkpoints or diffusers folders.", kind="folder", default=None,
        default_words="the starter models",
    )  # fmt: skip
    sampler: str | None = _as_in_generate("sampler", default=None)
    steps: int | None = _as_in_generate("steps")
    guidance: float | None = _as_in_generate("guidance")
    device: str = _as_in_generate("device")
    precision: str = _as_in_generate("precision")
    batch_size: int | None = _as_in_generate("batch_size")
    color: bool = _as_in_generate("color")
    trajectory: bool = _as_in_generate("trajectory")
    threads: int = _as_in_generate("threads")

    def generation(self, counts: dict[str, int], start: tuple[Beginning, ...], **values: Any) -> GenerationRequest:
        """Return the run that makes the images; `values` are further fields of it, which win.

        Raises
        ------
        UsageError
            If a value is impossible.
        """
        from core.utils.path_manager import PathManager

        given: dict[str, Any] = {name: getattr(self, name) for name in _SHARED}
        given["models"] = self.models or PathManager().default_models_dir
        given["sampler"] = self.sampler or DEFAULT_SAMPLER
        ordered = tuple((code, counts[code]) for code in CLASS_CODES if counts.get(code))
        return GenerationRequest(ordered, start=start, **{**given, **values})


def _class_option() -> Any:
    return option("--class", "Class of the images.", metavar="NAME", read=parse_class, always=True)


@job("core.generator.guided:image2image", pauses=True)
@dataclass(frozen=True, slots=True, kw_only=True)
class Image2ImageRequest(GuidedRequest):
    """New images that begin from given ones.

    Attributes
    ----------
    images
        Pictures, or folders of them.
    count
        Images for each picture.
    strength
        Share of the denoising steps that are made: near 0 little changes, at 1 nothing of the picture is left.
    """

    command: ClassVar[tuple[str, ...]] = ("image2image",)

    images: tuple[Path, ...] = option("", "Images or folders of them.", kind="path", many=True)
    class_code: str = _class_option()
    strength: float = option(
        "--strength", "Share of the denoising steps to carry out, above 0 up to 1.", kind="number", default=0.75,
        low=0, high=1,
    )  # fmt: skip
    count: int = option("--count", "Images per given image.", kind="whole", default=1, low=1, high=MAX_BEGINNINGS)
    seed: int | None = _as_in_generate("seed")

    def __post_init__(self) -> None:
        check_strength(self.strength)


@job("core.generator.guided:inpaint", pauses=True)
@dataclass(frozen=True, slots=True, kw_only=True)
class InpaintRequest(GuidedRequest):
    """New images that are the given one outside of a mask.

    Attributes
    ----------
    grow
        Pixels by which the mask grows; shrinks if negative. In pixels of the mask.
    """

    command: ClassVar[tuple[str, ...]] = ("inpaint",)

    image: Path = option("", "The image.", kind="path")
    mask: Path = option("--mask", "Mask of the region that is generated again.", kind="path", always=True)
    class_code: str = _class_option()
    grow: int = option(
        "--grow", "Pixels by which the mask grows; negative shrinks it.", kind="whole", default=0, low=-1000, high=1000
    )
    strength: float = option(
        "--strength", "Share of the denoising steps to carry out, above 0 up to 1.", kind="number", default=1.0,
        low=0, high=1,
    )  # fmt: skip
    count: int = option("--count", "Number of images.", kind="whole", default=1, low=1, high=MAX_BEGINNINGS)
    seed: int | None = _as_in_generate("seed")

    def __post_init__(self) -> None:
        check_strength(self.strength)


@job("core.generator.guided:interpolate", pauses=True)
@dataclass(frozen=True, slots=True, kw_only=True)
class InterpolateRequest(GuidedRequest):
    """Images on the way from one to another, both ends included.

    Attributes
    ----------
    first, second
        The ends: images of this program, or any pictures of lesions.
    class_code
        Class of an end that does not say its own.
    """

    command: ClassVar[tuple[str, ...]] = ("interpolate",)

    first: Path = option("", "The first end.", kind="path")
    second: Path = option("", "The second end.", kind="path")
    count: int = option("--count", "Number of images, both ends included.", kind="whole", default=8, low=2,
                        high=MAX_BEGINNINGS)  # fmt: skip
    class_code: str | None = option(
        "--class", "Class of an end image that has no recipe.", metavar="NAME", read=parse_class, default=None
    )
    seed: int = option("--seed", "Base seed of the noise of single steps.", kind="whole", default=DEFAULT_BASE_SEED)


def check_strength(strength: float) -> None:
    """Raise a UsageError unless it is above 0 and at most 1."""
    check_range(Message("strength"), strength, 0.0, 1.0)
    if strength == 0:
        raise UsageError(
            Message("At a strength of 0 nothing would be generated."),
            remedy=Message("Choose a value above 0, such as 0.3 for small changes."),
        )
