"""Shapley values of a game: what each player adds on average, over every order in which the players can join.

Shapley 1953, "A value for n-person games". Exact from the worth of all 2^n coalitions; else estimated from random
orders and their reverses (antithetic pairs: Mitchell et al. 2022, arXiv:2104.12199), with standard errors and a stop
rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Coalitions = NDArray[np.bool_]
"""Shape (N, n): who takes part."""

Game = Callable[[Coalitions], Floats]
"""Maps coalitions (N, n) to what each of them is worth (N,)."""

TOLERANCE: Final = 0.05
EXACT_PLAYERS: Final = 12
"""Up to so many players the value is exact: 4,096 coalitions. Above, it is estimated from permutations."""

MAX_EVALUATIONS: Final = 4096
_MIN_PAIRS: Final = 16
_PAIRS_PER_ROUND: Final = 4


@dataclass(frozen=True, slots=True)
class Shares:
    """Shapley values and how far they can be trusted.

    Attributes
    ----------
    values
        One for each player; they sum to `full - empty`.
    standard_error
        Of each value; 0 where nothing was sampled.
    full, empty
        Worth of all players together and of none.
    evaluations
        Coalitions whose worth was asked for.
    permutations
        Orders that were walked through; 0 where the values are exact.
    """

    values: Floats
    standard_error: Floats
    full: float
    empty: float
    evaluations: int
    permutations: int = 0

    @property
    def relative_error(self) -> float:
        """The largest standard error over the largest absolute value; 0 if all are 0."""
        largest = float(np.abs(self.values).max(initial=0.0))
        return float(self.standard_error.max(initial=0.0)) / largest if largest else 0.0


def all_coalitions(players: int) -> Coalitions:
    """Return all coalitions, shape (2^n, n): player i takes part in row r if bit i of r is set."""
    return (np.arange(1 << players)[:, None] >> np.arange(players) & 1).astype(bool)


def exact_shares(game: Game, players: int) -> Shares:
    """Ask for the worth of every coalition and return the Shapley values."""
    worths = game(all_coalitions(players))
    return Shares(
        exact_shapley(worths), np.zeros(players), float(worths[-1]), float(worths[0]), evaluations=len(worths)
    )


def exact_shapley(worths: Floats) -> Floats:
    """Return the Shapley values of a game from the worth of all coalitions, as `all_coalitions` lists them.

    phi_i = sum over S without i of |S|! (n - |S| - 1)! / n! (v(S and i) - v(S)).

    Parameters
    ----------
    worths
        Shape (2^n, ...): a worth may be a number or, as the value is linear in it, an array of them.

    Returns
    -------
    Shape (n, ...).
    """
    players = len(worths).bit_length() - 1
    rows = np.arange(len(worths))
    sizes = all_coalitions(players).sum(axis=1)
    weights = np.array([1 / (players * math.comb(players - 1, size)) for size in range(players)])
    values = np.empty((players, *worths.shape[1:]))
    for player in range(players):
        without = rows[rows >> player & 1 == 0]
        added = worths[without | 1 << player] - worths[without]
        values[player] = np.tensordot(weights[sizes[without]], added, axes=1)
    return values


def sampled_shares(
    game: Game,
    players: int,
    seed: int,
    *,
    tolerance: float = TOLERANCE,
    max_evaluations: int = MAX_EVALUATIONS,
) -> Shares:
    """Estimate the Shapley values from pairs of a random order and its reverse.

    Parameters
    ----------
    players
        At least 2.
    tolerance
        Stops once the largest standard error is below this share of the largest absolute value.
    max_evaluations
        Stops before more coalitions than this would be asked for; 16 pairs are walked through in any case.
    """
    empty, full = game(np.array([[False] * players, [True] * players]))
    rng = np.random.default_rng(seed)
    estimates = np.empty((0, players))
    cost = 2 * (players - 1)
    while True:
        pairs = _PAIRS_PER_ROUND if len(estimates) else _MIN_PAIRS
        orders = np.array([rng.permutation(players) for _ in range(pairs)])
        estimates = np.concatenate([estimates, _walk_pairs(game, orders, empty, full)])
        error = estimates.std(axis=0, ddof=1) / math.sqrt(len(estimates))
        asked = 2 + cost * len(estimates)
        found = Shares(estimates.mean(axis=0), error, float(full), float(empty), asked, 2 * len(estimates))
        if not found.relative_error >= tolerance or asked + cost * _PAIRS_PER_ROUND > max_evaluations:
            return found


def _walk_pairs(game: Game, orders: NDArray[np.int64], empty: float, full: float) -> Floats:
    """Return, for each order, what each player adds on the way there and on the way back, averaged; (pairs, n)."""
    walks = np.stack([orders, orders[:, ::-1]], axis=1).reshape(-1, orders.shape[1])
    places = walks.argsort(axis=1)
    length = np.arange(1, walks.shape[1])
    joined = places[:, None, :] < length[:, None]
    inner = game(joined.reshape(-1, walks.shape[1])).reshape(len(walks), -1)
    worths = np.pad(inner, ((0, 0), (1, 1)), constant_values=((0, 0), (empty, full)))
    added = np.take_along_axis(np.diff(worths, axis=1), places, axis=1)
    return added.reshape(len(orders), 2, -1).mean(axis=1)
