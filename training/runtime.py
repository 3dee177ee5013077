"""What every training loop needs besides a model: precision, schedule, budget and atomic checkpoints.

Taking a training up again from a checkpoint of unknown origin: all of it fits, or it is refused.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from core.errors import ModelMissingError, ModelNotFiniteError, ModelTruncatedError, UsageError
from core.files.atomic import output_errors
from core.files.opening import open_regular
from core.generator.sampler import is_out_of_memory
from core.message import Message
from core.models.safe_weights import is_dense, read_pickled
from core.precision import has_bf16

_MISFIT: Final = (RuntimeError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What torch raises for a state that does not fit, depending on where it does not."""

_SCHEDULED: Final = frozenset({"lr", "initial_lr", "params"})
"""What an optimiser's saved group may have otherwise than the new one."""


@contextmanager
def restoring(path: Path) -> Iterator[None]:
    """Say that a checkpoint is damaged if something in it does not fit while it is put into networks and counters.

    Raises
    ------
    ModelTruncatedError
        If something fails inside for that reason.
    """
    try:
        yield
    except _MISFIT as error:
        if isinstance(error, RuntimeError) and is_out_of_memory(error):
            raise
        raise damaged_checkpoint(path, next(iter(str(error).splitlines()), type(error).__name__)) from error


def damaged_checkpoint(path: Path, why: str = "") -> ModelTruncatedError:
    """Return the error that says so."""
    return ModelTruncatedError(
        Message(
            "The checkpoint {path} is damaged, or no checkpoint of such a training{detail}.",
            path=path,
            detail=f": {why[:300]}" if why else "",
        ),
        remedy=Message("Copy it again, or start a new run in another folder."),
        path=path,
    )


def restore_optimizer(optimizer: torch.optim.Optimizer, saved: Mapping[str, Any]) -> None:
    """Give an optimiser its saved state.

    Raises
    ------
    ValueError
        If its settings are others, a learning rate is no number, or a tensor does not fit its parameter.
    """
    for own, group in zip(optimizer.param_groups, saved["param_groups"], strict=True):
        other = [key for key in own if key in group.keys() - _SCHEDULED and group[key] != own[key]]
        if other or not all(is_count(group[key]) for key in _SCHEDULED - {"params"} if key in own):
            raise ValueError(f"the optimiser had other settings: {', '.join(map(str, other)) or 'learning rate'}")
    optimizer.load_state_dict(dict(saved))
    for parameter, values in optimizer.state.items():
        for name, value in values.items():
            if isinstance(value, Tensor) and value.dim() and value.shape != parameter.shape:
                raise ValueError(f"{name} of the optimiser has the shape {tuple(value.shape)}")


def is_count(value: object) -> bool:
    """Whether a plain value is a number from 0 up, and finite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


def counted(state: Mapping[str, Any], *names: str) -> list[Any]:
    """Return the numbers from 0 up that a state has under these names.

    Raises
    ------
    KeyError, ValueError
        If one is missing, or is another value.
    """
    odd = [name for name in names if not is_count(state[name])]
    if odd:
        raise ValueError(f"its {odd[0]} is {str(state[odd[0]])[:40]}")
    return [state[name] for name in names]


Checkpoint = dict[str, Any]
CHECKPOINT: Final = "last.pt"
"""File in a run's folder from which the run can be continued."""

MAX_CHECKPOINT_BYTES: Final = 16 * 1024**3
"""Of a network, its moving average and the two averages of its optimiser."""


class Budget:
    """How far a run is, in images and, if it has a deadline, in minutes.

    Parameters
    ----------
    images
        Number of training images to process.
    minutes
        Wall-clock limit over all sittings of the run, or None.
    spent
        Seconds already used by earlier sittings.
    """

    def __init__(self, images: int, minutes: float | None = None, spent: float = 0.0) -> None:
        self.images = images
        self.minutes = minutes
        self._start = time.monotonic() - spent

    @property
    def seconds(self) -> float:
        """Wall-clock seconds spent so far."""
        return time.monotonic() - self._start

    def progress(self, images_seen: int) -> float:
        """Return the larger of the two used fractions, 0..1."""
        by_time = self.seconds / (60 * self.minutes) if self.minutes else 0.0
        return min(1.0, max(images_seen / self.images, by_time))

    def remaining(self, images_seen: int, images_per_second: float) -> float:
        """Return the seconds that are left at this pace; those before the deadline, if that comes first."""
        by_images = max(0, self.images - images_seen) / images_per_second
        return min(by_images, max(0.0, 60 * self.minutes - self.seconds)) if self.minutes else by_images


class Pace:
    """Images per second of a training, a moving average over its steps.

    Parameters
    ----------
    batch_size
        Images of one step.
    """

    _UNTOLD: Final = 3
    """Steps before the pace is told; the first ones are slower."""

    def __init__(self, batch_size: int) -> None:
        self._batch_size, self._steps = batch_size, 0
        self._seconds: float | None = None

    @contextmanager
    def step(self) -> Iterator[None]:
        """Measure the step that is made inside."""
        start = time.monotonic()
        yield
        seconds = time.monotonic() - start
        self._steps += 1
        if self._steps > self._UNTOLD:
            self._seconds = seconds if self._seconds is None else 0.9 * self._seconds + 0.1 * seconds

    @property
    def images_per_second(self) -> float | None:
        """The pace, or None until it is known."""
        return None if self._seconds is None else self._batch_size / self._seconds


def cosine_rate(progress: float, peak: float, warm_up: float = 0.02, floor: float = 0.02) -> float:
    """Return the learning rate: linear warm-up, then half a cosine down to `floor * peak`.

    Parameters
    ----------
    progress
        Used fraction of the budget, 0..1.
    peak
        Highest learning rate.
    warm_up
        Fraction of the budget after which the peak is reached.
    floor
        Last learning rate as a fraction of the peak.
    """
    if progress < warm_up:
        return peak * max(progress / warm_up, 0.01)
    phase = (progress - warm_up) / (1 - warm_up)
    return peak * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * phase)))


def plateau_rate(progress: float, peak: float, warm_up: float, decay_share: float, floor: float = 0.0) -> float:
    """Return the learning rate: linear warm-up, then constant, then a straight line down to `floor * peak`.

    Parameters
    ----------
    progress
        Used fraction of the budget, 0..1.
    decay_share
        Fraction of the budget, at its end, in which the rate falls.
    """
    if progress < warm_up:
        return peak * max(progress / warm_up, 0.01)
    left = min(1.0, (1 - progress) / decay_share)
    return peak * (floor + (1 - floor) * left)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give all parameter groups the same learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def resolve_precision(precision: str, device: torch.device) -> torch.dtype | None:
    """Return the autocast dtype, or None for plain fp32.

    `auto` is bf16 where the hardware multiplies in bf16, fp32 elsewhere; fp16 is not offered, its range needs a scaler.
    """
    if precision == "fp32":
        return None
    return torch.bfloat16 if precision == "bf16" or has_bf16(device) else None


def dihedral(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Apply one of the eight symmetries of the square to every image of an (N, C, H, H) batch."""
    choices = torch.randint(8, (len(pixels),), generator=generator).tolist()
    turned = [torch.rot90(image, choice % 4, (-2, -1)) for image, choice in zip(pixels, choices, strict=True)]
    return torch.stack(
        [image.flip(-1) if choice >= 4 else image for image, choice in zip(turned, choices, strict=True)]
    )


def class_weights(labels: Tensor, classes: int, power: float) -> Tensor:
    """Return per-image sampling weights, float64 (N,), that draw class c in proportion to `count(c) ** power`.

    Power 1 is the natural frequency, 0.5 square-root balancing, 0 equal classes.
    """
    counts = torch.bincount(labels, minlength=classes).double()
    return counts[labels] ** (power - 1)


def refuse_begun(output: Path | None) -> None:
    """Refuse a folder in which a run was begun, for a new one.

    Raises
    ------
    UsageError
        If a checkpoint is there, at any depth.
    """
    if output is not None and next(output.rglob(CHECKPOINT), None):
        raise UsageError(
            Message("{output} holds a run already.", output=output),
            remedy=Message("Continue it with --resume, or name another folder."),
            path=output,
        )


def save_checkpoint(path: Path, state: Checkpoint) -> None:
    """Write a checkpoint completely or not at all.

    Raises
    ------
    DiskFullError, OutputError
        If it cannot be written; a checkpoint that was there before is left as it was.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write_through(temporary, state)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)  # half a checkpoint would keep a full drive full


def _write_through(path: Path, state: Checkpoint) -> None:
    with path.open("wb") as stream:
        torch.save(state, stream)
        stream.flush()
        os.fsync(stream.fileno())


def load_checkpoint(path: Path, device: torch.device) -> Checkpoint:
    """Read a checkpoint of `save_checkpoint`; it holds tensors and plain values, no code.

    Raises
    ------
    ModelMissingError
        If there is none.
    ModelTruncatedError, ModelTooLargeError, ModelUnsafeError
        If it is damaged or none, too large, or asks for code to be run.
    """
    try:
        with open_regular(path):
            pass
        state = read_pickled(path, max_bytes=MAX_CHECKPOINT_BYTES, device=device)
    except FileNotFoundError as error:
        raise ModelMissingError(
            Message("There is no checkpoint {path}.", path=path),
            remedy=Message("Start the run without --resume."),
            path=path,
        ) from error
    except (OSError, ModelTruncatedError) as error:
        raise damaged_checkpoint(path) from error
    if not isinstance(state, dict):
        raise damaged_checkpoint(path, f"it holds a {type(state).__name__}")
    if not all(is_dense(tensor) for tensor in _tensors_in(state)):
        raise damaged_checkpoint(path, "it holds sparse, quantised or absent tensors")
    return state


def _tensors_in(state: object) -> Iterator[Tensor]:
    """Yield every tensor in nested dictionaries and lists."""
    left = [state]
    while left:
        value = left.pop()
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list | tuple):
            left += value


def finite(loss: Tensor, images_seen: int) -> float:
    """Return the loss as a number.

    Raises
    ------
    ModelNotFiniteError
        If it is NaN or infinite: the weights are worth nothing from here on.
    """
    value = float(loss.item())
    if not math.isfinite(value):
        raise ModelNotFiniteError(
            Message("The loss became {value} after {images_seen} images.", value=value, images_seen=images_seen),
            remedy=Message("Start a new run with a lower --learning-rate; a resumed run keeps its own."),
        )
    return value
