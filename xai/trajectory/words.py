"""The result for one image and for several in sentences; every number is in logits unless stated otherwise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from scipy.stats import binom

from core.taxonomy import CLASS_INDEX, class_name
from xai.attribution import MIN_DIFFERENCE
from xai.explanation import GateVerdict, signed
from xai.statistics import ALPHA, CONFIDENCE
from xai.trajectory.analysis import ImageAnalysis
from xai.trajectory.controls import Controls
from xai.trajectory.shift import TITLES, Shift
from xai.trajectory.summary import ENOUGH, NullResult, Row, Summary
from xai.trajectory.time_shap import TimeShap

ANECDOTE: Final = "This is one image, an anecdote: n = 1, no test."
RESEARCH: Final = "This describes what the classifier responds to. For research only, never a diagnosis."
LOGIT: Final = (
    "A logit is the classifier's score for a class before the scores are converted to probabilities; a higher logit "
    "means a more probable class."
)

NULL_WORDS: Final = {
    "random_attribution": "a random map",
    "random_head": "two heads with permuted weights, one minus the other",
    "permuted_labels": "this class and another in random order, one minus the other",
}
RIVAL_WORDS: Final = {
    "shuffled_head_map": "the map of a head with permuted weights",
    "other_class_effect": "the effect on another class",
}
_COMPARED: Final = {**NULL_WORDS, **RIVAL_WORDS}


def verdict_of_image(analysis: ImageAnalysis) -> list[str]:
    """Return the result for one image, the most important sentence first."""
    if analysis.gate.level == "red":
        return [
            say_gate(analysis.gate),
            "All numbers below describe this classifier only; they are no information about lesions.",
        ]
    return [
        say_answer(analysis),
        *say_difference(analysis.difference),
        say_time(analysis.time_shap, analysis.class_code),
        say_shifts(analysis.last.shifts),
        say_controls(analysis.last.shifts, analysis.controls),
        ANECDOTE,
        say_gate(analysis.gate),
        RESEARCH,
    ]


def say_gate(gate: GateVerdict) -> str:
    """Return the result of the reliability check for classifier and map."""
    return " ".join((f"Reliability check: {gate.result}.", *gate.reasons))


def say_answer(analysis: ImageAnalysis) -> str:
    """Return the predicted class of the image and its target class."""
    code, answer = analysis.class_code, analysis.answer
    share = f"{answer.probabilities[answer.predicted]:.0%}"
    if answer.predicted == code:
        return f"The target class is {long(code)}, and it is the predicted class ({share})."
    own = f"{answer.probabilities[code]:.0%}"
    said = f"{long(answer.predicted)} ({share}; {own} {code})"
    return f"The target class is {long(code)}, but the predicted class is {said}."


def say_difference(difference: int) -> list[str]:
    """Return a warning if the image that was analysed is not quite that of the file, else nothing."""
    if not difference:
        return []
    return [
        f"All results are about the image reproduced from its recipe, which differs from the file by up to "
        f"{difference} of 255 levels."
    ]


def say_time(played: TimeShap, code: str) -> str:
    """Return when the class appeared in the image."""
    gain = played.full - played.empty
    if abs(gain) < MIN_DIFFERENCE:
        return (
            f"With all steps ablated the logit of {code} would be nearly the same ({signed(-gain, 2)}), so there is no "
            "effect to be divided among the steps."
        )
    group = int(np.argmax(np.sign(gain) * played.shapley.values))
    verb = "appears" if gain > 0 else "disappears"
    share = played.shapley.values[group]
    return (
        f"The class {code} {verb} mostly in {steps(played.groups[group])} of {played.groups[-1][1]}: they contribute "
        f"{signed(share, 2)} of the logit difference of {signed(gain, 2)} between this image and the one with all "
        "steps ablated."
    )


def say_controls(own: Mapping[str, Shift], controls: Controls) -> str:
    """Return how often another map, or another class, reaches the causal shift index of the map itself."""
    rows = {"random_attribution": controls.nulls["random_attribution"], **controls.rivals}
    counted = ", ".join(
        f"{_COMPARED[name]} under {sum(shifts[kind].csi >= shift.csi for kind, shift in own.items())}"
        for name, shifts in rows.items()
    )
    return (
        f"The causal shift index (CSI) of this map for this class is reached by {counted} of {len(own)} interventions. "
        "Where it is reached, the effect is not specific to this map and this class."
    )


def say_shifts(shifts: Mapping[str, Shift]) -> str:
    """Return whether the marked region matters more than others to the classifier, for one image."""
    stronger = {TITLES[name]: shift for name, shift in shifts.items() if shift.control > 0 and shift.csi > 0}
    if not stronger:
        return (
            "Changing the top 10 % of pixels of the map changes the logit no more than changing an equal area "
            "elsewhere: the map does not mark what matters to the classifier here."
        )
    most = max(stronger.values(), key=lambda shift: shift.control)
    return (
        f"Changing the top 10 % of pixels of the map changes the logit more than changing an equal area elsewhere "
        f"under {len(stronger)} of {len(shifts)} interventions ({', '.join(stronger)}; at most "
        f"{most.mean_top:.2f} against {most.mean_rival:.2f} logits at random places)."
    )


def say_logit(temperature: float) -> str:
    """Return what a logit is, for a classifier whose logits are divided by a temperature."""
    return f"{LOGIT} One logit more multiplies the odds of the class by {math.exp(1 / temperature):.1f}."


def steps(group: tuple[int, int]) -> str:
    """Return `step 3` or `steps 3 to 5`."""
    return f"step {group[0]}" if group[0] == group[1] else f"steps {group[0]} to {group[1]}"


def long(code: str) -> str:
    """Return `melanoma (MEL)`, or the name of an output that is no class."""
    if code not in CLASS_INDEX:
        return code
    name = class_name(code)
    return f"{name[0].lower()}{name[1:]} ({code})"


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
