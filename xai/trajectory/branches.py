"""Denoising that can be split at any step: several branches in one batch, each with its noise and memory."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from core.generator.sampler import ImageStreams, initial_scale
from core.schedulers import Scheduler

_REMEMBERED = ("model_outputs", "last_sample")
"""What diffusers' multistep solvers keep of the images of earlier steps: tensors, lists of tensors, or None."""


@dataclass(frozen=True, slots=True, eq=False)
class Branches:
    """Images of the same initial noise that have taken the same number of steps, each by its own coalition of them.

    Attributes
    ----------
    coalitions
        Of each branch: bit g is set if group g of the steps acted.
    sample
        x_t, shape (n, 3, H, W).
    held
        The image that the last acting step predicted, shape (n, 3, H, W); 0 (mid-grey) before any has acted.
    scheduler
        At this step, with its memory of all branches.
    generators
        One for each branch, at the same place of the same random stream.
    """

    coalitions: tuple[int, ...]
    sample: Tensor
    held: Tensor
    scheduler: Scheduler
    generators: list[torch.Generator]

    def take(self, positions: Sequence[int]) -> Branches:
        """Return a copy with some of the branches, which can be denoised without touching these."""
        scheduler = copy.deepcopy(self.scheduler)
        for name in _REMEMBERED:
            if hasattr(scheduler, name):
                setattr(scheduler, name, _rows(getattr(scheduler, name), positions))
        return Branches(
            tuple(self.coalitions[i] for i in positions),
            self.sample[list(positions)],
            self.held[list(positions)],
            scheduler,
            [_copy_generator(self.generators[i]) for i in positions],
        )

    def renamed(self, bit: int) -> Branches:
        """Return the same branches with a bit set in every coalition."""
        return replace(self, coalitions=tuple(coalition | bit for coalition in self.coalitions))


def root(streams: ImageStreams, scheduler: Scheduler, device: torch.device) -> Branches:
    """Return the one branch that everything begins with: the noise of the first image of a batch.

    Parameters
    ----------
    scheduler
        Fresh from `build_scheduler`.
    """
    sample = streams.initial[:1].to(device) * initial_scale(scheduler)
    return Branches((0,), sample, torch.zeros_like(sample), scheduler, streams.generators[:1])


def join(parts: Sequence[Branches]) -> Branches:
    """Return all branches of several parts, which are at the same step, in one batch."""
    if len(parts) == 1:
        return parts[0]
    scheduler = copy.deepcopy(parts[0].scheduler)
    for name in _REMEMBERED:
        if hasattr(scheduler, name):
            setattr(scheduler, name, _stacked([getattr(part.scheduler, name) for part in parts]))
    return Branches(
        tuple(coalition for part in parts for coalition in part.coalitions),
        torch.cat([part.sample for part in parts]),
        torch.cat([part.held for part in parts]),
        scheduler,
        [generator for part in parts for generator in part.generators],
    )


def _rows(value: Tensor | list[Tensor | None] | None, positions: Sequence[int]) -> Tensor | list[Tensor | None] | None:
    if isinstance(value, list):
        return [None if item is None else item[list(positions)] for item in value]
    return None if value is None else value[list(positions)]


def _stacked(values: Sequence[Tensor | list[Tensor | None] | None]) -> Tensor | list[Tensor | None] | None:
    """Concatenate; at the same step either every part remembers something or none does."""
    if isinstance(values[0], list):
        return [None if items[0] is None else torch.cat(items) for items in zip(*values, strict=True)]
    tensors = [value for value in values if isinstance(value, Tensor)]
    return torch.cat(tensors) if tensors else None


def _copy_generator(generator: torch.Generator) -> torch.Generator:
    twin = torch.Generator(generator.device)
    twin.set_state(generator.get_state())
    return twin
