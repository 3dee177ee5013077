"""The arms: what each one learns from. All get the same number of optimiser steps of the same size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from core.message import Message

Balance = Literal["none", "weights", "sampling"]
Rows = NDArray[np.int64]

REAL: Final = "real"
DUPLICATED: Final = "real_duplicated"
SYNTHETIC_ONLY: Final = "synthetic_only"


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to put the training set together.

    Attributes
    ----------
    real
        Whether the real photographs are in it.
    added
        What is added: nothing, synthetic images, or real photographs once more with the classes of the synthetic ones.
    ratio
        Images added for one real image.
    balance
        Against unequal classes: nothing, weights in the loss, classes drawn equally often.
    """

    key: str
    title: Message
    real: bool = True
    added: Literal["nothing", "synthetic", "real"] = "nothing"
    ratio: float = 0.0
    balance: Balance = "none"

    @property
    def is_control(self) -> bool:
        """Whether it does without synthetic images."""
        return self.added != "synthetic"


def plan_arms(ratios: tuple[float, ...]) -> tuple[Arm, ...]:
    """Return the controls, the arms with synthetic images by ratio, and synthetic images alone."""
    usual = 1.0 if 1.0 in ratios else ratios[0]
    controls = (
        Arm(REAL, Message("real")),
        Arm("real_weighted", Message("real, classes weighted"), balance="weights"),
        Arm("real_oversampled", Message("real, rare classes oversampled"), balance="sampling"),
        Arm(
            DUPLICATED,
            Message("real + resampled real (matched control), {ratio:g} : 1", ratio=usual),
            added="real",
            ratio=usual,
        ),
    )
    mixed = (
        Arm(f"synthetic_{ratio:g}", Message("real + synthetic, {ratio:g} : 1", ratio=ratio), True, "synthetic", ratio)
        for ratio in sorted(ratios)
    )
    return (*controls, *mixed, Arm(SYNTHETIC_ONLY, Message("synthetic only"), False, "synthetic"))


def training_rows(arm: Arm, real: Rows, synthetic: Rows, labels: NDArray[np.int64], seed: int) -> Rows:
    """Return the rows of an arm's training set, with repetitions where there are fewer images than the ratio asks for.

    Parameters
    ----------
    real, synthetic
        Rows of the real and of the synthetic images.
    labels
        Class of every row.
    seed
        Of the choice of the images that are added.
    """
    if not arm.real:
        return synthetic
    rng = np.random.default_rng([seed, len(real), len(synthetic)])
    count = round(arm.ratio * len(real))
    if arm.added == "nothing" or not count:
        return real
    added = _drawn(synthetic, count, rng)
    if arm.added == "real":
        added = _same_classes(added, real, labels, rng)
    return np.concatenate([real, added])


def _drawn(rows: Rows, count: int, rng: np.random.Generator) -> Rows:
    """Return `count` of the rows, each as often as any other, give or take one."""
    whole, rest = divmod(count, len(rows))
    return np.concatenate([*[rows] * whole, rng.permutation(rows)[:rest]])


def _same_classes(chosen: Rows, real: Rows, labels: NDArray[np.int64], rng: np.random.Generator) -> Rows:
    """Return real rows with the classes of the chosen ones; a class without real images gives nothing."""
    parts = []
    for label in np.unique(labels[chosen]):
        own = real[labels[real] == label]
        if len(own):
            parts.append(_drawn(own, int((labels[chosen] == label).sum()), rng))
    return np.concatenate(parts) if parts else real[:0]
