"""What came out, in sentences that a dermatologist can follow; every number is in logits unless said otherwise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from core.taxonomy import CLASS_INDEX, class_name
from xai.attribution import MIN_DIFFERENCE
from xai.explanation import GateVerdict
from xai.marks import MARKS
from xai.numbers import signed
from xai.trajectory.analysis import ImageAnalysis
from xai.trajectory.controls import Controls
from xai.trajectory.interventions import TITLES
from xai.trajectory.shift import Shift
from xai.trajectory.time_shap import TimeShap

ANECDOTE: Final = "This is one image, an anecdote: n = 1, no test."
RESEARCH: Final = "It says what this classifier reacts to. For research only, never a diagnosis."
LOGIT: Final = (
    "A logit is the classifier's score for a class before the scores are made into probabilities: the higher, the "
    "likelier."
)

NULL_WORDS: Final = {
    "random_attribution": "a random map",
    "random_head": "two shuffled heads, one minus the other",
    "permuted_labels": "this class and another in random order, one minus the other",
}
RIVAL_WORDS: Final = {
    "shuffled_head_map": "the map of a shuffled head",
    "other_class_effect": "the effect on another class",
}
_COMPARED: Final = {**NULL_WORDS, **RIVAL_WORDS}


def verdict_of_image(analysis: ImageAnalysis) -> list[str]:
    """Return the result for one image, the most important sentence first."""
    if analysis.gate.level == "red":
        return [say_gate(analysis.gate), "All numbers below describe this classifier, but say nothing about lesions."]
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
    """Return the gate's verdict on classifier and map."""
    if gate.level == "green":
        return "The gate found no reason to doubt the map."
    return f"{MARKS[gate.level].word}: {' '.join(gate.reasons)}"


def say_answer(analysis: ImageAnalysis) -> str:
    """Return what the classifier makes of the image."""
    code, answer = analysis.class_code, analysis.answer
    share = f"{answer.probabilities[answer.predicted]:.0%}"
    if answer.predicted == code:
        return f"The image was made for {long(code)}, and the classifier takes it for that ({share})."
    own = f"{answer.probabilities[code]:.0%}"
    said = f"{long(answer.predicted)} ({share}; {own} {code})"
    return f"The image was made for {long(code)}, but the classifier says {said}."


def say_difference(difference: int) -> list[str]:
    """Return a warning if the image that was analysed is not quite that of the file, else nothing."""
    if not difference:
        return []
    return [
        f"Everything here is about the image drawn again from its recipe, which is not that of the file: they differ "
        f"by up to {difference} of 255 levels."
    ]


def say_time(played: TimeShap, code: str) -> str:
    """Return when the class came into the image."""
    gain = played.full - played.empty
    if abs(gain) < MIN_DIFFERENCE:
        return (
            f"With all steps left out the logit of {code} would be nearly the same ({signed(-gain, 2)}), so there is "
            "no class to be looked for in time."
        )
    group = int(np.argmax(np.sign(gain) * played.shapley.values))
    verb = "come into" if gain > 0 else "leave"
    share = played.shapley.values[group]
    return (
        f"Signs of {code} {verb} the image most of all in {steps(played.groups[group])} of {played.groups[-1][1]}: "
        f"they account for {signed(share, 2)} of the {signed(gain, 2)} logits by which this image differs from the one "
        "made with all steps left out."
    )


def say_controls(own: Mapping[str, Shift], controls: Controls) -> str:
    """Return how often the index is as high as that of the map itself with another map, or for another class."""
    rows = {"random_attribution": controls.nulls["random_attribution"], **controls.rivals}
    counted = ", ".join(
        f"{_COMPARED[name]} under {sum(shifts[kind].csi >= shift.csi for kind, shift in own.items())}"
        for name, shifts in rows.items()
    )
    return (
        f"As high an index as that of this map for this class is reached by {counted} of {len(own)} interventions. "
        "Where one reaches it, the effect is not owed to this map for this class."
    )


def say_shifts(shifts: Mapping[str, Shift]) -> str:
    """Return whether the marked region matters more than others to the classifier, for one image."""
    stronger = {TITLES[name]: shift for name, shift in shifts.items() if shift.control > 0 and shift.csi > 0}
    if not stronger:
        return (
            "Changing the tenth of the picture that the map marks moves the classifier no more than changing as much "
            "of it elsewhere: here the map does not point at what matters."
        )
    most = max(stronger.values(), key=lambda shift: shift.control)
    return (
        f"Changing the tenth of the picture that the map marks moves the classifier more than changing as much of it "
        f"elsewhere under {len(stronger)} of {len(shifts)} interventions ({', '.join(stronger)}; at best by "
        f"{most.mean_top:.2f} against {most.mean_rival:.2f} logits at random places)."
    )


def say_logit(temperature: float) -> str:
    """Return what a logit is, for a classifier whose logits are divided by a temperature."""
    return f"{LOGIT} One logit more makes the odds of the class {math.exp(1 / temperature):.1f} times as high."


def steps(group: tuple[int, int]) -> str:
    """Return `step 3` or `steps 3 to 5`."""
    return f"step {group[0]}" if group[0] == group[1] else f"steps {group[0]} to {group[1]}"


def long(code: str) -> str:
    """Return `melanoma (MEL)`, or the name of an output that is no class."""
    if code not in CLASS_INDEX:
        return code
    name = class_name(code)
    return f"{name[0].lower()}{name[1:]} ({code})"
