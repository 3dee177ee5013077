"""The result over several images in plain sentences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from scipy.stats import binom

from xai.statistics import ALPHA, CONFIDENCE
from xai.trajectory.nulls import NullResult
from xai.trajectory.row import ENOUGH, Row
from xai.trajectory.summary import Summary
from xai.trajectory.words import NULL_WORDS, RESEARCH, RIVAL_WORDS

ADVISED: Final = 30
_ADVICE: Final = f"Analyse {ADVISED} per class (--count {ADVISED}) before you draw conclusions."

_ABOVE: Final = (1 - CONFIDENCE) / 2
"""Share of intervals that lie above a true value of 0."""

_SURE: Final = 0.99


def verdict_of_summary(summary: Summary) -> list[str]:
    """Return the result over several images, the most important sentence first."""
    return [
        _say_gates(summary),
        _say_index(summary),
        *_say_controls(summary),
        _say_size(summary),
        RESEARCH,
    ]


def _say_gates(summary: Summary) -> str:
    total = sum(summary.images.values())
    if summary.gates["red"] == total:
        return "Reliability check: failed for this classifier, so the numbers below are no information about lesions."
    right = sum(round(share * summary.images[code]) for code, share in summary.recognised.items())
    return (
        f"{total} images of {', '.join(summary.images)}: the predicted class is the target class for {right}. "
        f"Reliability check: {summary.gates['green']} passed, {summary.gates['amber']} caution, "
        f"{summary.gates['red']} failed."
    )


def _say_index(summary: Summary) -> str:
    family = [row for row in summary.family() if row.result.holm_p is not None]
    if not family:
        return "There is one image per class, so no test is possible: the numbers are measurements with n = 1."
    better = [row for row in family if (row.result.holm_p or 0) < ALPHA and row.result.mean > 0]
    worse = [row for row in family if (row.result.holm_p or 0) < ALPHA and row.result.mean < 0]
    words = (
        f"Changing the top 10 % of pixels of the maps changes the logit more than changing an equal area elsewhere in "
        f"{len(better)} of {len(family)} comparisons (Wilcoxon test, Holm correction over all of them, p < {ALPHA:g})"
    )
    return f"{words}{f', and less in {len(worse)}' if worse else ''}."


def _say_controls(summary: Summary) -> Iterable[str]:
    judged = [null for null in summary.nulls if null.joint_p is not None]
    if not judged:
        yield f"The negative controls cannot be tested with fewer than {ENOUGH} images per class."
    yield from map(_say_null, judged)
    for control, what in RIVAL_WORDS.items():
        rows = [row for row in summary.rows if row.map_row == control and row.is_judged]
        if rows:
            yield _say_rival(what, rows, _exceeding(summary, control))


def _say_null(null: NullResult) -> str:
    what = NULL_WORDS[null.control]
    counted = (
        f"all comparisons together have p = {null.joint_p:.2g}, and in {null.comparisons - null.misses} of "
        f"{null.comparisons} the CI includes 0"
    )
    if null.collapsed:
        return f"The negative control '{what}' is consistent with zero: {counted}."
    return (
        f"The negative control '{what}' differs from zero, although its true value is 0: {counted}. Either this is "
        "chance, or the measurement is biased: analyse other images (--seed) before you rely on the CSI."
    )


def _say_rival(what: str, rows: list[Row], exceeding: str) -> str:
    standing, chance = _above(rows), int(binom.ppf(_SURE, len(rows), _ABOVE))
    counted = f"in {standing} of {len(rows)} comparisons the CI is above 0 (by chance up to {chance})"
    if standing <= chance:
        return f"The comparison map '{what}' has no such CSI: {counted}."
    return (
        f"The comparison map '{what}' also has a CSI above 0: {counted}. That part is not specific to this map and "
        f"this class; only the excess is ({exceeding})."
    )


def _exceeding(summary: Summary, control: str) -> str:
    rows = [row for row in summary.beyond if row.map_row == control and row.is_judged]
    return f"the map exceeds it in {_above(rows)} of {len(rows)} comparisons, by CIs without correction"


def _above(rows: Iterable[Row]) -> int:
    return sum(row.result.covers_zero is False and row.result.mean > 0 for row in rows)


def _say_size(summary: Summary) -> str:
    fewest = min(summary.images.values())
    counted = f"n counts images, never steps of one trajectory; there are at least {fewest} per class."
    if fewest >= ADVISED:
        return counted
    if fewest >= ENOUGH:
        return f"{counted} {_ADVICE} Bootstrap CIs of so few images are somewhat too narrow."
    return (
        f"With {fewest} image{'' if fewest == 1 else 's'} per class, no test of that class can be significant "
        f"(the Wilcoxon test needs {ENOUGH} for p < {ALPHA:g}), and bootstrap CIs are too narrow. {_ADVICE}"
    )


def family_words(rows: Iterable[Row]) -> str:
    """Return what the family of tests is."""
    count = sum(1 for row in rows if row.result.holm_p is not None)
    return f"The Holm correction is over {count} tests: every class, intervention and contrast of the maps themselves."
