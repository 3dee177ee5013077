"""What is asked for: a frozen, complete `GenerationRequest`, and the plan of images that follows from it."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import UsageError
from core.generator.samplers import DEFAULT_SAMPLER, SAMPLERS, usual_steps
from core.message import Message
from core.taxonomy import CLASS_CODES, SEED_MASK, image_seed, parse_class
from core.utils.field_types import misfit
from core.utils.whole_number import read_whole_number

DEFAULT_BASE_SEED: Final = 42
MAX_STEPS: Final = 1000
MAX_COUNT: Final = 1_000_000

PRECISIONS: Final = ("auto", "fp32", "bf16", "fp16")


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """Everything that decides a run; nothing further down reads settings, environment or widgets.

    Attributes
    ----------
    counts
        Images per class code, in canonical order, each at least 1.
    models
        Folder of checkpoints or model packs, or one pack.
    output
        Folder the images go to.
    seed
        Base seed 0..2**31-1, or None for a fresh random seed per image (recorded with it).
    steps
        Denoising steps, 1..1000.
    guidance
        Classifier-free guidance scale (1 = none), or None for the model's own recommendation.
    batch_size
        Images denoised together, or None to let the device decide.
    color
        Apply the colour statistics that lie next to the models, if any.
    xai_every
        Explain one image in every N of a class, 0 for none: the first, then every N-th after it, so that a class with
        fewer images than N has one explanation, too. The engine says of each image whether it is one of them; whoever
        runs the engine acts on it.
    trajectory
        Keep every step's x_t and predicted x0 of every image.
    shard
        (i, n), 1-based: make only the images whose index is i-1 modulo n.
    """

    counts: tuple[tuple[str, int], ...]
    models: Path
    output: Path
    seed: int | None = DEFAULT_BASE_SEED
    sampler: str = DEFAULT_SAMPLER
    steps: int = usual_steps()
    guidance: float | None = None
    device: str = "auto"
    precision: str = "auto"
    batch_size: int | None = None
    color: bool = True
    xai_every: int = 0
    trajectory: bool = False
    shard: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        if name := misfit(self):
            raise UsageError(
                Message("The request has no usable '{name}'.", name=name),
                remedy=Message("Ask for the images anew."),
            )
        _check_counts(self.counts)
        SAMPLERS.check(self.sampler)
        _check_choice("precision", self.precision, PRECISIONS)
        check_range("number of steps", self.steps, 1, MAX_STEPS)
        if self.seed is not None:
            check_range("seed", self.seed, 0, SEED_MASK)
        if self.guidance is not None:
            check_range("guidance", self.guidance, 0.0, 50.0)
        if self.batch_size is not None:
            check_range("batch size", self.batch_size, 1, 4096)
        check_range("xai-every", self.xai_every, 0, MAX_COUNT)
        if not 1 <= self.shard[0] <= self.shard[1]:
            raise UsageError(
                Message("Shard {index}/{count} does not exist.", index=self.shard[0], count=self.shard[1]),
                remedy=Message("Write --shard I/N with I from 1 to N, for example --shard 2/4."),
            )

    def to_json(self) -> dict[str, Any]:
        """Return the request as plain JSON types (paths as absolute strings)."""
        data = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        data["counts"] = dict(self.counts)
        data["models"], data["output"] = str(self.models.absolute()), str(self.output.absolute())
        data["shard"] = list(self.shard)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> GenerationRequest:
        """Rebuild a request from `to_json`; unknown keys (of a newer version) are ignored.

        Raises
        ------
        UsageError
            If it is no request, or asks for what this version does not know.
        """
        known = {f.name for f in dataclasses.fields(cls)}
        try:
            values = {key: value for key, value in data.items() if key in known}
            values["counts"] = order_counts(values["counts"])
            values["models"], values["output"] = Path(values["models"]), Path(values["output"])
            values["shard"] = tuple(values.get("shard", (1, 1)))
            return cls(**values)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(
                Message("This is no request for images ({why}).", why=f"{type(error).__name__}: {error}"),
                remedy=Message("Ask for the images anew."),
            ) from error


def is_explained(position: int, every: int) -> bool:
    """Whether the image at a 0-based position among those of its class in a run is one that is explained."""
    return every > 0 and position % every == 0


@dataclass(frozen=True, slots=True)
class RunChanges:
    """What to do otherwise when an interrupted run is finished.

    Attributes
    ----------
    run_id
        Finish this run alone; empty for every interrupted run of the folder.
    models, device, batch_size
        In place of those that the run was asked for with; None to leave them.
    """

    run_id: str = ""
    models: Path | None = None
    device: str | None = None
    batch_size: int | None = None

    def apply(self, request: GenerationRequest) -> GenerationRequest:
        """Return a request with these changes; another device chooses the precision that suits it."""
        values: dict[str, Any] = {
            name: value for name in ("models", "device", "batch_size") if (value := getattr(self, name)) is not None
        }
        if self.device not in (None, request.device):
            values["precision"] = "auto"
        return dataclasses.replace(request, **values)


UNCHANGED: Final = RunChanges()


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """One image of a run: which class, which index within its class, which seed."""

    class_code: str
    index: int
    seed: int


def order_counts(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Return counts by class code in canonical order; names are checked, zero counts dropped."""
    by_code: dict[str, int] = {}
    for text, count in counts.items():
        code = parse_class(text)
        if code in by_code:
            raise UsageError(
                Message("Class {code} is named twice.", code=code),
                remedy=Message("Name each class once, as in MEL=4,NV=2."),
            )
        by_code[code] = count
    return tuple((code, by_code[code]) for code in CLASS_CODES if by_code.get(code))


def parse_counts(text: str) -> tuple[tuple[str, int], ...]:
    """Read `MEL=4,NV=2` or `all=3`.

    Raises
    ------
    UsageError
        If a part is no NAME=COUNT, a name unknown or repeated, or a count not a whole number of at least 1.
    """
    counts: dict[str, int] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, _, number = part.partition("=")
        count = read_whole_number(number)
        if not count:
            raise UsageError(
                Message("'{part}' is not NAME=COUNT.", part=part),
                remedy=Message("Write for example --classes MEL=4,NV=2 or all=3."),
            )
        names = CLASS_CODES if name.strip().lower() == "all" else (parse_class(name),)
        for code in names:
            if code in counts:
                raise UsageError(
                    Message("Class {code} is named twice.", code=code),
                    remedy=Message("Name each class once, as in MEL=4,NV=2."),
                )
            counts[code] = count
    return order_counts(counts)


def plan_class(
    request: GenerationRequest, class_code: str, count: int, taken: frozenset[int]
) -> Iterator[PlannedImage]:
    """Yield the images of one class that this run (this shard of it) makes.

    Indices count from 0; with `n` shards, shard `i` takes every n-th. An image whose seed is in `taken` (it already
    lies in the output folder) is not made again: the next index of the same shard takes its place. So a second run
    into the same folder adds new images, and shards stay disjoint whatever ran before.
    """
    shard, shards = request.shard
    wanted = len(range(shard - 1, count, shards))
    used = set(taken)
    index = shard - 1
    while len(used) < len(taken) + wanted:
        seed = secrets.randbelow(SEED_MASK) if request.seed is None else image_seed(class_code, index, request.seed)
        if seed not in used:
            used.add(seed)
            yield PlannedImage(class_code, index, seed)
        index += shards


def _check_counts(counts: tuple[tuple[str, int], ...]) -> None:
    if not counts:
        raise UsageError(
            Message("No images were asked for."), remedy=Message("Name at least one class, as in --classes MEL=4.")
        )
    for code, count in counts:
        parse_class(code)
        check_range(f"number of {code} images", count, 1, MAX_COUNT)


def check_range(what: str, value: float, low: float, high: float) -> None:
    """Raise a UsageError that names `what` if its value is outside low..high, or NaN."""
    if not low <= value <= high:
        raise UsageError(
            Message("The {what} is {value}.", what=what, value=value),
            remedy=Message("Choose a value from {low} to {high}.", low=low, high=high),
        )


def _check_choice(what: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(
            Message("There is no {what} '{value}'.", what=what, value=value),
            remedy=Message("Choose one of {names}.", names=", ".join(choices)),
        )
