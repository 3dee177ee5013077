"""Whether the null rows of a summary have collapsed: one test for each row over all its comparisons together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from xai.statistics import joint_null_p
from xai.trajectory.controls import NULLS
from xai.trajectory.row import Row

ALARM: Final = 0.01
"""Below this joint p a null row stands: one summary in a hundred for each of the three rows, by chance."""


@dataclass(frozen=True, slots=True)
class NullResult:
    """What came of a null row.

    Attributes
    ----------
    control
        One of `controls.NULLS`.
    comparisons, misses
        Number of comparisons of at least `row.ENOUGH` images, and of those whose interval does not cover 0.
    joint_p
        `statistics.joint_null_p` over the classes of at least `row.ENOUGH` images; None where there is none.
    """

    control: str
    comparisons: int
    misses: int
    joint_p: float | None

    @property
    def collapsed(self) -> bool | None:
        """Whether nothing but chance is left of the index; None where it cannot be judged."""
        return None if self.joint_p is None else self.joint_p >= ALARM

    def to_json(self) -> dict[str, Any]:
        """Return all fields as JSON types, with `collapsed`."""
        return {**asdict(self), "collapsed": self.collapsed}


def judge_nulls(rows: Sequence[Row], classes: Sequence[str], seed: int = 0) -> tuple[NullResult, ...]:
    """Return what came of each of `controls.NULLS`.

    Parameters
    ----------
    rows
        All comparisons of a summary.
    classes
        Those whose images are told apart; comparisons of all of them together follow from these.
    """
    return tuple(_judge(name, [row for row in rows if row.map_row == name], classes, seed) for name in NULLS)


def _judge(name: str, rows: list[Row], classes: Sequence[str], seed: int) -> NullResult:
    judged = [row for row in rows if row.is_judged]
    blocks = [[row.values for row in judged if row.class_code == code] for code in classes]
    groups = [np.array(block, dtype=np.float64).T for block in blocks if block]
    misses = sum(row.result.covers_zero is False for row in judged)
    return NullResult(name, len(judged), misses, joint_null_p(groups, seed) if groups else None)
