"""The verdict on one image: what it says follows from the numbers, in words that need no other page."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from xai.explanation import Classification, GateVerdict
from xai.trajectory.controls import Controls
from xai.trajectory.shift import INTERVENTIONS, Shift
from xai.trajectory.words import (
    long,
    say_answer,
    say_controls,
    say_difference,
    say_gate,
    say_logit,
    say_shifts,
    say_time,
    signed,
    steps,
    verdict_of_image,
)


def shift(top, bottom, rival):
    return Shift((top,), (bottom,), (rival,))


def played(values, empty=-1.0):
    values = np.array(values)
    groups = tuple((2 * number + 1, 2 * number + 2) for number in range(len(values)))
    return SimpleNamespace(
        shapley=SimpleNamespace(values=values), groups=groups, full=empty + values.sum(), empty=empty
    )


def analysis(predicted="MEL", level="green", difference=0):
    probabilities = {"MEL": 0.27, "BCC": 0.46, "NV": 0.27}
    shifts = {name: shift(2.0, 0.5, 0.5) for name in INTERVENTIONS}
    gate = GateVerdict(level, () if level == "green" else ("The head was never trained.",))
    return SimpleNamespace(
        class_code="MEL",
        answer=Classification(predicted, probabilities, probabilities, gate),
        gate=gate,
        difference=difference,
        time_shap=played([0.2, 0.7]),
        last=SimpleNamespace(shifts=shifts),
        controls=Controls({"random_attribution": shifts}, {}),
    )


def test_the_answer_is_the_classifiers_own():
    assert say_answer(analysis()) == "The target class is melanoma (MEL), and it is the predicted class (27%)."
    assert say_answer(analysis("BCC")) == (
        "The target class is melanoma (MEL), but the predicted class is basal cell carcinoma (BCC) (46%; 27% MEL)."
    )


def test_the_steps_named_are_those_that_bring_the_class():
    words = say_time(played([0.2, 0.7, -0.9, 0.5], empty=0.0), "MEL")
    assert "The class MEL appears mostly in steps 3 to 4 of 8" in words
    assert "+0.70 of the logit difference of +0.50" in words


def test_where_the_class_leaves_the_steps_named_are_those_that_take_it():
    words = say_time(played([0.9, -0.3, -1.4]), "MEL")
    assert "The class MEL disappears mostly in steps 5 to 6 of 6" in words
    assert "\u22121.40 of the logit difference of \u22120.80" in words


def test_without_a_difference_no_step_is_named():
    words = say_time(played([3.0, -2.95]), "MEL")
    assert "nearly the same (\u22120.05)" in words
    assert "steps 1" not in words


def test_interventions_count_only_where_top_beats_both_bottom_and_random_places():
    shifts = {
        "noise": shift(2.0, 1.0, 0.5),
        "blur": shift(2.0, 3.0, 0.5),
        "shuffle": shift(2.0, 1.0, 2.5),
        "const": shift(-1.0, 0.5, 0.25),
    }
    words = say_shifts(shifts)
    assert "under 2 of 4 interventions (noise, median colour; at most 2.00 against 0.50 logits" in words


def test_the_best_intervention_quoted_is_one_that_is_counted():
    words = say_shifts({"noise": shift(9.0, 10.0, 0.0), "blur": shift(2.0, 1.0, 1.5)})
    assert "under 1 of 2 interventions (Gaussian blur; at most 2.00 against 1.50 logits" in words


def test_a_map_that_points_at_nothing_is_told_so():
    assert "does not mark what matters" in say_shifts({"noise": shift(1.0, 1.0, 0.5), "blur": shift(1.0, 0.5, 1.0)})


def test_a_control_that_reaches_as_high_an_index_is_counted():
    own = {"noise": shift(2.0, 1.0, 0.0), "blur": shift(2.0, 1.5, 0.0)}
    nulls = {"random_attribution": {"noise": shift(1.0, 0.5, 0.0), "blur": shift(1.0, 0.75, 0.0)}}
    rivals = {"other_class_effect": {"noise": shift(1.0, 0.0, 0.0), "blur": shift(1.0, 0.9, 0.0)}}
    words = say_controls(own, Controls(nulls, rivals))
    assert "a random map under 0, the effect on another class under 1 of 2 interventions" in words


def test_an_image_that_differs_from_its_file_is_told_right_after_the_answer():
    assert say_difference(0) == []
    assert "up to 9 of 255" in verdict_of_image(analysis(difference=9))[1]


def test_one_image_is_called_an_anecdote_and_no_diagnosis():
    words = " ".join(verdict_of_image(analysis()))
    assert "n = 1, no test" in words
    assert "never a diagnosis" in words


def test_a_refused_classifier_is_all_that_is_said():
    words = verdict_of_image(analysis(level="red"))
    assert words[0] == "Reliability check: failed. The head was never trained."
    assert len(words) == 2


def test_the_gate_in_words():
    assert say_gate(GateVerdict("green", ())) == "Reliability check: passed."
    assert (
        say_gate(GateVerdict("amber", ("It is close.", "It is far.")))
        == "Reliability check: caution. It is close. It is far."
    )


@pytest.mark.parametrize("temperature", [1.0, 0.7791])
def test_what_a_logit_does_to_the_odds(temperature):
    logits = np.array([0.4, -1.0, 2.0])

    def odds(values):
        share = np.exp(values / temperature) / np.exp(values / temperature).sum()
        return share[0] / (1 - share[0])

    factor = odds(logits + np.array([1, 0, 0])) / odds(logits)
    assert factor == pytest.approx(math.exp(1 / temperature))
    assert f"by {factor:.1f}." in say_logit(temperature)


def test_numbers_and_names():
    assert (signed(-0.25), signed(1.0, 1), signed(None)) == ("\u22120.250", "+1.0", "\u2013")
    assert (steps((3, 3)), steps((3, 5))) == ("step 3", "steps 3 to 5")
    assert (long("AKIEC"), long("output 7")) == ("actinic keratosis / Bowen's disease (AKIEC)", "output 7")
