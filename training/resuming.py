"""Taking a training up again from a checkpoint of unknown origin: all of it fits, or it is refused."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from core.errors import ModelTruncatedError
from core.generator.sampler import is_out_of_memory
from core.message import Message

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
