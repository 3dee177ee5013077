"""Shapley values of superpixels: what each of them adds to the score, over every order in which they can appear.

A superpixel that does not take part shows the baseline. Up to 12 the values are exact (all 2^n coalitions); above they
are estimated from antithetic permutations, with standard errors.

The superpixels are those of SLIC (Achanta et al. 2012) from scikit-image, the same each time.

`exact_shares` and `sampled_shares` are Shapley values of any game (Shapley 1953, "A value for n-person games"): exact
from the worth of all 2^n coalitions; else estimated from random orders and their reverses (antithetic pairs: Mitchell
et al. 2022, arXiv:2104.12199), with standard errors and a stop rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from skimage.segmentation import slic
from torch import Tensor

from xai.attribution import Attribution, Floats, Score, chunk_size, relative_delta, score_ends, spread

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


MAX_SIDE: Final = 256
"""Larger pictures are segmented in a reduced copy: no classifier here sees more."""

_COMPACTNESS: Final = (10.0, 30.0, 100.0)
_REQUESTS: Final = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0)
"""SLIC gives fewer segments than it is asked for, so it is asked for more."""

_ENOUGH: Final = 0.75


def superpixels(image: NDArray[np.uint8], most: int) -> NDArray[np.int32]:
    """Return the superpixel of each pixel, int32, shape (H, W), numbered from 0 without gaps.

    There are at most `most` of them, as near to it as SLIC gets; where it finds too few (noise, a strip of pixels) they
    are the cells of a grid.

    Parameters
    ----------
    image
        uint8, shape (H, W, 3); it is not changed.
    """
    small = _reduced(image)
    for compactness in _COMPACTNESS:
        found = _best(small, most, compactness)
        if found.max() + 1 >= _ENOUGH * most:
            return _enlarged(found, image.shape[:2])
    return _grid(image.shape[:2], most)


def _best(image: NDArray[np.uint8], most: int, compactness: float) -> NDArray[np.int32]:
    """Return the finest segmentation that does not exceed `most`."""
    best = np.zeros(image.shape[:2], np.int32)
    for request in _REQUESTS:
        found = slic(image, n_segments=round(request * most), compactness=compactness, sigma=1, start_label=0)
        numbered = np.unique(found, return_inverse=True)[1].reshape(found.shape).astype(np.int32)
        if best.max() < numbered.max() < most:
            best = numbered
    return best


def _grid(shape: tuple[int, ...], most: int) -> NDArray[np.int32]:
    height, width = shape
    rows = min(height, max(1, min(most, round(math.sqrt(most * height / width)))))
    columns = min(width, most // rows)
    row, column = np.arange(height) * rows // height, np.arange(width) * columns // width
    return (row[:, None] * columns + column).astype(np.int32)


def _reduced(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    factor = MAX_SIDE / max(image.shape[:2])
    if factor >= 1:
        return image
    height, width = (max(1, round(side * factor)) for side in image.shape[:2])
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BOX))


def _enlarged(segments: NDArray[np.int32], shape: tuple[int, ...]) -> NDArray[np.int32]:
    rows, columns = (np.arange(new) * old // new for new, old in zip(shape, segments.shape, strict=True))
    return segments[rows[:, None], columns]


def shapley_values(
    score: Score,
    image: Tensor,
    baselines: Sequence[Tensor],
    *,
    segments: NDArray[np.int32],
    seed: int,
    resize: Callable[[Tensor], Tensor] = torch.clone,
    chunk: int | None = None,
) -> Attribution:
    """Share the score of `resize(image)` among superpixels, as the mean over one or several baselines.

    Parameters
    ----------
    score
        A function of what `resize` returns.
    image, baselines
        Shape (1, 3, H, W), 0..1, on the same device; they are not changed.
    segments
        Superpixel of each pixel, shape (H, W), numbered from 0.
    seed
        Of the permutations.
    resize
        From pictures to what the network sees. Must be affine: then the resized picture of a coalition is a sum of
        resized parts, and 4,096 coalitions need no more resizing than 13.
    chunk
        Pictures in one forward pass; chosen by their size if None.

    Returns
    -------
    The value of a superpixel is spread evenly over its pixels and channels, as is its standard error.
    """
    players = int(segments.max()) + 1
    with torch.inference_mode(False), torch.no_grad():
        games = [_Pictures(score, image, baseline, segments, resize, chunk) for baseline in baselines]
        ends = score_ends(lambda pixels: score(resize(pixels)), image, baselines)
        shares = _play(lambda coalitions: np.mean([game(coalitions) for game in games], axis=0), players, seed)
    return _described(shares, segments, ends, len(baselines), seed)


def _play(game: Callable[[Coalitions], Floats], players: int, seed: int) -> Shares:
    return exact_shares(game, players) if players <= EXACT_PLAYERS else sampled_shares(game, players, seed)


class _Pictures:
    """The game: a coalition is worth the score of the picture in which only its superpixels show."""

    def __init__(
        self,
        score: Score,
        image: Tensor,
        baseline: Tensor,
        segments: NDArray[np.int32],
        resize: Callable[[Tensor], Tensor],
        chunk: int | None,
    ) -> None:
        inside = torch.from_numpy(segments).to(image.device)
        self._score = score
        self._nobody = resize(baseline)
        parts = [
            resize(torch.where(inside == player, image, baseline)) - self._nobody
            for player in range(int(segments.max()) + 1)
        ]
        self._parts = torch.cat(parts).flatten(1)
        self._chunk = chunk or chunk_size(self._nobody)

    def __call__(self, coalitions: Coalitions) -> Floats:
        rows = torch.from_numpy(coalitions).to(self._parts)
        return np.concatenate([self._worth(part) for part in rows.split(self._chunk)])

    def _worth(self, coalitions: Tensor) -> Floats:
        added = (coalitions @ self._parts).view(-1, *self._nobody.shape[1:])
        worth: Floats = self._score(self._nobody + added).double().cpu().numpy()
        return worth


def _described(
    shares: Shares, segments: NDArray[np.int32], ends: tuple[float, float], baselines: int, seed: int
) -> Attribution:
    pixels = np.bincount(segments.ravel())
    difference = ends[0] - ends[1]
    delta = float(shares.values.sum()) - difference
    sampling = {"seed": seed, "permutations": shares.permutations, "stop_below": TOLERANCE}
    return Attribution(
        spread((shares.values / pixels)[segments]),
        *ends,
        delta,
        relative_delta(delta, difference),
        steps=shares.evaluations * baselines,
        parameters={
            "players": len(pixels),
            "exact": shares.permutations == 0,
            "values": shares.values.tolist(),
            "standard_errors": shares.standard_error.tolist(),
            "relative_standard_error": shares.relative_error,
            **(sampling if shares.permutations else {}),
        },
        standard_error=(shares.standard_error / pixels)[segments].astype(np.float32) if shares.permutations else None,
        segments=segments,
    )
