"""What may be said: does it help, does it hurt, can nothing be told, or is it too good to be true?

Which arm with synthetic images is compared with which control is decided by the validation lesions, never by the test.
Only the alarm looks at every arm: what is too good to be true in one of them is a fault of the data, chosen or not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.few import FEW
from core.message import Message, joined
from evaluation.utility.arms import Arm
from evaluation.utility.request import ENOUGH_SEEDS
from evaluation.utility.statistics import LEAKAGE, Difference, Scores, compare
from evaluation.utility.training import Outcome
from reports.model import Level


@dataclass(frozen=True, eq=False)
class ArmResult:
    """All trainings of one arm."""

    arm: Arm
    outcomes: tuple[Outcome, ...]
    scores: Scores

    @property
    def validation_score(self) -> float:
        """Mean balanced accuracy on the validation lesions, which chooses among arms."""
        return float(np.mean([outcome.score for outcome in self.outcomes]))


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer.

    Attributes
    ----------
    chosen, control
        Keys of the arms that it compares; `chosen` is the alarming arm where one is.
    """

    level: Level
    words: Message
    chosen: str
    control: str
    difference: Difference


def differences(results: Sequence[ArmResult], metric: str) -> tuple[Difference, ...]:
    """Return every arm with synthetic images minus every control."""
    controls = [result for result in results if result.arm.is_control]
    return tuple(
        compare(mine.arm.key, mine.scores, control.arm.key, control.scores, metric)
        for mine in results
        if not mine.arm.is_control
        for control in controls
    )


def judge(results: Sequence[ArmResult], headline: Sequence[Difference], lesions: int, copies_of_test: int) -> Verdict:
    """Return what the experiment says.

    Parameters
    ----------
    headline
        `differences` in balanced accuracy.
    lesions
        Of the test set.
    copies_of_test
        Synthetic images that are photographs of the test set.
    """
    by_key = {result.arm.key: result for result in results}
    chosen = _best([result for result in results if not result.arm.is_control and result.arm.real])
    control = _best([result for result in results if result.arm.is_control])
    against = {difference.arm: difference for difference in headline if difference.than == control.arm.key}
    difference = max(filter(_is_alarming, against.values()), key=_gain, default=against[chosen.arm.key])
    level, words = _words(difference, by_key, lesions, copies_of_test)
    doubts = tuple(_doubts(len(chosen.outcomes), difference))
    words = joined((words, *doubts)) if doubts else words
    return Verdict(level, words, difference.arm, control.arm.key, difference)


def _gain(difference: Difference) -> float:
    return difference.interval.value or 0.0


def _is_alarming(difference: Difference) -> bool:
    return difference.call == "better" and _gain(difference) > LEAKAGE


def _best(results: Sequence[ArmResult]) -> ArmResult:
    return max(results, key=lambda result: result.validation_score)


def _words(
    difference: Difference, arms: Mapping[str, ArmResult], lesions: int, copies_of_test: int
) -> tuple[Level, Message]:
    if copies_of_test:
        return "bad", Message(
            "Photographs of the test set: %n synthetic image(s). No result here is valid.", n=copies_of_test
        )
    found, call = difference.interval, difference.call
    facts = {
        "arm": arms[difference.arm].arm.title,
        "control": arms[difference.than].arm.title,
        "points": _in_points(found.value),
        "low": _in_points(found.low),
        "high": _in_points(found.high),
        "lesions": lesions if lesions >= FEW else Message("too few ({n})", n=lesions),
    }
    if _is_alarming(difference):
        return "bad", Message(
            "Too good to be true: {arm} exceeds {control} by {points:+.1f} percentage points "
            "({low:+.1f} to {high:+.1f}). Published gains are a few percentage points: check "
            "whether the generator was trained on test photographs.",
            **facts,
        )
    if call == "better":
        return "good", Message(
            "Better than the best control: {arm} exceeds {control} by {points:+.1f} percentage "
            "points of balanced accuracy (95 % CI {low:+.1f} to {high:+.1f}, {lesions} test "
            "lesions).",
            **facts,
        )
    if call == "worse":
        return "bad", Message(
            "Worse than the best control: {arm} differs from {control} by {points:+.1f} percentage "
            "points of balanced accuracy (95 % CI {low:+.1f} to {high:+.1f}, {lesions} test "
            "lesions).",
            **facts,
        )
    return "doubt", Message(
        "No detectable difference: {arm} differs from the best control ({control}) by "
        "{points:+.1f} percentage points of balanced accuracy (95 % CI {low:+.1f} to {high:+.1f}, "
        "{lesions} test lesions). The interval includes zero.",
        **facts,
    )


def _doubts(seeds: int, difference: Difference) -> Iterator[Message]:
    if difference.call == "not distinguishable" and _gain(difference) > LEAKAGE:
        yield Message("If it is a gain, it is suspiciously large: more test lesions are needed to decide.")
    if seeds == 1:
        yield Message("Only one seed: the variation between trainings is unknown, and the interval is too narrow.")
    elif seeds < ENOUGH_SEEDS:
        yield Message("{n} seeds are few; five or more are usual.", n=seeds)


def _in_points(share: float | None) -> float:
    """Return a difference of shares in percentage points, NaN if there is none; the message writes it."""
    return math.nan if share is None else 100 * share


def points(share: float | None) -> str:
    """Return a difference of shares in percentage points, with its sign."""
    return "?" if share is None else f"{100 * share:+.1f}"
