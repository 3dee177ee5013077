"""Checkpoints of trainings with one odd value in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import torch

HUGE: Final = 10**30
COUNTS: Final = ("x", None, -1, float("nan"), float("inf"), [], torch.ones(3))
"""What no number of images or seconds is."""

TENSORS: Final[dict[str, Callable[[torch.Tensor], Any]]] = {
    "no tensor": lambda _: 3,
    "None": lambda _: None,
    "another shape": lambda _: torch.ones(7, 7, 7),
    "no dimension more": lambda _: torch.ones(()),
    "sparse": lambda tensor: torch.ones_like(tensor).to_sparse(),
    "meta": lambda tensor: torch.empty_like(tensor, device="meta"),
}


def set_at(state: Any, path: tuple[Any, ...], change: Callable[[Any], Any]) -> None:
    """Change the value at a path of keys and positions."""
    *before, last = path
    for key in before:
        state = state[key]
    state[last] = change(state[last])


def without_each(state: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the state again and again, each time without another of its entries."""
    for key in state:
        yield {name: value for name, value in state.items() if name != key}


def rewrite(path: Path, state: Any) -> None:
    """Write a state in place of the one in a file."""
    torch.save(state, path)
