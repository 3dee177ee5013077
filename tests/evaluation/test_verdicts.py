"""Where each verdict begins: the numbers on which it turns, written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core.message import Message
from diffusion.fidelity import Accuracy
from evaluation import appearance, diversity, fidelity, memorisation
from evaluation.appearance import Difference
from evaluation.distribution import Comparison, Side, compare, verdict
from evaluation.finding import Finding, worst
from evaluation.masks import section as masks
from evaluation.results import SetFindings
from evaluation.sets import ImageSet
from measures.duplicates import NearDuplicates
from measures.frechet import Frechet
from measures.kid import Kid
from measures.memorisation import Memorisation
from measures.prdc import Prdc
from reports.model import Level

USUAL = Prdc(0.8, 0.8, 1.0, 0.8)
NO_FRECHET = Frechet(None, None, 0, None, 9, 9, 9, Message("too few"))


def found(
    kid_low: float = 0.0,
    floor_high: float = 0.0,
    matched: Prdc | None = USUAL,
    reference: Prdc | None = USUAL,
) -> Comparison:
    kid, floor = Kid(0.5, kid_low, 0.9, 30, 40), Kid(0.1, -0.2, floor_high, 20, 20)
    return Comparison(30, 40, 35, kid, floor, NO_FRECHET, None, matched, reference, 20)


@pytest.mark.parametrize(
    ("kid_low", "floor_high", "level"),
    [(0.02, 0.02, "good"), (0.021, 0.02, "doubt"), (0.0, -0.1, "good"), (0.01, -0.1, "doubt"), (-0.1, -0.2, "good")],
)
def test_a_distance_whose_interval_reaches_down_to_that_of_real_photographs_is_good(kid_low, floor_high, level):
    assert found(kid_low, floor_high).level == level


@pytest.mark.parametrize(
    ("precision", "recall", "coverage", "level"),
    [(0.39, 0.8, 0.39, "bad"), (0.8, 0.39, 0.39, "bad"), (0.4, 0.4, 0.39, "good"), (0.39, 0.39, 0.4, "good"),
     (0.0, 0.0, 0.0, "bad"), (0.39, 0.8, 0.8, "good")],
)  # fmt: skip
def test_below_half_of_the_coverage_and_of_precision_or_recall_it_is_something_else(precision, recall, coverage, level):
    assert found(matched=Prdc(precision, recall, 1.0, coverage)).level == level


def test_without_any_of_the_numbers_nothing_is_known():
    whole = found()
    assert whole.level == "good"
    for name in ("kid", "kid_floor", "prdc_matched", "prdc_reference"):
        values = {field: getattr(whole, field) for field in Comparison.__dataclass_fields__}
        assert Comparison(**{**values, name: None}).level == "unknown"


def test_numbers_of_a_comparison_as_json():
    data = found(0.25).to_json()
    assert data["kid"] == {"value": 0.5, "low": 0.25, "high": 0.9, "n_a": 30, "n_b": 40}
    assert data["frechet"]["refused"] == "too few"
    assert data["prdc"]["value"] is None
    assert data["prdc"]["matched"] == {"precision": 0.8, "recall": 0.8, "density": 1.0, "coverage": 0.8}
    assert (data["prdc"]["reference_n"], data["level"], data["n_real"]) == (20, "doubt", 40)


def test_the_sentence_over_all_classes_has_the_numbers_of_the_first_space():
    bad, good, doubt = found(matched=Prdc(0.1, 0.1, 0.1, 0.1)), found(), found(0.5)
    unknown = found(matched=None)
    for comparisons, level, words in (
        ([good, good], "good", "No difference from real photographs was found."),
        ([good, doubt], "doubt", "The set is distinguishable from real photographs."),
        ([doubt, bad], "doubt", "The set is distinguishable from real photographs."),
        ([good, bad], "doubt", "The two feature spaces do not agree."),
        ([bad, good], "bad", "The set does not look like the real photographs."),
        ([good, unknown], "doubt", "The set is distinguishable from real photographs."),
    ):
        answer = verdict({str(place): one for place, one in enumerate(comparisons)})
        assert answer[0] == level
        assert answer[1].startswith("Kernel distance 0.500 (95 % CI ")
        assert "n = 30); two disjoint sets of real lesions: 0.100 (-0.200 to 0.000)" in answer[1]
        assert answer[1].endswith(words)
    level, words = verdict({"first": unknown, "second": good})
    assert (level, words) == ("unknown", "30 synthetic and 40 real images are too few to measure how similar they are.")


def side(n: int, seed: int, label: int = 0, lesions: int | None = None) -> Side:
    features = np.random.default_rng(seed).normal(size=(n, 3))
    return Side(features, np.full(n, label), [f"L{row % (lesions or n)}" for row in range(n)])


@pytest.mark.parametrize(
    ("real", "kid_floor", "prdc"), [(7, False, False), (8, True, False), (11, True, False), (12, True, True)]
)
def test_halves_of_four_have_a_floor_and_halves_of_six_have_neighbourhoods(real, kid_floor, prdc):
    one = compare(side(30, 1), side(real, 2))["MEL"]
    assert one.kid is not None
    assert (one.kid_floor is not None) is kid_floor
    assert (one.prdc is not None) is (one.prdc_matched is not None) is (one.prdc_reference is not None) is prdc
    assert one.reference_n == real // 2
    assert (one.n_synthetic, one.n_real, one.lesions) == (30, real, real)


def test_a_smaller_set_than_the_halves_is_compared_with_as_many():
    one = compare(side(9, 1), side(40, 2, lesions=20))["MEL"]
    assert (one.reference_n, one.lesions) == (9, 20)
    assert compare(side(3, 1), side(40, 2))["MEL"].kid is None
    assert compare(side(4, 1), side(40, 2))["MEL"].kid is not None
    assert "MEL" not in compare(side(4, 1, label=1), side(40, 2))
    undivided = compare(side(9, 1), side(8, 2, lesions=1))["MEL"]
    assert (undivided.kid_floor, undivided.prdc, undivided.reference_n, undivided.lesions) == (None, None, 0, 1)
    assert undivided.level == "unknown"


def difference(low: float, high: float) -> Difference:
    return Difference(1.0, 2.0, 3.0, (low + high) / 2, low, high)


@pytest.mark.parametrize(
    ("low", "high", "least", "level"),
    [(-1.0, 1.1, 0.0, "good"), (0.49, 9.0, 0.49, "good"), (0.5, 9.0, 0.5, "doubt"), (-9.0, -0.5, 0.5, "doubt"),
     (1.49, 2.0, 1.49, "doubt"), (1.5, 2.0, 1.5, "bad"), (-3.0, -1.5, 1.5, "bad")],
)  # fmt: skip
def test_colour_turns_on_what_the_interval_does_not_exclude(low, high, least, level):
    assert difference(low, high).least == least
    other = difference(-0.4, 0.4) if least else difference(-0.1, 0.1)
    answer = appearance._verdict({"green": other, "red": difference(low, high)})
    assert answer[0] == level
    assert answer[1].startswith(f"Largest difference: red, {(low + high) / 2:+.2f} standard deviations")
    assert f"(95 % CI {low:+.2f} to {high:+.2f})" in answer[1]


@pytest.mark.parametrize(
    ("flagged", "n", "ratio", "level"),
    [(0, 200, 0.5, "good"), (0, 200, 0.49, "doubt"), (0, 200, 0.25, "doubt"), (0, 200, 0.24, "bad"),
     (5, 200, 1.0, "doubt"), (4, 200, 1.0, "good"), (19, 200, 1.0, "bad"), (14, 200, 1.0, "doubt"),
     (3, 20, 1.0, "doubt"), (2, 20, 1.0, "good")],
)  # fmt: skip
def test_diversity_turns_on_the_lower_end_of_duplicates_and_on_half_of_the_score(flagged, n, ratio, level):
    """Wilson's lower ends in per cent: of 200 images 4: 0.8, 5: 1.1, 14: 4.2, 19: 6.2; of 20 images 2: 2.8, 3: 5.2."""
    pairs = [(f"a{i}", f"b{i}") for i in range(min(flagged, 2))]
    one = diversity._section(of_diversity(flagged, n, ratio, shown=pairs))
    assert one.level == level
    assert one.data["expected"] == max(0.01, 1 / (n + 1))
    assert (one.data["duplicates"], one.data["n"], one.data["share"]) == (flagged, n, flagged / n)
    assert one.data["low"] <= one.data["share"] <= one.data["high"]
    assert one.verdict.startswith(f"{flagged} of {n} images have a near-duplicate in the set ({flagged / n:.1%}, ")
    assert f"as varied as {10 * ratio:.1f} distinct images; the same number of real photographs, as 10.0" in one.verdict
    assert (one.data["vendi"], one.data["vendi_real"], one.data["threshold"]) == (10 * ratio, 10.0, 0.7)
    assert one.data["pairs"] == [list(pair) for pair in pairs]
    assert len(one.parts) == (2 if flagged else 1)


def of_diversity(
    flagged: int, n: int, ratio: float, *, copied: int = 0, shown: Sequence[tuple[str, str]] = ()
) -> diversity._Found:
    near = NearDuplicates(np.ones(n), np.zeros(n, np.int64), 0.7, n)
    return diversity._Found(np.arange(n) < flagged, np.arange(n) < copied, [10 * ratio, 10.0], "space", shown, near)


@pytest.mark.parametrize(
    ("copied", "ratio", "level"),
    [(0, 1.0, "good"), (1, 1.0, "doubt"), (5, 1.0, "doubt"), (6, 1.0, "bad"), (1, 0.2, "bad")],
)
def test_one_exact_copy_is_a_doubt_and_more_than_one_of_twenty_are_bad(copied, ratio, level):
    one = diversity._section(of_diversity(0, 100, ratio, copied=copied))
    assert (one.level, one.data["exact_copies"]) == (level, copied)
    assert one.verdict.startswith(f"{copied} of 100 images are exact copies") is (copied > 0)


def accuracy(value: float, low: float | None = None) -> Accuracy:
    return Accuracy(value, low, None if low is None else 1.0, 50)


@pytest.mark.parametrize(
    ("generated", "real", "classes", "level"),
    [
        (accuracy(0.8, 0.7), accuracy(1.0, 0.9), 4, "good"),
        (accuracy(0.79, 0.7), accuracy(1.0, 0.9), 4, "doubt"),
        (accuracy(0.5, 0.25), accuracy(1.0, 0.9), 4, "bad"),
        (accuracy(0.5, 0.26), accuracy(1.0, 0.9), 4, "doubt"),
        (accuracy(0.9, 0.8), accuracy(0.4, 0.25), 4, "unknown"),
        (accuracy(0.9, 0.8), None, 4, "unknown"),
        (accuracy(1.0, 1.0), accuracy(1.0, 1.0), 1, "unknown"),
        (accuracy(0.9, 0.8), accuracy(1.0), 4, "good"),
    ],
)
def test_fidelity_turns_on_chance_and_on_four_fifths_of_real_photographs(generated, real, classes, level):
    answer = fidelity._verdict(generated, real, "measured", classes)
    assert answer[0] == level
    assert f"chance {1 / classes:.3f}" in answer[1]
    assert ("has not learnt from: " in answer[1]) is (real is not None)


def memorised(low: float, high: float) -> Memorisation:
    return Memorisation(0.01, low, high, 3, 60, 0.02, 0.9, 40, 50, ("pixels",), ())


@pytest.mark.parametrize(
    ("low", "high", "level"),
    [(0.0, 0.05, "good"), (0.001, 0.05, "bad"), (0.0, 0.051, "doubt"), (-0.2, 0.0, "good"), (0.1, 0.9, "bad")],
)
def test_copies_turn_on_the_ends_of_the_interval(low, high, level):
    assert memorisation._level(memorised(low, high)) == level
    words = memorisation._verdict(memorised(low, high))
    assert "3 of 60 images exceed the copy threshold" in words
    assert f"expected by chance 2.0%. Excess +1.0% (95 % CI {low:+.1%} to {high:+.1%})" in words


@pytest.mark.parametrize(
    ("low", "mean", "control", "level"),
    [(0.3, 0.4, 0.29, "good"), (0.3, 0.39, 0.29, "doubt"), (0.3, 0.4, 0.3, "bad"), (0.3, 0.4, None, "unknown")],
)
def test_masks_turn_on_the_wrong_masks_and_on_four_fifths_of_the_segmenter(low, mean, control, level):
    assert masks._level({"dice": {"low": low, "mean": mean}, "dice_of_wrong_masks": control}, 0.5) == level


def of_levels(levels: Sequence[Level], keys: Sequence[str] = ()) -> SetFindings:
    names = keys or [f"k{place}" for place in range(len(levels))]
    sections = tuple(Finding(key, key.title(), level, Message("x")) for key, level in zip(names, levels, strict=True))
    return SetFindings(ImageSet(Path("set"), "set", ()), sections)


@pytest.mark.parametrize(
    ("levels", "level", "words"),
    [
        (["good", "good"], "good", "No problem found"),
        (["good", "unknown"], "good", "No problem found"),
        (["good", "doubt", "bad", "bad"], "bad", "Do not use this set as it is: K2, K3."),
        (["doubt", "good", "doubt"], "doubt", "in: K0, K2."),
        (["unknown"], "unknown", "No metric could be computed"),
        ([], "unknown", "No metric could be computed"),
    ],
)
def test_the_worst_section_decides_about_a_set(levels, level, words):
    assert of_levels(levels).level == level
    assert words in of_levels(levels).verdict
    assert worst(levels) == ("unknown" if "unknown" in levels and level == "good" else level)


def test_a_set_that_could_not_be_compared_is_not_good_by_its_colours():
    assert of_levels(["unknown", "good"], ["distribution", "appearance"]).level == "unknown"
    assert of_levels(["unknown", "doubt"], ["distribution", "appearance"]).level == "doubt"
    assert of_levels(["good", "good"], ["distribution", "appearance"]).level == "good"
