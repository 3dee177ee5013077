"""Shapley values of superpixels: what each of them adds to the score, over every order in which they can appear.

A superpixel that does not take part shows the baseline. Up to 12 the values are exact (all 2^n coalitions); above they
are estimated from antithetic permutations, with standard errors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xai.attribution import Attribution, Floats, Score, chunk_size, relative_delta, score_ends, spread
from xai.game import EXACT_PLAYERS, TOLERANCE, Coalitions, Shares, exact_shares, sampled_shares


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
