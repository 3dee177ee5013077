"""The Causal Shift Index: does changing what a map calls important move the classifier more than changing the rest?

For a picture x, an intervention and a region R, dF(R) = F(x) - F(x with R changed), F the target logit. For one picture

    CSI     = |dF(top)| - |dF(bottom)|
    control = |dF(top)| - mean over random rivals of |dF(rival)|

and the index of a set of pictures is the mean over the pictures (never over the steps of one trajectory). Regions have
equal area; rivals are the top region itself in random places.

Regions are the parts that a map calls most and least important; interventions are four ways to destroy what a region
shows and leave the rest of the picture alone, on values of pixels in 0..1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from core.jobs.stream import JobContext
from xai.trajectory.target import Target

Mask = NDArray[np.bool_]

AREA: Final = 0.1
"""Share of the picture that each region takes."""

SMOOTHING: Final = 0.03
"""Blur before ranking, as a fraction of the longer side: regions, not scattered pixels."""

RANDOM_DRAWS: Final = 20


def importance(attribution: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return how much each pixel matters, whatever its sign: |sum over the channels|, blurred; shape (H, W).

    Parameters
    ----------
    attribution
        Signed, shape (H, W, 3) or (H, W).
    """
    total = attribution if attribution.ndim == 2 else attribution.sum(axis=2, dtype=np.float64)
    blurred: NDArray[np.float64] = gaussian_filter(np.abs(total).astype(np.float64), SMOOTHING * max(total.shape))
    return blurred


def region_size(shape: tuple[int, ...], area: float = AREA) -> int:
    """Return the number of pixels in a region: `area` of all, at least one and at most half of them."""
    pixels = shape[0] * shape[1]
    return min(max(1, round(area * pixels)), pixels // 2)


def top_and_bottom(values: NDArray[np.floating], area: float = AREA) -> tuple[Mask, Mask]:
    """Return the masks of the largest and of the smallest values, of exactly the same number of pixels, disjoint.

    Equal values rank in reading order, so that the regions are always the same.
    """
    count = region_size(values.shape, area)
    order = np.argsort(values, axis=None, kind="stable")
    return _mask(order[-count:], values.shape), _mask(order[:count], values.shape)


def random_rivals(mask: Mask, draws: int, rng: np.random.Generator) -> Iterator[Mask]:
    """Yield a region moved to random places: shifted around the edges, mirrored and, in a square, turned.

    So a rival has the area of the region, and its shape and perimeter too unless the edge of the picture cuts it.
    """
    height, width = mask.shape
    for _ in range(draws):
        moved = np.roll(mask, (int(rng.integers(height)), int(rng.integers(width))), axis=(0, 1))
        moved = moved[:: rng.choice((-1, 1)), :: rng.choice((-1, 1))]
        turned = moved.T if height == width and rng.random() < 0.5 else moved
        yield np.ascontiguousarray(turned)


def _mask(indices: NDArray[np.int64], shape: tuple[int, ...]) -> Mask:
    mask = np.zeros(shape[0] * shape[1], dtype=bool)
    mask[indices] = True
    return mask.reshape(shape)


Picture = NDArray[np.float64]
"""Shape (H, W, 3), 0..1."""

NOISE_STD: Final = 0.25
"""As ISICGenerator's 0.5 for pixels in [-1, 1]."""

BLUR_SIGMA: Final = 0.05
"""As a fraction of the longer side."""

PATCH: Final = 1 / 32
"""Side of the shuffled patches, as a fraction of the longer side."""


def add_noise(picture: Picture, mask: Mask, rng: np.random.Generator) -> Picture:
    """Add normal noise of standard deviation 0.25 inside the region; clipped to 0..1.

    The noise is drawn for the whole picture, so that two regions under the same `rng` differ by their place alone.
    """
    noisy = (picture + rng.normal(0, NOISE_STD, picture.shape)).clip(0, 1)
    return np.where(mask[..., None], noisy, picture)


def blur(picture: Picture, mask: Mask, _rng: np.random.Generator) -> Picture:
    """Replace the region by the picture blurred with a Gaussian of 5 % of its side."""
    sigma = BLUR_SIGMA * max(mask.shape)
    blurred = gaussian_filter(picture, (sigma, sigma, 0))
    return np.where(mask[..., None], blurred, picture)


def shuffle_patches(picture: Picture, mask: Mask, rng: np.random.Generator) -> Picture:
    """Shuffle the square patches that lie wholly inside the region, and all its other pixels among themselves."""
    side = max(1, round(PATCH * max(mask.shape)))
    shuffled, rest = picture.copy(), mask.copy()
    corners = _whole_patches(mask, side)
    for (y, x), (v, u) in zip(corners, rng.permutation(corners), strict=True):
        shuffled[y : y + side, x : x + side] = picture[v : v + side, u : u + side]
        rest[y : y + side, x : x + side] = False
    pixels = np.flatnonzero(rest)
    shuffled.reshape(-1, 3)[pixels] = picture.reshape(-1, 3)[rng.permutation(pixels)]
    return shuffled


def make_constant(picture: Picture, mask: Mask, _rng: np.random.Generator) -> Picture:
    """Paint the region in its own median colour."""
    return np.where(mask[..., None], np.median(picture[mask], axis=0), picture)


INTERVENTIONS: Final[dict[str, Callable[[Picture, Mask, np.random.Generator], Picture]]] = {
    "noise": add_noise,
    "blur": blur,
    "shuffle": shuffle_patches,
    "const": make_constant,
}

TITLES: Final = {
    "noise": "noise",
    "blur": "Gaussian blur",
    "shuffle": "patch shuffle",
    "const": "median colour",
}

RANDOM_ONES: Final = ("noise", "shuffle")
"""Those that come out differently every time, and so are averaged over several repeats."""


def _whole_patches(mask: Mask, side: int) -> NDArray[np.int64]:
    """Return the upper left corners of the patches of a fixed grid that lie inside the region, shape (n, 2)."""
    height, width = mask.shape[0] // side * side, mask.shape[1] // side * side
    blocks = mask[:height, :width].reshape(height // side, side, width // side, side)
    return np.argwhere(blocks.all(axis=(1, 3))) * side


REPEATS: Final = 4
"""How often a random intervention is done to top and bottom; each rival gets one."""

FORMULA: Final = "CSI = E[|dF(top)|] - E[|dF(bottom)|], F the logit, E over independent images"


@dataclass(frozen=True, slots=True)
class Shift:
    """What one intervention did to one picture; all values are logits.

    Attributes
    ----------
    top, bottom
        dF of each repeat, signed.
    rivals
        dF of each random rival, signed.
    """

    top: tuple[float, ...]
    bottom: tuple[float, ...]
    rivals: tuple[float, ...]

    @property
    def mean_top(self) -> float:
        """|dF(top)|, averaged over the repeats."""
        return float(np.mean(np.abs(self.top)))

    @property
    def mean_bottom(self) -> float:
        """|dF(bottom)|, averaged over the repeats."""
        return float(np.mean(np.abs(self.bottom)))

    @property
    def mean_rival(self) -> float:
        """|dF(rival)|, averaged over the rivals."""
        return float(np.mean(np.abs(self.rivals)))

    @property
    def csi(self) -> float:
        """The picture's contribution to the Causal Shift Index."""
        return self.mean_top - self.mean_bottom

    @property
    def control(self) -> float:
        """How much more the top region moves the logit than the same region elsewhere."""
        return self.mean_top - self.mean_rival

    def to_json(self) -> dict[str, object]:
        """Return all values as JSON types."""
        return {
            "dF_top": list(self.top),
            "dF_bottom": list(self.bottom),
            "dF_random": list(self.rivals),
            "abs_dF_top": self.mean_top,
            "abs_dF_bottom": self.mean_bottom,
            "abs_dF_random": self.mean_rival,
            "csi": self.csi,
            "top_minus_random": self.control,
        }


@dataclass(frozen=True, slots=True)
class ShiftDifference:
    """One shift minus another of the same picture and intervention: nothing but chance where the two were dealt out."""

    first: Shift
    second: Shift

    @property
    def csi(self) -> float:
        """The difference of the two contributions to the index, in logits."""
        return self.first.csi - self.second.csi

    @property
    def control(self) -> float:
        """The difference of top minus random places, in logits."""
        return self.first.control - self.second.control

    def to_json(self) -> dict[str, object]:
        """Return both shifts and the differences as JSON types."""
        return {
            "csi": self.csi,
            "top_minus_random": self.control,
            "first": self.first.to_json(),
            "second": self.second.to_json(),
        }


def measure_shifts(
    target: Target,
    picture: NDArray[np.uint8],
    top: Mask,
    bottom: Mask,
    *,
    seed: int = 0,
    draws: int = RANDOM_DRAWS,
    context: JobContext | None = None,
) -> dict[str, Shift]:
    """Change the regions of a picture in every way, and see how the logit moves.

    Parameters
    ----------
    picture
        uint8, shape (H, W, 3).
    seed
        Of the rivals' places and of the random interventions.
    draws
        Number of random rivals.

    Returns
    -------
    One `Shift` for each of `INTERVENTIONS`.
    """
    values = picture / 255.0
    unchanged = float(target.of_pictures(picture[None])[0])
    rivals = list(random_rivals(top, draws, np.random.default_rng([seed, 0])))
    shifts = {}
    for number, name in enumerate(INTERVENTIONS):
        repeats = REPEATS if name in RANDOM_ONES else 1
        jobs = [(mask, repeat) for mask in (top, bottom) for repeat in range(repeats)]
        jobs += [(mask, draw) for draw, mask in enumerate(rivals)]
        seeds = [(seed, 1 + number, repeat) for _, repeat in jobs]
        changed = [change(name, values, mask, one) for (mask, _), one in zip(jobs, seeds, strict=True)]
        found = (unchanged - target.of_pixels(_tensor(changed), context)).tolist()
        shifts[name] = Shift(tuple(found[:repeats]), tuple(found[repeats : 2 * repeats]), tuple(found[2 * repeats :]))
    return shifts


def shifts_to_json(shifts: Mapping[str, Shift | ShiftDifference]) -> dict[str, object]:
    """Return the shifts as JSON types, by intervention."""
    return {name: shift.to_json() for name, shift in shifts.items()}


def change(name: str, values: Picture, mask: Mask, seed: tuple[int, ...]) -> Picture:
    """Return a picture (0..1) with a region changed; the same seed always changes it in the same way."""
    return INTERVENTIONS[name](values, mask, np.random.default_rng(seed))


def _tensor(pictures: Sequence[Picture]) -> torch.Tensor:
    return torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2).astype(np.float32))
