"""What is asked for: a frozen, complete `GenerationRequest`, and the plan of images that follows from it."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from core.beginning import Beginning
from core.conditioning import NOTHING, Conditioning
from core.errors import UsageError
from core.jobs.options import option
from core.jobs.registry import Request, job
from core.message import Message
from core.samplers import DEFAULT_SAMPLER, SAMPLERS, usual_steps
from core.taxonomy import CLASS_CODES, SEED_MASK, image_seed, parse_class
from core.utils.field_types import misfit, read_whole_number
from core.utils.path_manager import PathManager

DEFAULT_BASE_SEED: Final = 42
MAX_STEPS: Final = 1000
MAX_COUNT: Final = 1_000_000

MAX_THREADS: Final = 1024
FAST_STEPS: Final = 6
"""Of the preset `fast`: a preview."""

_LATER: Final = frozenset({"threads", "conditioning", "start", "preset"})
"""Fields that version 0.1 did not have: written only where they say something."""

PRECISIONS: Final = ("auto", "fp32", "bf16", "fp16")


def read_seed(text: str) -> int | None:
    """Return the base seed that a text names; None for the word `random`.

    Raises
    ------
    UsageError
        If it is neither.
    """
    remedy = Message("Give a whole number from 0 to {most}, or the word random.", most=SEED_MASK)
    return None if text == "random" else _whole_number(Message("seed"), text, remedy)


def read_batch_size(text: str) -> int | None:
    """Return the batch size that a text names; None for the word `auto`."""
    remedy = Message("Give a whole number or auto.")
    return None if text == "auto" else _whole_number(Message("batch size"), text, remedy)


def read_shard(text: str) -> tuple[int, int]:
    """Return (i, n) of a text such as ``2/4``."""
    part, _, parts = text.partition("/")
    remedy = Message("Write --shard I/N, for example --shard 2/4.")
    return _whole_number(Message("shard"), part, remedy), _whole_number(Message("number of shards"), parts, remedy)


def _whole_number(what: str, text: str, remedy: str) -> int:
    number = read_whole_number(text)
    if number is None:
        raise UsageError(Message("The {what} '{text}' is not a whole number.", what=what, text=text), remedy=remedy)
    return number


@job("core.generator.image_generator:generate", pauses=True)
@dataclass(frozen=True, slots=True)
class GenerationRequest(Request):
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
        Denoising steps, 1..1000; the sampler's usual number if not given.
    preset
        Name of a choice of settings; it is None again once they are filled in.
    guidance
        Classifier-free guidance scale (1 = none), or None for the model's own recommendation.
    batch_size
        Images denoised together, or None to let the device decide.
    color
        Apply the colour statistics next to the models, if any.
    xai_every
        Explain one image in every N of a class, 0 for none: the first, then every N-th after it, so that a class with
        fewer images than N has one explanation, too. The engine says of each image whether it is one of them; whoever
        runs the engine acts on it.
    trajectory
        Keep every step's x_t and predicted x0 of every image.
    shard
        (i, n), 1-based: make only the images whose index is i-1 modulo n.
    threads
        CPU threads to compute with, which the last bits of the images depend on; 0 for the usual number.
    conditioning
        What the images are conditioned on beside their class.
    start
        What the images begin from, in turn; empty for noise alone.
    """

    command: ClassVar[tuple[str, ...]] = ("generate",)

    counts: tuple[tuple[str, int], ...] = option(
        "--classes", "Images per class: MEL=4,NV=2 or all=3.", read=lambda text: parse_counts(text),
        write=lambda counts: ",".join(f"{code}={count}" for code, count in counts), metavar="NAME=N,...", always=True,
    )  # fmt: skip
    models: Path = option(
        "--models", "Folder of models: checkpoints or diffusers folders.", kind="folder", always=True,
        fallback=lambda: PathManager().default_models_dir, default_words="the starter models",
    )  # fmt: skip
    output: Path = option("--output", "Folder for the images; numbering continues in it.", kind="folder", always=True)
    seed: int | None = option(
        "--seed", "Base seed, or random.", read=read_seed, none="random",
        metavar="N|random", default=DEFAULT_BASE_SEED, always=True,
    )  # fmt: skip
    sampler: str = option(
        "--sampler", "Denoising method.", kind="choice", choices=SAMPLERS, default=DEFAULT_SAMPLER, always=True
    )
    steps: int = option(
        "--steps", "Denoising steps, 1 to 1000.", kind="whole", default=None, low=1, high=MAX_STEPS, always=True,
        default_words="20; ddim and ddpm 50; heun 10",
    )  # fmt: skip
    preset: str | None = option(
        "--preset", f"fast: {FAST_STEPS} steps unless --steps says otherwise, for a preview.", kind="choice",
        choices=("default", "fast"), default=None,
    )  # fmt: skip
    guidance: float | None = option(
        "--guidance", "Classifier-free guidance: 1 = none, 0 = without the class.", kind="number", default=None,
        low=0, high=50,
        default_words="the model's own",
    )  # fmt: skip
    device: str = option("--device", "auto, cpu, cuda or cuda:N.", default="auto")
    precision: str = option("--precision", "Numeric precision.", kind="choice", choices=PRECISIONS, default="auto")
    batch_size: int | None = option(
        "--batch-size", "Images per batch.", read=read_batch_size, metavar="N|auto", default=None, default_words="auto",
    )  # fmt: skip
    color: bool = option(
        "--no-color", "Disable colour correction.", kind="switch", opposite=True,
        default=True,
    )  # fmt: skip
    xai_every: int = option(
        "--xai-every", "Explain every N-th image of each class, starting with the first; 0 disables.", kind="whole",
        metavar="N", default=0, low=0, high=MAX_COUNT,
    )  # fmt: skip
    trajectory: bool = option("--trajectory", "Keep every denoising step of every image.", kind="switch", default=False)
    shard: tuple[int, int] = option(
        "--shard", "Generate only the I-th of N parts of the run.", read=read_shard, metavar="I/N",
        write=lambda shard: "{}/{}".format(*shard), default=(1, 1),
    )  # fmt: skip
    threads: int = option(
        "--threads", "CPU threads.", kind="whole", metavar="N", default=0, low=0, high=MAX_THREADS,
        default_words="as many as there are",
    )  # fmt: skip
    conditioning: Conditioning = NOTHING
    start: tuple[Beginning, ...] = ()

    def __post_init__(self) -> None:
        if self.steps is None and isinstance(self.sampler, str):
            usual = usual_steps(SAMPLERS.check(self.sampler))
            object.__setattr__(self, "steps", min(FAST_STEPS, usual) if self.preset == "fast" else usual)
        _check_choice(Message("preset"), self.preset or "default", ("default", "fast"))
        object.__setattr__(self, "preset", None)  # what it stands for is in the other fields
        name = misfit(self) or ("" if _begin_alike(self.start) else "start")
        if name:
            raise UsageError(
                Message("The request has no usable '{name}'.", name=name),
                remedy=Message("Request the images again."),
            )
        _check_counts(self.counts)
        SAMPLERS.check(self.sampler)
        _check_choice(Message("precision"), self.precision, PRECISIONS)
        check_range(Message("number of steps"), self.steps, 1, MAX_STEPS)
        if self.seed is not None:
            check_range(Message("seed"), self.seed, 0, SEED_MASK)
        if self.guidance is not None:
            check_range(Message("guidance"), self.guidance, 0.0, 50.0)
        if self.batch_size is not None:
            check_range(Message("batch size"), self.batch_size, 1, 4096)
        check_range(Message("xai-every"), self.xai_every, 0, MAX_COUNT)
        check_range(Message("number of threads"), self.threads, 0, MAX_THREADS)
        if not 1 <= self.shard[0] <= self.shard[1]:
            raise UsageError(
                Message("Shard {index}/{count} does not exist.", index=self.shard[0], count=self.shard[1]),
                remedy=Message("Write --shard I/N with I from 1 to N, for example --shard 2/4."),
            )

    def arguments(self) -> list[str]:
        """Return the words behind `python main.py` that ask for exactly this, conditions included."""
        return [*Request.arguments(self), *self.conditioning.arguments()]

    def beginning(self, planned: PlannedImage) -> Beginning | None:
        """Return what an image of this run begins from; None for noise alone."""
        own = [one for one in self.start if one.target in ("", planned.class_code)]
        return own[planned.index % len(own)] if own else None

    def to_json(self) -> dict[str, Any]:
        """Return the request as plain JSON types (paths as absolute strings)."""
        data = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        data["counts"] = dict(self.counts)
        data["models"], data["output"] = str(self.models.absolute()), str(self.output.absolute())
        data["shard"] = list(self.shard)
        data["conditioning"] = self.conditioning.to_json()
        data["start"] = [one.to_json() for one in self.start]
        return {key: value for key, value in data.items() if value or key not in _LATER}

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
            values["conditioning"] = Conditioning.of(values.get("conditioning", {}))
            values["start"] = tuple(Beginning.from_json(one) for one in values.get("start", ()))
            if values.get("steps", 0) is None:
                raise TypeError("a number of steps is missing")
            return cls(**values)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(
                Message("This is no request for images ({why}).", why=f"{type(error).__name__}: {error}"),
                remedy=Message("Request the images again."),
            ) from error


def _begin_alike(start: tuple[Beginning, ...]) -> bool:
    """Whether the images of a run begin in one way, as those of a batch have to."""
    return len({(one.kind, one.strength) for one in start}) <= 1


def is_explained(position: int, every: int) -> bool:
    """Whether the image at a 0-based position among those of its class in a run is one that is explained."""
    return every > 0 and position % every == 0


@dataclass(frozen=True, slots=True)
class RunChanges:
    """What to do otherwise when an interrupted run is finished.

    Attributes
    ----------
    run_ids
        Finish these runs alone; empty for every run of the folder that is not finished.
    models, device, batch_size
        In place of those that the run was asked for with; None to leave them.
    """

    run_ids: tuple[str, ...] = ()
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


@job("core.generator.image_generator:resume", pauses=True)
@dataclass(frozen=True, slots=True)
class ResumeRequest(Request):
    """Finish the interrupted runs of an output folder.

    Attributes
    ----------
    run_id
        Finish this run alone; empty for every interrupted run.
    models, device, batch_size
        In place of those that the run was asked for with; None to leave them.
    """

    command: ClassVar[tuple[str, ...]] = ("resume",)

    output: Path = option("", "The output folder.", kind="folder", writes=True)
    models: Path | None = option(
        "--models", "Where the models are now, if they have moved.", kind="folder", default=None
    )
    device: str | None = option(
        "--device", "auto, cpu, cuda or cuda:N.", default=None, default_words="as the run was begun"
    )
    batch_size: int | None = option(
        "--batch-size", "Images per batch.", kind="whole", metavar="N", default=None, low=1,
        default_words="as the run was begun",
    )  # fmt: skip
    run_id: str = ""

    @property
    def changes(self) -> RunChanges:
        """What to do otherwise."""
        return RunChanges((self.run_id,) if self.run_id else (), self.models, self.device, self.batch_size)


@job("core.generator.image_generator:reproduce")
@dataclass(frozen=True, slots=True)
class ReproduceRequest(Request):
    """Make an image again from its own recipe.

    Attributes
    ----------
    models
        Where the weights are now, if they have moved.
    save
        New file for the image made again.
    """

    command: ClassVar[tuple[str, ...]] = ("reproduce",)

    image: Path = option("", "The image.", kind="path")
    models: Path | None = option(
        "--models", "Where the weights are.", kind="folder", default=None,
        default_words="as recorded, then the starter models",
    )  # fmt: skip
    save: Path | None = option("--save", "Write the reproduced image to this new file.", kind="file", default=None)
    device: str = option("--device", "auto, cpu, cuda or cuda:N.", default="auto")
    inputs: Path | None = option(
        "--inputs", "Folder of the images that this one began from.", kind="folder", default=None,
        default_words="the output folder's .isicgui/inputs",
    )  # fmt: skip


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
    is in the output folder) is not made again: the next index of the same shard takes its place. So a second run
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
            Message("No images were requested."), remedy=Message("Name at least one class, as in --classes MEL=4.")
        )
    for code, count in counts:
        parse_class(code)
        check_range(Message("number of {code} images", code=code), count, 1, MAX_COUNT)


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
