"""What came out, in sentences that a dermatologist can follow; every number is in logits unless said otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from core.taxonomy import CLASS_INDEX, class_name
from xai.attribution import MIN_DIFFERENCE
from xai.explanation import GateVerdict
from xai.marks import MARKS
from xai.trajectory.analysis import ImageAnalysis
from xai.trajectory.interventions import TITLES
from xai.trajectory.shift import Shift
from xai.trajectory.time_shap import TimeShap

ANECDOTE: Final = "This is one image, an anecdote: n = 1, no test."
RESEARCH: Final = "It says what this classifier reacts to. For research only, never a diagnosis."


def verdict_of_image(analysis: ImageAnalysis) -> list[str]:
    """Return the result for one image, the most important sentence first."""
    if analysis.gate.level == "red":
        return [say_gate(analysis.gate), "All numbers below describe this classifier, but say nothing about lesions."]
    return [
        say_answer(analysis),
        *say_difference(analysis.difference),
        say_time(analysis.time_shap, analysis.class_code),
        say_shifts(analysis.last.shifts),
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
            f"With all steps left out the logit of {code} would be nearly the same ({gain:+.2f}), so there is no class "
            "to be looked for in time."
        )
    group = int(np.argmax(np.sign(gain) * played.shapley.values))
    verb = "come into" if gain > 0 else "leave"
    share = played.shapley.values[group]
    return (
        f"Signs of {code} {verb} the image mainly in {steps(played.groups[group])} of {played.groups[-1][1]}: they "
        f"account for {share:+.2f} of the {gain:+.2f} logits by which this image differs from the one made with all "
        "steps left out."
    )


def say_shifts(shifts: Mapping[str, Shift]) -> str:
    """Return whether the marked region matters more than others to the classifier, for one image."""
    stronger = [TITLES[name] for name, shift in shifts.items() if shift.control > 0 and shift.csi > 0]
    if not stronger:
        return (
            "Changing the tenth of the picture that the map marks moves the classifier no more than changing as much "
            "of it elsewhere: here the map does not point at what matters."
        )
    most = max(shifts.values(), key=lambda shift: shift.control)
    return (
        f"Changing the tenth of the picture that the map marks moves the classifier more than changing as much of it "
        f"elsewhere under {len(stronger)} of {len(shifts)} interventions ({', '.join(stronger)}; at best by "
        f"{most.mean_top:.2f} against {most.mean_rival:.2f} logits at random places)."
    )


def steps(group: tuple[int, int]) -> str:
    """Return `step 3` or `steps 3 to 5`."""
    return f"step {group[0]}" if group[0] == group[1] else f"steps {group[0]} to {group[1]}"


def long(code: str) -> str:
    """Return `melanoma (MEL)`, or the name of an output that is no class."""
    return f"{class_name(code)} ({code})" if code in CLASS_INDEX else code
