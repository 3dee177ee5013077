"""Does a map point at what the classifier uses? Deletion, insertion and ROAD, each beside maps that know nothing.

- Deletion and insertion: area under the curve of the target's logit (Petsiuk et al., 2018, RISE, arXiv:1806.07421)
  while pixels are taken out, or put into a blurred picture, most important first. Pixels taken out are filled in by
  noisy linear imputation instead of grey.
- ROAD: half of the logit's difference between taking out the least and the most important pixels first, mean over
  10..90 % (Rong et al., 2022, arXiv:2202.00449).

The control is the map itself in the wrong place: turned, mirrored and shifted around the edges. It has the same values
and the same smoothness, which a random order of pixels has not: that leaves a picture nearly whole until the end, so
that nearly any map would beat it at deletion. Both are given; a map passes if it beats both.

Grey squares would be something the classifier has never seen, and the test of a map would test that. Noisy linear
imputation is the fill of ROAD (its section 5): pixels taken out are filled in from what is left, so that their place
carries no trace of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csc_matrix
from scipy.sparse.linalg import splu
from torch import Tensor
from torch.nn import functional
from torchvision.transforms.functional import gaussian_blur

from core.jobs.stream import JobContext
from core.message import Message
from xai.artefacts import artefact_masks

NOISE: Final = 0.01
"""Standard deviation of the noise on filled pixels, of a range of 0..1."""

_NEIGHBOURS: Final = (
    *((dy, dx, 1 / 6) for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1))),
    *((dy, dx, 1 / 12) for dy, dx in ((-1, -1), (-1, 1), (1, -1), (1, 1))),
)

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def impute(image: Floats, removed: Mask, rng: np.random.Generator, noise: float = NOISE) -> Floats:
    """Return the picture with the removed pixels filled in.

    Each removed pixel is the weighted mean of its eight neighbours, 1/6 for direct and 1/12 for diagonal ones, whether
    these are removed themselves or not: one sparse linear system. Where nothing is left, the picture's mean is used.

    Parameters
    ----------
    image
        Shape (H, W, C), 0..1; not changed.
    removed
        Shape (H, W).
    noise
        Standard deviation of the normal noise on what was filled in.
    """
    filled = image.copy()
    if not removed.any():
        return filled
    if removed.all():
        filled[:] = image.mean(axis=(0, 1))
    else:
        filled[removed] = _solve(image, removed)
    filled[removed] += rng.normal(0, noise, (int(removed.sum()), image.shape[2]))
    return np.clip(filled, 0, 1)


def _solve(image: Floats, removed: Mask) -> Floats:
    matrix, known = _system(image, removed)
    # The pattern is symmetric and the diagonal outweighs each row, so this ordering is safe, and twice as fast.
    solver = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    solution: Floats = solver.solve(known)
    return solution


def _system(image: Floats, removed: Mask) -> tuple[csc_matrix, Floats]:
    """Return the matrix (n, n) and the right side (n, C): what neighbours that are left contribute."""
    ys, xs = np.nonzero(removed)
    count = len(ys)
    number = np.full(removed.shape, -1)
    number[removed] = np.arange(count)
    known, total = np.zeros((count, image.shape[2])), np.zeros(count)
    rows, columns, values = [], [], []
    for dy, dx, weight in _NEIGHBOURS:
        inside = (ys + dy >= 0) & (ys + dy < removed.shape[0]) & (xs + dx >= 0) & (xs + dx < removed.shape[1])
        pixel, y, x = np.nonzero(inside)[0], ys[inside] + dy, xs[inside] + dx
        total[pixel] += weight
        gone = removed[y, x]
        known[pixel[~gone]] += weight * image[y[~gone], x[~gone]]
        rows.append(pixel[gone])
        columns.append(number[y[gone], x[gone]])
        values.append(np.full(int(gone.sum()), -weight))
    every = np.arange(count)
    entries = (np.concatenate([*values, total]), (np.concatenate([*rows, every]), np.concatenate([*columns, every])))
    return coo_matrix(entries, shape=(count, count)).tocsc(), known


MAX_SIDE: Final = 128
"""Larger pictures are tested at this size: filling in grows faster than the picture."""

STEPS: Final = 10
MOVED: Final = 4
RANDOM: Final = 1
ROAD_SHARES: Final = tuple(range(1, STEPS))
"""Of `STEPS`: 10 %, 20 %, ... 90 %."""

_BLUR: Final = 0.1
"""Standard deviation of the blur at which insertion begins, as a fraction of the longer side."""

Logits = Callable[[Tensor], Tensor]
Order = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Measure:
    """One number on a map, with what a map that knows nothing gets.

    Attributes
    ----------
    value
        Of the map itself.
    control, control_sd
        Mean and standard deviation over the map in `MOVED` wrong places; for shares of a region, the region's share of
        the picture's area.
    random_order
        Mean over random orders of pixels; None where that makes no sense.
    better
        `lower`, `higher`, or empty where neither is better.
    passed
        Better than every control, or worse than their mean; None in between, and where there is nothing to pass.
    words
        What it says, in one sentence.
    """

    key: str
    title: Message
    value: float
    control: float
    better: str
    passed: bool | None
    words: Message
    control_sd: float | None = None
    random_order: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        return {
            "key": self.key,
            "title": self.title,
            "value": self.value,
            "control": self.control,
            "control_sd": self.control_sd,
            "random_order": self.random_order,
            "better": self.better,
            "passed": self.passed,
            "words": self.words,
        }


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """What was measured of one map, and for how many seconds."""

    measures: tuple[Measure, ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return `{"measures": [...], "seconds": ...}`."""
        return {"measures": [measure.to_json() for measure in self.measures], "seconds": round(self.seconds, 2)}


def measure_faithfulness(
    logits: Logits,
    index: int,
    image: Tensor,
    attribution: NDArray[np.floating[Any]],
    *,
    mask: Mask | None = None,
    seed: int = 0,
    context: JobContext | None = None,
) -> Faithfulness:
    """Measure one map.

    Parameters
    ----------
    logits
        Maps pictures (N, 3, H, W) in 0..1 to logits (N, K).
    index
        The target among the K.
    image
        Shape (1, 3, H, W), 0..1; not changed.
    attribution
        Shape (H, W, 3) or (H, W).
    mask
        The lesion, shape (H, W), if it is known.
    seed
        Of the wrong places, the random orders and the noise of filled pixels.
    context
        Asked before every forward pass whether to go on.

    Raises
    ------
    JobStopped
        As soon as that is asked for.
    """
    start = time.perf_counter()
    flat = np.asarray(attribution, np.float64).sum(axis=2) if attribution.ndim == 3 else np.asarray(attribution)
    regions = _regions(image, mask)
    curves = _Curves(_Score(logits, index, context or JobContext()), *_shrink(image, flat), np.random.default_rng(seed))
    measures = (*curves.measures(), *(_share(key, flat, region) for key, region in regions.items()))
    return Faithfulness(measures, time.perf_counter() - start)


def _regions(image: Tensor, mask: Mask | None) -> dict[str, Mask]:
    pixels = (image[0].permute(1, 2, 0).cpu().numpy() * 255).round().astype(np.uint8)
    found = {key: region for key, region in artefact_masks(pixels).items() if region.any()}
    return found if mask is None or not mask.any() else {"lesion": mask, **found}


def _shrink(image: Tensor, values: Floats) -> tuple[Tensor, Floats]:
    height, width = values.shape
    factor = MAX_SIDE / max(height, width)
    if factor >= 1:
        return image.float().cpu(), values
    size = (max(1, round(height * factor)), max(1, round(width * factor)))
    smaller = functional.interpolate(image.float().cpu(), size=size, mode="area")
    summed = functional.interpolate(torch.from_numpy(values)[None, None], size=size, mode="area")[0, 0].numpy()
    return smaller, summed


@dataclass(frozen=True, slots=True)
class _Score:
    logits: Logits
    index: int
    context: JobContext

    def __call__(self, pictures: Sequence[Floats]) -> Floats:
        self.context.check()
        batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float().contiguous()
        with torch.no_grad():
            return self.logits(batch)[:, self.index].double().cpu().numpy()


class _Curves:
    """The logit along the ways of taking pixels out and putting them in."""

    def __init__(self, score: _Score, image: Tensor, values: Floats, rng: np.random.Generator) -> None:
        self._score, self._values, self._rng = score, values, rng
        self._image = image[0].permute(1, 2, 0).double().numpy()
        side = max(values.shape)
        kernel = 2 * int(np.ceil(2 * _BLUR * side)) + 1
        limit = 2 * min(values.shape) - 1
        blurred = gaussian_blur(image, [min(kernel, limit)] * 2, [_BLUR * side] * 2)
        self._blurred = blurred[0].permute(1, 2, 0).double().numpy()

    def measures(self) -> tuple[Measure, Measure, Measure]:
        """Take each order in turn: the map's own, those of the map in wrong places, random ones."""
        own = self._of(_ranking(self._values))
        moved = [self._of(_ranking(self._moved())) for _ in range(MOVED)]
        random = [self._of(self._rng.permutation(self._values.size), road=False) for _ in range(RANDOM)]
        return _deletion(own, moved, random), _insertion(own, moved, random), _road(own, moved)

    def _of(self, order: Order, *, road: bool = True) -> dict[str, float]:
        out = self._score([self._without(order, step) for step in range(STEPS + 1)])
        into = self._score([self._with(order, step) for step in range(STEPS + 1)])
        found = {
            "deletion": float(np.trapezoid(out, dx=1 / STEPS)),
            "insertion": float(np.trapezoid(into, dx=1 / STEPS)),
        }
        if road:
            least = self._score([self._without(order[::-1], step) for step in ROAD_SHARES])
            found["road"] = float((least - out[list(ROAD_SHARES)]).mean() / 2)
        return found

    def _without(self, order: Order, step: int) -> Floats:
        return impute(self._image, self._chosen(order, step), self._rng)

    def _with(self, order: Order, step: int) -> Floats:
        return np.where(self._chosen(order, step)[..., None], self._image, self._blurred)

    def _chosen(self, order: Order, step: int) -> Mask:
        chosen = np.zeros(self._values.size, bool)
        chosen[order[: round(step / STEPS * len(order))]] = True
        return chosen.reshape(self._values.shape)

    def _moved(self) -> Floats:
        """The map turned by 180 degrees or mirrored or neither, then shifted by at least a quarter on each axis."""
        values = self._values[:: self._rng.choice([1, -1]), :: self._rng.choice([1, -1])]
        shift = [int(self._rng.integers(size // 4, max(size // 4, size - size // 4) + 1)) for size in values.shape]
        return np.roll(values, shift, axis=(0, 1))


def _ranking(values: Floats) -> Order:
    """Pixels, the one that speaks most for the target first; equal ones in the order of the picture."""
    return np.argsort(-values.ravel(), kind="stable")


def _deletion(own: Mapping[str, float], moved: Sequence[Mapping[str, float]], random: Any) -> Measure:
    words = Message(
        "While the most important pixels are removed, the logit is {value:+.2f} on average; with "
        "the map in the wrong place it is {control:+.2f}, in random order {random:+.2f}."
    )
    return _compare("deletion", Message("Deletion curve"), "lower", words, own, moved, random)


def _insertion(own: Mapping[str, float], moved: Sequence[Mapping[str, float]], random: Any) -> Measure:
    words = Message(
        "While the most important pixels are put into a blurred image, the logit is {value:+.2f} "
        "on average; with the map in the wrong place it is {control:+.2f}, in random order "
        "{random:+.2f}."
    )
    return _compare("insertion", Message("Insertion curve"), "higher", words, own, moved, random)


def _road(own: Mapping[str, float], moved: Sequence[Mapping[str, float]]) -> Measure:
    words = Message(
        "Removing the least important pixels first leaves {value:+.2f} logits more than removing "
        "the most important ones first (half the difference); with the map in the wrong place it "
        "is {control:+.2f}."
    )
    return _compare("road", Message("ROAD"), "higher", words, own, moved, [])


def _compare(
    key: str,
    title: Message,
    better: str,
    words: Message,
    own: Mapping[str, float],
    moved: Sequence[Mapping[str, float]],
    random: Sequence[Mapping[str, float]],
) -> Measure:
    value, controls = own[key], [curve[key] for curve in moved]
    chance = float(np.mean([curve[key] for curve in random])) if random else None
    control = float(np.mean(controls))
    known = {"value": value, "control": control} | ({} if chance is None else {"random": chance})
    filled = Message(words.template, **known)
    passed = _passed(value, controls, chance, better)
    return Measure(key, title, value, control, better, passed, filled, float(np.std(controls, ddof=1)), chance)


def _passed(value: float, controls: Iterable[float], chance: float | None, better: str) -> bool | None:
    sign = 1 if better == "higher" else -1
    others = [*controls, *([] if chance is None else [chance])]
    if all(sign * value > sign * other for other in others):
        return True
    return False if sign * value <= sign * float(np.mean(others)) else None


_SHARE_TITLES: Final = {
    "lesion": Message("Inside the lesion"),
    "hair": Message("On hair"),
    "ruler": Message("On ruler marks"),
    "corner": Message("On dark corners"),
}


def _share(key: str, values: Floats, region: Mask) -> Measure:
    """Return how much of the map's magnitude is in a region, beside the region's share of the area."""
    magnitude = np.abs(values)
    total = magnitude.sum()
    share = float(magnitude[region].sum() / total) if total > 0 else 0.0
    area = float(region.mean())
    words = Message(
        "{share:.0%} of the map is on {area:.0%} of the area: {ratio:.2f} times as much as a uniform map.",
        share=share,
        area=area,
        ratio=share / area,
    )
    better = "higher" if key == "lesion" else "lower"
    return Measure(key, _SHARE_TITLES[key], share, area, better, share > area if key == "lesion" else None, words)
