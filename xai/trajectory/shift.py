"""The Causal Shift Index: does changing what a map calls important move the classifier more than changing the rest?

For a picture x, an intervention and a region R, dF(R) = F(x) - F(x with R changed), F the target logit. For one picture

    CSI     = |dF(top)| - |dF(bottom)|
    control = |dF(top)| - mean over random rivals of |dF(rival)|

and the index of a set of pictures is the mean over the pictures (never over the steps of one trajectory). Regions have
equal area; rivals are the top region itself in random places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from core.jobs.stream import JobContext
from xai.trajectory.interventions import INTERVENTIONS, RANDOM_ONES, Picture
from xai.trajectory.regions import RANDOM_DRAWS, Mask, random_rivals
from xai.trajectory.target import Target

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
