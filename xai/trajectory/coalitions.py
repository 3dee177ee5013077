"""Plays coalitions of denoising steps: a walk through the tree of prefixes, so that what two share is computed once."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from core.jobs.stream import JobContext
from xai.trajectory.actions import Actions
from xai.trajectory.branches import Branches, join


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
        Branches denoised in one batch: 1 computes each exactly as a single image, more is faster on a graphics card.
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
