"""Occlusion: what the score loses where a window of the picture is replaced by the baseline (Zeiler, Fergus 2014)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from captum.attr import Occlusion
from torch import Tensor

from xai.attribution import Attribution, Score, chunk_size, score_ends, spread

STRIDES_PER_SIDE: Final = 16
ROUNDING: Final = 1e-5
"""Relative difference of two scores that may be nothing but rounding: a map of it would look like any other."""

_OVERLAP: Final = 2
"""A window is about this many strides long, so that each pixel but those at the edge is covered four times."""


def occlusion(
    score: Score,
    image: Tensor,
    baselines: Sequence[Tensor],
    *,
    window: tuple[int, int] | None = None,
    stride: tuple[int, int] | None = None,
    chunk: int | None = None,
) -> Attribution:
    """Cover the picture window by window, and share what the score loses evenly among the window's pixels.

    Each pixel gets the mean over the windows that cover it, so that maps of different windows have one unit, logits
    per pixel. For a score that adds up over the pixels it is the local mean of their contributions.

    Parameters
    ----------
    image, baselines
        Shape (1, 3, H, W), 0..1, on the same device; they are not changed.
    window, stride
        Height and width in pixels; about an eighth and a sixteenth of each side if None, such that the windows end
        where the picture ends.
    chunk
        Pictures in one forward pass; chosen by their size if None.
    """
    sides = tuple(image.shape[-2:])
    steps = stride or tuple(max(1, round(side / STRIDES_PER_SIDE)) for side in sides)
    size = window or tuple(_fitting_window(side, step) for side, step in zip(sides, steps, strict=True))
    with torch.inference_mode(False), torch.no_grad():
        end, start = score_ends(score, image, baselines)
        maps = [_lost(score, image, baseline, size, steps, chunk or chunk_size(image)) for baseline in baselines]
    lost = np.mean(maps, axis=0)
    lost[np.abs(lost) < ROUNDING * max(1.0, abs(end))] = 0
    values = lost / (size[0] * size[1])
    shown = len(baselines) * int(np.prod([-(-(s - w) // d) + 1 for s, w, d in zip(sides, size, steps, strict=True)]))
    parameters = {"window": list(size), "stride": list(steps)}
    return Attribution(spread(values), end, start, steps=shown, parameters=parameters)


def _fitting_window(side: int, stride: int) -> int:
    """Return about twice the stride, such that whole strides lead from the first window to the last one."""
    return side - stride * round(max(side - _OVERLAP * stride, 0) / stride)


def _lost(
    score: Score, image: Tensor, baseline: Tensor, window: tuple[int, ...], stride: tuple[int, ...], chunk: int
) -> np.ndarray:
    lost = Occlusion(score).attribute(
        image,
        sliding_window_shapes=(3, *window),
        strides=(3, *stride),
        baselines=baseline,
        perturbations_per_eval=chunk,
    )
    found: np.ndarray = lost[0, 0].double().cpu().numpy()
    return found
