"""Plays coalitions of denoising steps: a walk through the tree of prefixes, so that what two share is computed once.

Denoising can be split at any step: several branches in one batch, each with its noise and memory. A step acts or, where
it is left out, does the neutral action (docs/adr/0013).
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from core.errors import UsageError
from core.generator.model_manager import LoadedModel
from core.generator.sampler import NO_GUIDANCE, ImageStreams, Predictor, advance, initial_scale, make_predictor
from core.jobs.stream import JobContext
from core.message import Message
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


StepAction = Callable[[Branches, Tensor], Branches]
"""Takes one denoising step at a timestep, for all branches; the scheduler and the generators move on."""

DESCRIPTIONS: Final = {
    "null": "a step that is left out predicts with the network's null class: it denoises, but towards no class",
    "hold": "a step that is left out does not ask the network: it keeps the image that the last acting step predicted "
    "(mid-grey before any has acted)",
}


@dataclass(frozen=True, slots=True)
class Actions:
    """The two things that a step can do.

    Attributes
    ----------
    neutral_name
        `null` or `hold`.
    """

    act: StepAction
    neutral: StepAction
    neutral_name: str


def make_actions(model: LoadedModel, guidance: float, neutral: str) -> Actions:
    """Return the actions of a model.

    Parameters
    ----------
    neutral
        `null`, `hold`, or `auto` for `null` where the model has a null class.

    Raises
    ------
    UsageError
        If `null` is asked for and the model has no null class.
    """
    act = acting(make_predictor(model, guidance))
    name = neutral if neutral != "auto" else ("hold" if model.null_label is None else "null")
    if name == "hold":
        return Actions(act, hold, name)
    if model.null_label is None:
        raise UsageError(
            Message("This model has no null class, so 'null' cannot replace its steps."),
            remedy=Message("Use --neutral hold."),
        )
    return Actions(act, acting(make_predictor(replace(model, class_label=model.null_label), NO_GUIDANCE)), name)


def acting(predict: Predictor) -> StepAction:
    """Return the action of asking a network, just as the sampler does."""

    def act(branches: Branches, timestep: Tensor) -> Branches:
        sample, predicted = advance(predict, branches.scheduler, timestep, branches.sample, branches.generators)
        return replace(branches, sample=sample, held=predicted)

    return act


def hold(branches: Branches, timestep: Tensor) -> Branches:
    """Take a step towards the held image: noise level, step noise and solver go on as usual, only nothing is learnt."""
    with _predicting_images(branches.scheduler):
        sample, _ = advance(
            lambda _noisy, _timestep: branches.held, branches.scheduler, timestep, branches.sample, branches.generators
        )
    return replace(branches, sample=sample)


@contextmanager
def _predicting_images(scheduler: Scheduler) -> Iterator[None]:
    kind = scheduler.config.prediction_type
    scheduler.register_to_config(prediction_type="sample")
    try:
        yield
    finally:
        scheduler.register_to_config(prediction_type=kind)


def split_steps(steps: int, groups: int) -> list[range]:
    """Return consecutive groups of steps (0-based), at most as many as there are steps, the longer ones first.

    The tree has few branches where it begins, so the longer groups cost least there.
    """
    groups = min(groups, steps)
    short, longer = divmod(steps, groups)
    bounds = [0]
    for group in range(groups):
        bounds.append(bounds[-1] + short + (group < longer))
    return [range(first, end) for first, end in itertools.pairwise(bounds)]


@dataclass(slots=True)
class Cost:
    """What has been computed.

    Attributes
    ----------
    segments
        Groups of steps walked through, counted for each branch.
    steps
        Denoising steps taken, counted for each branch.
    """

    segments: int = 0
    steps: int = 0


class CoalitionTree:
    """All coalitions of groups of denoising steps of one image.

    Parameters
    ----------
    root
        The branch that all coalitions begin with; it stays untouched.
    groups
        As `split_steps` gives them.
    width
        Branches denoised in one batch: 1 computes each exactly as a single image, more is faster on a GPU.
    """

    def __init__(
        self,
        root: Branches,
        actions: Actions,
        groups: Sequence[range],
        *,
        width: int = 1,
        context: JobContext | None = None,
    ) -> None:
        self._root = root
        self._actions = actions
        self._groups = groups
        self._width = width
        self._context = context or JobContext()
        self.cost = Cost()

    def play(self, coalitions: Collection[int]) -> Iterator[tuple[tuple[int, ...], Tensor]]:
        """Yield the finished images of coalitions, some at a time: their coalitions and the images (n, 3, H, W).

        Depth first, so that at most `width` branches wait at each of the levels.

        Raises
        ------
        JobStopped
            As soon as that is asked for.
        """
        prefixes = [{c & ((1 << depth) - 1) for c in coalitions} for depth in range(len(self._groups) + 1)]
        waiting = [(0, self._root)]
        while waiting:
            depth, branches = waiting.pop()
            if depth == len(self._groups):
                yield branches.coalitions, branches.sample
                continue
            children = self._children(branches, depth, prefixes[depth + 1])
            waiting += [(depth + 1, part) for part in reversed(self._batches(children))]

    def _children(self, branches: Branches, depth: int, wanted: Collection[int]) -> list[Branches]:
        children = []
        for bit in (0, 1 << depth):
            positions = [i for i, coalition in enumerate(branches.coalitions) if coalition | bit in wanted]
            if positions:
                children.append(self._segment(branches.take(positions), self._groups[depth], bit))
        return children

    def _segment(self, branches: Branches, group: range, bit: int) -> Branches:
        action = self._actions.act if bit else self._actions.neutral
        for step in group:
            self._context.check()
            branches = action(branches, branches.scheduler.timesteps[step])
        self.cost.segments += len(branches.coalitions)
        self.cost.steps += len(branches.coalitions) * len(group)
        return branches.renamed(bit) if bit else branches

    def _batches(self, children: Sequence[Branches]) -> list[Branches]:
        if self._width == 1:
            return list(children)
        joined = join(children)
        count = len(joined.coalitions)
        if count <= self._width:
            return [joined]
        return [joined.take(range(i, min(i + self._width, count))) for i in range(0, count, self._width)]
