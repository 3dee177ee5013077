"""Is this explanation worth showing? Green, amber or red, always with the reason in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from core.few import FEW
from core.message import Message
from core.models.classification.loading import ValidationRecord
from core.taxonomy import CLASS_INDEX
from measures.reference import Reference
from xai.explanation import GateLevel, GateVerdict

MAX_ENTROPY: Final = 0.9
MIN_MARGIN: Final = 0.1
GREEN_DELTA: Final = 0.01
AMBER_DELTA: Final = 0.05
MAX_SAMPLING_ERROR: Final = 0.05
MIN_AGREEMENT: Final = 0.5
MAX_SIMILARITY: Final = 0.5
WEAK_ACCURACY: Final = 0.5
IMAGENET_CLASSES: Final = 1000
MIN_SIDE: Final = 32
"""Pixels a picture must have on each side: what is enlarged from fewer shows no structure of a lesion."""

NOT_NUMBERS: Final = Message("The attribution contains values that are not numbers.")
GREEN: Final = GateVerdict("green")
_SEVERITY: Final[dict[GateLevel, int]] = {"red": 0, "amber": 1, "green": 2}


def combine(*verdicts: GateVerdict) -> GateVerdict:
    """Return the worst level with all reasons, worst first."""
    ordered = sorted(verdicts, key=lambda verdict: _SEVERITY[verdict.level])
    return GateVerdict(ordered[0].level, tuple(reason for verdict in ordered for reason in verdict.reasons))


def judge_head(classes: Sequence[str], head_problem: str | None) -> GateVerdict:
    """Judge whether the head can know the lesion classes at all.

    Parameters
    ----------
    classes
        Name of each logit.
    head_problem
        Why the head is taken to be untrained, or None.
    """
    outputs = len(classes)
    if outputs == IMAGENET_CLASSES:
        return _red(Message("The classifier predicts the 1,000 ImageNet classes; it was never trained on lesions."))
    if not CLASS_INDEX.keys() & set(classes):
        return _red(
            Message(
                "The classifier has {outputs} outputs, and their classes are not recorded.",
                outputs=outputs,
            )
        )
    if head_problem is not None:
        return _red(Message("The classifier's head is not trained on these classes: {problem}.", problem=head_problem))
    return GREEN


def judge_order(classes: Sequence[str]) -> GateVerdict:
    """Judge a classifier whose outputs nothing names: their order is taken for granted."""
    return _amber(
        Message("Nothing names the classifier's outputs: the order {codes} is assumed.", codes=", ".join(classes))
    )


def judge_record(record: ValidationRecord | None, classes: int) -> GateVerdict:
    """Judge what is known about how good the classifier is; chance is that of the classes measured, or of all."""
    if record is None:
        return _amber(Message("The classifier has no validation record: its accuracy on held-out lesions is unknown."))
    accuracy, chance = record.balanced_accuracy, record.chance or 1 / classes
    measured = Message(
        "balanced accuracy {accuracy:.2f} on {images} held-out images, chance is {chance:.2f}",
        accuracy=accuracy,
        images=record.images if record.images >= FEW else Message("{n} (too few to say much)", n=record.images),
        chance=chance,
    )
    if accuracy - 1.96 * math.sqrt(max(accuracy * (1 - accuracy), 0) / max(record.images, 1)) <= chance:
        return _red(Message("The classifier is not better than chance ({measured}).", measured=measured))
    if accuracy < WEAK_ACCURACY:
        return _amber(Message("The classifier is weak ({measured}).", measured=measured))
    return GREEN


def judge_confidence(probabilities: Mapping[str, float], intended: str | None = None) -> GateVerdict:
    """Judge whether the classifier has made up its mind, and whether on the class that the image was made for."""
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])
    predicted = ranked[0][0]
    verdicts = [GREEN]
    if normalised_entropy(probabilities) > MAX_ENTROPY:
        verdicts.append(_amber(Message("The prediction is undecided: all classes are nearly equally likely.")))
    if len(ranked) > 1 and ranked[0][1] - ranked[1][1] < MIN_MARGIN:
        verdicts.append(
            _amber(
                Message(
                    "Close decision between {first} ({p1:.0%}) and {second} ({p2:.0%}).",
                    first=predicted,
                    p1=ranked[0][1],
                    second=ranked[1][0],
                    p2=ranked[1][1],
                )
            )
        )
    if intended is not None and predicted != intended:
        words = Message(
            "Target class: {intended}; predicted class: {predicted}.",
            intended=intended,
            predicted=predicted,
        )
        verdicts.append(_amber(words))
    return combine(*verdicts)


def judge_picture(height: int, width: int, coloured: bool) -> GateVerdict:
    """Judge whether there is enough of a picture: the classifier answers to any, also to a single grey pixel."""
    verdicts = [GREEN]
    if min(height, width) < MIN_SIDE:
        small = Message(
            "The image has only {width} x {height} pixels: too few to show what a classifier uses.",
            width=width,
            height=height,
        )
        verdicts.append(_amber(small))
    if not coloured:
        grey = Message("The image has no colour, but skin lesion classifiers are trained on colour photographs.")
        verdicts.append(_amber(grey))
    return combine(*verdicts)


def normalised_entropy(probabilities: Mapping[str, float]) -> float:
    """Return the entropy divided by log K: 0 for certainty, 1 for all classes alike."""
    if len(probabilities) < 2:
        return 0.0
    return -sum(p * math.log(p) for p in probabilities.values() if p > 0) / math.log(len(probabilities))


def judge_target(target: str, predicted: str) -> GateVerdict:
    """Report when the explained class is not the predicted class."""
    if target == predicted:
        return GREEN
    return _amber(
        Message(
            "This map explains {target}, which is not the predicted class ({predicted}).",
            target=target,
            predicted=predicted,
        )
    )


def judge_direction(target: str, predicted: str, difference: float) -> GateVerdict:
    """Report when the image opposes the predicted class: the baseline is not suitable."""
    if target != predicted or not difference < 0:
        return GREEN
    return _amber(
        Message(
            "The baseline alone scores {more:.2f} logits higher for {target} than the image does, "
            "although {target} is the predicted class. Compare with another baseline.",
            more=-difference,
            target=target,
        )
    )


def judge_convergence(relative_delta: float | None, difference: float, steps: int) -> GateVerdict:
    """Judge how far the attribution's sum is from the difference it must explain.

    Parameters
    ----------
    relative_delta
        |delta| / |difference|, or None where the difference is too small to divide by.
    difference
        Logit of the image minus logit of the baseline.
    """
    if not math.isfinite(difference) or (relative_delta is not None and not math.isfinite(relative_delta)):
        return _red(NOT_NUMBERS)
    if relative_delta is None:
        return _amber(
            Message(
                "Image and baseline have nearly the same logit (difference {difference:+.3f}). "
                "Choose another baseline.",
                difference=difference,
            )
        )
    level = delta_level(relative_delta)
    if level == "green":
        return GREEN
    words = Message(
        "The attribution did not converge: completeness error {share:.1%} after {steps} steps. "
        "Raise the maximum number of steps.",
        share=relative_delta,
        steps=steps,
    )
    return GateVerdict(level, (words,))


def delta_level(relative_delta: float) -> GateLevel:
    """Return how good a convergence delta is: green below 1 %, amber below 5 %, else red, also if it is no number."""
    if relative_delta < GREEN_DELTA:
        return "green"
    return "amber" if relative_delta < AMBER_DELTA else "red"


def judge_values(finite: bool) -> GateVerdict:
    """Judge whether every value of a map is a number."""
    return GREEN if finite else _red(NOT_NUMBERS)


def judge_sampling(relative_error: float) -> GateVerdict:
    """Judge sampled Shapley values by their largest standard error over the largest absolute value."""
    if relative_error <= MAX_SAMPLING_ERROR:
        return GREEN
    return _amber(
        Message(
            "The sampled Shapley values have not converged: the largest standard error is "
            "{share:.0%} of the largest value. Use fewer superpixels.",
            share=relative_error,
        )
    )


def judge_agreement(rank_agreement: float | None) -> GateVerdict:
    """Judge whether Integrated Gradients and Shapley values put the superpixels in the same order."""
    if rank_agreement is not None and rank_agreement >= MIN_AGREEMENT:
        return GREEN
    if rank_agreement is None:
        return _amber(Message("There are too few superpixels to say whether the two methods agree."))
    return _amber(
        Message(
            "Integrated Gradients and Shapley values disagree about which superpixels matter (rank "
            "correlation {correlation:.2f}). Inspect the two maps separately.",
            correlation=rank_agreement,
        )
    )


def judge_strength(difference: float, record: ValidationRecord | None) -> GateVerdict:
    """Judge the explained difference against the weakest twentieth of real validation images."""
    floor = None if record is None else record.strength_p5
    if floor is None or abs(difference) >= floor:
        return GREEN
    return _amber(
        Message(
            "Small effect: logit difference {moved:.2f}; 95 % of real validation images reach at least {floor:.2f}.",
            moved=abs(difference),
            floor=floor,
        )
    )


def judge_shift(distance: float | None, reference: Reference | None) -> GateVerdict:
    """Judge whether the classifier can know such pictures: by their distance to what it was trained on."""
    if distance is None or reference is None or distance <= reference.threshold:
        return GREEN
    return _amber(
        Message(
            "The image is unlike the training images of the classifier: its feature distance is "
            "larger than that of 99 % of {images} held-out photographs ({distance:.1f}; usually up "
            "to {usual:.1f}).",
            images=reference.held_out,
            distance=distance,
            usual=reference.threshold,
        )
    )


def judge_sanity(title: str, similarity: float | None) -> GateVerdict:
    """Judge how much of a method's maps stays once the classifier's weights are random; None if nobody knows."""
    if similarity is None or similarity <= MAX_SIMILARITY:
        return GREEN
    return _amber(
        Message(
            "{method} fails the weight-randomisation test (rank correlation {similarity:.2f}): "
            "maps may reflect image edges, not learned features.",
            method=title,
            similarity=similarity,
        )
    )


def _red(reason: str) -> GateVerdict:
    return GateVerdict("red", (reason,))


def _amber(reason: str) -> GateVerdict:
    return GateVerdict("amber", (reason,))
