"""How sure the scores and their differences are: lesions and seeds both vary.

A difference is that of the means over seeds. Its variance has two parts: the lesions of the test set (bootstrap,
paired: both arms answer the same lesions) and the seeds (paired too: the same seed in both arms). With few seeds the
second part is itself uncertain, which the quantile of a t distribution with Welch-Satterthwaite degrees of freedom
covers; a plain percentile interval over five seeds would claim too much.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from classifier.scores import fit_temperature, probabilities_of, score, score_calibration
from core.taxonomy import CLASS_CODES, CLASS_INDEX
from evaluation.utility.training import Outcome
from measures.bootstrap import resampled_counts

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Call = Literal["better", "worse", "not distinguishable"]

REPEATS: Final = 2000
CONFIDENCE: Final = 0.95
LEAKAGE: Final = 0.08
"""A gain in balanced accuracy above this is an alarm: published gains are a few points."""

HEADLINE: Final = "balanced_accuracy"
MELANOMA: Final = "melanoma_sensitivity_at_90_specificity"
METRICS: Final = (HEADLINE, "f1_macro", "auc_macro", MELANOMA, "ece", "brier")
RECALL: Final = "recall_"
SMALLER_IS_BETTER: Final = frozenset({"ece", "brier"})


@dataclass(frozen=True, slots=True)
class Interval:
    """A number with its 95 % interval; None where it has no meaning or nothing tells how sure it is."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def to_json(self) -> dict[str, float | None]:
        """Return it as a JSON object."""
        return {"value": self.value, "low": self.low, "high": self.high}

    @property
    def covers_zero(self) -> bool:
        """Whether the number may as well be 0."""
        return self.low is None or self.high is None or self.low <= 0 <= self.high


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores of one arm.

    Attributes
    ----------
    values
        By metric, (S, 1 + R): for each seed the score itself, then those of the resamples of the test lesions.
    """

    values: Mapping[str, Floats]

    def interval(self, metric: str) -> Interval:
        """Return the mean over seeds with its interval."""
        return interval_of(self.values[metric])


@dataclass(frozen=True, slots=True)
class Difference:
    """One arm minus another in one metric."""

    arm: str
    than: str
    metric: str
    interval: Interval

    @property
    def call(self) -> Call:
        """What may be said of it."""
        value = self.interval.value
        if value is None or self.interval.covers_zero:
            return "not distinguishable"
        return "better" if (value > 0) != (self.metric in SMALLER_IS_BETTER) else "worse"


def lesion_weights(lesions: Sequence[str], labels: Labels, *, repeats: int = REPEATS, seed: int = 0) -> Floats:
    """Return weights (1 + R, N) of the test images: ones, then counts of lesions resampled within their class."""
    counts = resampled_counts(lesions, strata=labels.tolist(), repeats=repeats, seed=seed)
    return np.concatenate([np.ones((1, len(labels))), counts.astype(np.float64)])


def scores_of(outcomes: Sequence[Outcome], truth: Labels, validation: Labels, weights: Floats) -> Scores:
    """Return the scores of an arm's trainings; the validation lesions calibrate the probabilities by temperature."""
    rows = [_scores(outcome, truth, validation, weights) for outcome in outcomes]
    return Scores({metric: np.stack([row[metric] for row in rows]) for metric in rows[0]})


def compare(arm: str, mine: Scores, than: str, theirs: Scores, metric: str = HEADLINE) -> Difference:
    """Return how much better an arm is than another, seed by seed and lesion by lesion."""
    return Difference(arm, than, metric, interval_of(mine.values[metric] - theirs.values[metric]))


def interval_of(values: Floats) -> Interval:
    """Return the mean over seeds of values (S, 1 + R) with its 95 % interval over lesions and seeds."""
    seeds = values[:, 0]
    if not np.isfinite(seeds).all():
        return Interval(None)
    mean = float(seeds.mean())
    resampled = values[:, 1:].mean(axis=0)
    resampled = resampled[np.isfinite(resampled)]
    if len(resampled) < 2:
        return Interval(mean)
    by_lesions = float(resampled.var(ddof=1))
    by_seeds = float(seeds.var(ddof=1) / len(seeds)) if len(seeds) > 1 else 0.0
    half = _quantile(by_lesions, by_seeds, len(seeds)) * math.sqrt(by_lesions + by_seeds)
    return Interval(mean, mean - half, mean + half)


def _quantile(by_lesions: float, by_seeds: float, seeds: int) -> float:
    """Return the two-sided quantile for a variance of which only the seeds' part is estimated from few numbers."""
    chance = (1 + CONFIDENCE) / 2
    if not by_seeds:
        return float(student.ppf(chance, 1e6))
    freedom = (by_lesions + by_seeds) ** 2 / (by_seeds**2 / (seeds - 1))
    return float(student.ppf(chance, freedom))


def _scores(outcome: Outcome, truth: Labels, validation: Labels, weights: Floats) -> dict[str, Floats]:
    temperature = fit_temperature(outcome.validation.astype(np.float64), validation)
    probabilities = probabilities_of(outcome.test.astype(np.float64) / temperature)
    found = score(probabilities, truth, weights)
    calibration = score_calibration(probabilities, truth, weights)
    chosen = {name: _floats(found[name]) for name in ("balanced_accuracy", "f1_macro", "auc_macro")}
    chosen[MELANOMA] = _floats(found["sensitivity_at_90_specificity"][:, CLASS_INDEX["MEL"]])
    chosen |= {name: _floats(calibration[name]) for name in ("ece", "brier")}
    return chosen | {f"{RECALL}{code}": _floats(found["recall"][:, row]) for row, code in enumerate(CLASS_CODES)}


def _floats(values: NDArray[Any]) -> Floats:
    return np.asarray(values, dtype=np.float64)
