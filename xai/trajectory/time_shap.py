"""Time-SHAP: what each group of denoising steps contributes to a classifier's logit, as Shapley values of a game.

The players are groups of consecutive steps. A coalition S is worth v(S), the target logit of the image that comes out
when the steps in S act and the others take the neutral action (docs/adr/0013), with the same initial noise and the same
noise of every step. The values add up to v(all) - v(none), and v(all) is the logit of the image itself.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch
from captum.attr import IntegratedGradients
from numpy.typing import NDArray
from torch import Tensor

from core.errors import InputRefusedError
from core.generator.sampler import ImageStreams, build_scheduler
from core.jobs.stream import JobContext
from core.message import Message
from xai.attribution import MIN_DIFFERENCE
from xai.shapley import Coalitions, Shares, exact_shapley, exact_shares, sampled_shares
from xai.trajectory.coalitions import CoalitionTree, make_actions, root, split_steps
from xai.trajectory.source import ImageSource
from xai.trajectory.target import Floats, Target, to_pixels

MAX_EXACT: Final = 10
"""Up to so many groups every coalition is played."""

MAX_EVALUATIONS: Final = 2048
"""Sampling asks for no more coalitions than this."""

PRECISE_ENOUGH: Final = 0.05
"""Sampling stops once every standard error is below this share of the largest value."""

HOEFFDING_ERROR: Final = MIN_DIFFERENCE
HOEFFDING_FAILURE: Final = 0.05
PATH_POINTS: Final = 64
PATH_CHUNK: Final = 16
GPU_WIDTH: Final = 32

Pictures = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class TimeShap:
    """The game and its solution.

    Attributes
    ----------
    groups
        First and last step of each group, counted from 1.
    values
        v(S) in logits for every coalition that was played; bit g of S is set if group g acts.
    neutral
        Name of the neutral action.
    picture, neutral_picture
        What comes out when all steps act, and when none does; uint8, shape (H, W, 3).
    pixel_shares
        Shapley value of every pixel's value (0..1) for each group, float32, shape (k, H, W, 3): how the group changed
        the picture. Their sum over the groups is `picture - neutral_picture`.
    logit_maps
        The same in logits, float32, shape (k, H, W): each share times the mean gradient of the logit on the straight
        line from neutral picture to picture (Integrated Gradients). Their sum over everything is v(all) - v(none), up
        to `path_error`.
    segments, steps
        Groups walked through and denoising steps taken.
    """

    groups: tuple[tuple[int, int], ...]
    shapley: Shares
    values: Mapping[int, float]
    neutral: str
    picture: Pictures = field(repr=False)
    neutral_picture: Pictures = field(repr=False)
    pixel_shares: NDArray[np.float32] = field(repr=False)
    logit_maps: NDArray[np.float32] = field(repr=False)
    segments: int
    steps: int
    seconds: float

    @property
    def full(self) -> float:
        """v(all), in logits."""
        return self.values[(1 << len(self.groups)) - 1]

    @property
    def empty(self) -> float:
        """v(none), in logits."""
        return self.values[0]

    @property
    def efficiency_error(self) -> float:
        """Sum of the Shapley values minus what they must add up to."""
        return float(self.shapley.values.sum()) - (self.full - self.empty)

    @property
    def path_error(self) -> float:
        """Sum of the logit maps minus what they must add up to."""
        return float(self.logit_maps.sum(dtype=np.float64)) - (self.full - self.empty)

    @property
    def marginal_range(self) -> float:
        """The largest spread of a group's marginal contributions among the coalitions played."""
        return marginal_range(self.values, len(self.groups))

    @property
    def hoeffding_orders(self) -> int:
        """Sampled orders that would bound every value's error by 0.1 logits with 95 % confidence."""
        return hoeffding_orders(self.marginal_range)


def time_shap(
    source: ImageSource,
    target: Target,
    groups: int,
    neutral: str = "auto",
    *,
    seed: int = 0,
    max_evaluations: int = MAX_EVALUATIONS,
    context: JobContext | None = None,
) -> TimeShap:
    """Play the game of an image.

    Parameters
    ----------
    groups
        Players, held to the number of steps. Up to 10 every coalition is played; beyond, orders are sampled in
        antithetic pairs until every standard error is under 5 % of the largest value, or `max_evaluations` are asked.
    seed
        Of the sampled orders.
    context
        Told of the coalitions done and the total (when sampling: at most), and asked before every step whether to go
        on.

    Raises
    ------
    JobStopped
        As soon as that is asked for.
    InputRefusedError
        If an image comes out as NaN or infinity.
    UsageError
        If the neutral action is impossible with this model.
    """
    began, context = time.perf_counter(), context or JobContext()
    parts = split_steps(source.settings.steps, groups)
    actions = make_actions(source.model, source.settings.guidance, neutral)
    streams = ImageStreams([source.planned.seed], source.model.noise_shape)
    config = source.scheduler_config or source.model.scheduler_config
    scheduler = build_scheduler(source.settings.sampler, config, source.settings.steps)
    device = source.model.device
    width = 1 if device.type == "cpu" else GPU_WIDTH
    tree = CoalitionTree(root(streams, scheduler, device), actions, parts, width=width, context=context)
    game = Game(tree, len(parts), source.finish, target.of_pictures, context)
    with source.circumstances():
        solved = solve(game, seed, max_evaluations)
    full, empty = game.pictures[(1 << len(parts)) - 1], game.pictures[0]
    shares = pixel_shares(game, solved, seed)
    return TimeShap(
        groups=tuple((part[0] + 1, part[-1] + 1) for part in parts),
        shapley=solved,
        values=game.values,
        neutral=actions.neutral_name,
        picture=full,
        neutral_picture=empty,
        pixel_shares=shares,
        logit_maps=(shares * _mean_gradient(target, full, empty)).sum(axis=-1),
        segments=tree.cost.segments,
        steps=tree.cost.steps,
        seconds=time.perf_counter() - began,
    )


class Game:
    """Coalitions of steps and what they are worth; each is played once.

    Parameters
    ----------
    finish
        Finished samples (n, 3, H, W) to pictures, uint8 (n, H, W, 3).
    logits
        Pictures to the logits they are worth, shape (n,).
    context
        Told of the number of coalitions played and how many are known to be needed.

    Attributes
    ----------
    values, pictures
        Worth and picture of every coalition played; bit g of a coalition is set if group g acts.
    """

    def __init__(
        self,
        tree: CoalitionTree,
        players: int,
        finish: Callable[[Tensor], Pictures],
        logits: Callable[[Pictures], Floats],
        context: JobContext | None = None,
    ) -> None:
        self.players = players
        self._tree = tree
        self._finish = finish
        self._logits = logits
        self._context = context or JobContext()
        self.values: dict[int, float] = {}
        self.pictures: dict[int, Pictures] = {}

    def __call__(self, coalitions: Coalitions) -> Floats:
        """Return the worth of coalitions (N, players), shape (N,)."""
        wanted = (coalitions @ (1 << np.arange(self.players))).tolist()
        self.play(wanted)
        return np.array([self.values[coalition] for coalition in wanted])

    def play(self, coalitions: Iterable[int]) -> None:
        """Play the coalitions that have not been played yet."""
        new = set(coalitions) - self.values.keys()
        total = len(self.values) + len(new)
        self._context.progress(len(self.values), total, unit="coalitions")
        for played, samples in self._tree.play(new):
            _check_finite(samples)
            pictures = self._finish(samples)
            self.values.update(zip(played, self._logits(pictures).tolist(), strict=True))
            self.pictures.update(zip(played, pictures, strict=True))
            self._context.progress(len(self.values), total, unit="coalitions")


def _check_finite(samples: Tensor) -> None:
    if not torch.isfinite(samples).all():
        raise InputRefusedError(
            Message("With some steps ablated, this image contains NaN or infinity, so Time-SHAP has no result."),
            remedy=Message("Try --precision fp32; if that does not help, the model is damaged or trained too little."),
        )


def solve(game: Game, seed: int = 0, max_evaluations: int = MAX_EVALUATIONS) -> Shares:
    """Return the Shapley values: exactly for up to `MAX_EXACT` players, from sampled orders beyond."""
    if game.players <= MAX_EXACT:
        return exact_shares(game, game.players)
    return sampled_shares(game, game.players, seed, tolerance=PRECISE_ENOUGH, max_evaluations=max_evaluations)


def pixel_shares(game: Game, solved: Shares, seed: int) -> NDArray[np.float32]:
    """Return the Shapley values of every pixel's value (0..1), shape (players, H, W, 3): the same game for pixels.

    Where orders were sampled, the same orders are used again.
    """
    if not solved.permutations:
        worths = np.stack([game.pictures[coalition] for coalition in range(1 << game.players)])
        rows = [exact_shapley(worths[:, row] / 255.0) for row in range(worths.shape[1])]  # row by row to save memory
        return np.stack(rows, axis=1).astype(np.float32)
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(game.players) for _ in range(solved.permutations // 2)]
    shares = np.zeros((game.players, *game.pictures[0].shape), dtype=np.float32)
    for order in [order for pair in orders for order in (pair, pair[::-1])]:
        coalitions = [0, *np.cumsum(1 << order).tolist()]
        game.play(coalitions)
        for player, before, after in zip(order, coalitions, coalitions[1:], strict=False):
            change = game.pictures[after] / 255.0 - game.pictures[before] / 255.0
            shares[player] += change.astype(np.float32) / solved.permutations
    return shares


def marginal_range(values: Mapping[int, float], players: int) -> float:
    """Return the largest spread of any player's marginal contribution among the coalitions that were played."""
    return max(np.ptp(_marginals(values, 1 << player)) for player in range(players))


def hoeffding_orders(value_range: float, error: float = HOEFFDING_ERROR, failure: float = HOEFFDING_FAILURE) -> int:
    """Return the number of independent samples M >= R^2 / (2 eps^2) * ln(2 / delta) of Hoeffding's inequality.

    With so many, a mean of samples that lie within a range R is off by `error` or more with a probability of at most
    `failure` (Hoeffding 1963).
    """
    return max(1, math.ceil(value_range**2 / (2 * error**2) * math.log(2 / failure)))


def _marginals(values: Mapping[int, float], bit: int) -> list[float]:
    return [worth - values[c ^ bit] for c, worth in values.items() if c & bit and c ^ bit in values] or [0.0]


def _mean_gradient(target: Target, picture: Pictures, baseline: Pictures) -> NDArray[np.float32]:
    """Return the mean gradient of the logit on the straight line between two pictures, shape (H, W, 3)."""
    method = IntegratedGradients(target.score, multiply_by_inputs=False)
    end, start = to_pixels(picture[None]), to_pixels(baseline[None])
    with torch.enable_grad():
        gradient = method.attribute(end, start, n_steps=PATH_POINTS, internal_batch_size=PATH_CHUNK)
    return np.ascontiguousarray(gradient[0].movedim(0, -1).float().cpu().numpy())
