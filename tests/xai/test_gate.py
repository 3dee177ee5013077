"""Each rule of the gate on both sides of its threshold, and the order of the reasons."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.models.classification.loading import ValidationRecord
from core.taxonomy import CLASS_CODES
from measures.reference import Reference
from xai.explanation import GateVerdict
from xai.gate import (
    GREEN,
    combine,
    judge_confidence,
    judge_convergence,
    judge_direction,
    judge_head,
    judge_record,
    judge_sanity,
    judge_shift,
    judge_strength,
    judge_target,
    normalised_entropy,
)


def answer(**probabilities):
    rest = (1 - sum(probabilities.values())) / (len(CLASS_CODES) - len(probabilities))
    return {code: probabilities.get(code, rest) for code in CLASS_CODES}


def test_the_worst_level_wins_and_its_reasons_come_first():
    verdict = combine(GREEN, GateVerdict("amber", ("a", "b")), GateVerdict("red", ("r",)), GateVerdict("amber", ("c",)))
    assert verdict == GateVerdict("red", ("r", "a", "b", "c"))
    assert combine(GREEN, GREEN) == GREEN


@pytest.mark.parametrize(
    ("classes", "problem", "level", "words"),
    [
        (CLASS_CODES, None, "green", ""),
        ((*CLASS_CODES, "unnamed"), None, "green", ""),
        (("MEL", "NV"), None, "green", ""),
        (CLASS_CODES, "it is random", "red", "it is random"),
        (tuple(f"output {i}" for i in range(1000)), None, "red", "ImageNet"),
        (tuple(f"output {i}" for i in range(5)), None, "red", "5 outputs"),
    ],
)
def test_heads(classes, problem, level, words):
    verdict = judge_head(classes, problem)
    assert verdict.level == level
    assert words in " ".join(verdict.reasons)


@pytest.mark.parametrize(
    ("accuracy", "images", "level"),
    [
        (0.8, 500, "green"),
        (0.5, 500, "green"),
        (0.49, 500, "amber"),
        (0.143, 500, "red"),
        (0.3, 20, "red"),
        (0.0, 9, "red"),
        (1.0, 0, "green"),
        (0.6, 0, "red"),
        (0.23, 100, "amber"),
        (0.22, 100, "red"),
    ],
)
def test_records(accuracy, images, level):
    assert judge_record(ValidationRecord(accuracy, images, "hash"), 7).level == level


def test_of_a_single_class_nobody_is_better_than_chance():
    assert judge_record(ValidationRecord(1.0, 500, "hash"), 1).level == "red"


def test_no_record_is_never_green():
    verdict = judge_record(None, 7)
    assert verdict.level == "amber"
    assert "no validation record" in verdict.reasons[0]


def test_chance_is_that_of_the_classes_that_were_measured():
    two = ValidationRecord(0.4, 500, "hash", chance=0.5)
    verdict = judge_record(two, 7)
    assert verdict.level == "red", "0.4 of two classes is no better than a guess, whatever seven would be"
    assert "chance is 0.50" in " ".join(verdict.reasons)
    assert "chance is 0.14" in " ".join(judge_record(ValidationRecord(0.1, 500, "hash"), 7).reasons)


@pytest.mark.parametrize(("images", "is_said"), [(29, True), (30, False)])
def test_few_images_are_said_in_the_sentence_of_the_number(images, is_said):
    (reason,) = judge_record(ValidationRecord(0.3, images, "hash", chance=0.5), 7).reasons
    assert ("too few to say much" in reason) == is_said


def test_entropy_is_1_for_all_alike_and_0_for_certainty():
    assert normalised_entropy(dict.fromkeys("abcd", 0.25)) == pytest.approx(1)
    assert normalised_entropy({"a": 1.0, "b": 0.0}) == 0
    assert normalised_entropy({"a": 0.5, "b": 0.5, "c": 0.0, "d": 0.0}) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("probabilities", "intended", "words"),
    [
        (answer(MEL=0.8), "MEL", []),
        (answer(MEL=0.8), None, []),
        (answer(MEL=0.8), "NV", ["class: NV; predicted class: MEL"]),
        (answer(MEL=0.47, NV=0.44), "MEL", ["Close decision between MEL (47%) and NV (44%)"]),
        (answer(MEL=0.49, NV=0.38), "MEL", []),
        (answer(MEL=0.3), "MEL", ["undecided"]),
        (answer(NV=0.15), "MEL", ["undecided", "Close decision between", "class: MEL"]),
    ],
)
def test_confidence(probabilities, intended, words):
    verdict = judge_confidence(probabilities, intended)
    assert verdict.level == ("amber" if words else "green")
    assert len(verdict.reasons) == len(words)
    for reason, part in zip(verdict.reasons, words, strict=True):
        assert part in reason


def test_explaining_another_class_than_the_answer():
    assert judge_target("MEL", "MEL").level == "green"
    assert judge_target("MEL", "NV").level == "amber"


@pytest.mark.parametrize(
    ("target", "predicted", "difference", "level"),
    [
        ("MEL", "MEL", -0.5, "amber"),
        ("MEL", "MEL", 0.5, "green"),
        ("MEL", "NV", -0.5, "green"),
        ("MEL", "MEL", 0, "green"),
    ],
)
def test_an_image_that_speaks_against_the_answer_itself(target, predicted, difference, level):
    assert judge_direction(target, predicted, difference).level == level


@pytest.mark.parametrize(
    ("relative", "difference", "level"),
    [
        (0.0099, 2.0, "green"),
        (0.01, 2.0, "amber"),
        (0.049, -2.0, "amber"),
        (0.05, 2.0, "red"),
        (None, 0.02, "amber"),
        (math.nan, math.nan, "red"),
        (None, math.nan, "red"),
        (math.inf, 1.0, "red"),
    ],
)
def test_convergence(relative, difference, level):
    assert judge_convergence(relative, difference, 512).level == level


def test_nothing_to_explain_is_said_in_words():
    assert "nearly the same logit" in judge_convergence(None, 0.02, 32).reasons[0]


@pytest.mark.parametrize(("difference", "level"), [(0.9, "amber"), (-0.9, "amber"), (1.0, "green"), (-1.1, "green")])
def test_strength_against_real_images(difference, level):
    assert judge_strength(difference, ValidationRecord(0.8, 100, "h", strength_p5=1.0)).level == level
    assert judge_strength(difference, ValidationRecord(0.8, 100, "h")).level == "green"
    assert judge_strength(difference, None).level == "green"


def test_a_picture_beyond_the_training_images_is_amber_and_named() -> None:
    reference = Reference(np.zeros((9, 4), np.float16), 10.5, 734, "ab")
    assert judge_shift(10.5, reference) == GREEN
    assert judge_shift(None, reference) == judge_shift(99.0, None) == GREEN
    verdict = judge_shift(14.3, reference)
    assert verdict.level == "amber"
    assert "99 % of 734 held-out" in verdict.reasons[0]
    assert "14.3" in verdict.reasons[0]


def test_a_method_that_draws_the_same_for_random_weights_is_amber() -> None:
    assert judge_sanity("LayerCAM", None) == judge_sanity("LayerCAM", 0.5) == GREEN
    verdict = judge_sanity("LayerCAM", 0.71)
    assert verdict.level == "amber"
    assert "LayerCAM fails the weight-randomisation test" in verdict.reasons[0]
    assert "0.71" in verdict.reasons[0]


def test_entropy_of_two_classes():
    assert normalised_entropy({"A": 0.5, "B": 0.5}) == pytest.approx(1)
    assert normalised_entropy({"A": 1.0}) == 0
