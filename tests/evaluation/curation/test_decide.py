"""Decisions on numbers written by hand: the order of the rules, the twins, the ranks."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.curation.decide import Evidence, decide, qualities
from evaluation.curation.evidence import Copies, Fidelity, Twins
from evaluation.curation.rules import parse_rules


def evidence(probability=None, labels=None, copies=None, pairs=None, distance=None):
    count = next(len(values) for values in (probability, copies, distance) if values is not None)
    labels = np.zeros(count, dtype=np.int64) if labels is None else np.array(labels)
    fidelity = None if probability is None else Fidelity(np.array(probability, dtype=float), labels)
    found = None
    if copies is not None:
        score = np.array(copies, dtype=float)
        found = Copies(score, tuple(f"train/{i}" for i in range(count)), score < 1)
    twins = None
    if pairs is not None or distance is not None:
        far = np.full(count, 1.0) if distance is None else np.array(distance, dtype=float)
        listed = np.array(pairs or [], dtype=np.int64).reshape(-1, 2)
        twins = Twins(np.zeros(count, dtype=np.int64), far, listed)
    return Evidence([f"{i}.png" for i in range(count)], labels, fidelity, found, twins)


def rules_of(found):
    return [verdict.rule for verdict in found.verdicts]


def test_without_rules_everything_is_kept_and_ranked():
    found = decide(evidence([0.1, 0.9, 0.5]), parse_rules("none"))
    assert rules_of(found) == ["", "", ""]
    assert found.rank.tolist() == [3, 1, 2]
    assert found.quality.tolist() == [0.0, 1.0, 0.5]


def test_low_fidelity_is_left_out_and_an_unknown_class_is_not():
    found = decide(evidence([0.49, 0.5, float("nan")]), parse_rules("fidelity>=0.5"))
    assert rules_of(found) == ["fidelity", "", ""]
    assert "0.490" in found.verdicts[0].reason


def test_the_better_of_two_twins_is_kept_whatever_their_order():
    assert rules_of(decide(evidence([0.2, 0.9], pairs=[(0, 1)]), parse_rules("duplicates"))) == ["duplicates", ""]
    found = decide(evidence([0.9, 0.2], pairs=[(0, 1)]), parse_rules("duplicates"))
    assert rules_of(found) == ["", "duplicates"]
    assert found.verdicts[1].reason == "Near-duplicate of 0.png, which is kept."


def test_in_a_chain_the_ends_are_kept_if_the_middle_goes():
    chain = evidence([0.9, 0.5, 0.8], pairs=[(0, 1), (1, 2)])
    assert rules_of(decide(chain, parse_rules("duplicates"))) == ["", "duplicates", ""]
    chain = evidence([0.5, 0.9, 0.4], pairs=[(0, 1), (1, 2)])
    assert rules_of(decide(chain, parse_rules("duplicates"))) == ["duplicates", "", "duplicates"]


def test_an_image_that_is_out_already_takes_no_twin_with_it():
    found = decide(evidence([0.9, 0.5], copies=[0.3, 2.0], pairs=[(0, 1)]), parse_rules("copies,duplicates"))
    assert rules_of(found) == ["copies", ""]
    assert "train/0" in found.verdicts[0].reason


def test_a_copy_is_called_a_copy_even_if_its_fidelity_is_low_too():
    assert rules_of(decide(evidence([0.0], copies=[0.5]), parse_rules("fidelity>=0.5,copies"))) == ["copies"]


def test_the_best_are_chosen_within_each_class_of_what_is_left():
    found = decide(
        evidence([0.9, 0.8, 0.7, 0.6, 0.3, 0.2], labels=[0, 0, 0, 0, 1, 1], copies=[0.5, 9, 9, 9, 9, 9]),
        parse_rules("copies,best=50%"),
    )
    assert rules_of(found) == ["copies", "", "", "best", "", "best"]


def test_quality_is_the_mean_of_percentile_ranks_within_the_class():
    known = evidence([0.1, 0.2, 0.9], copies=[0.9, 0.5, 0.1], distance=[0.01, 0.02, 0.02])
    assert qualities(known) == pytest.approx([(0 + 1 + 0) / 3, (0.5 + 0.5 + 0.75) / 3, (1 + 0 + 0.75) / 3])
    alone = evidence([0.0, 0.1], labels=[0, 1])
    assert qualities(alone).tolist() == [0.5, 0.5]


def test_to_be_far_from_every_photograph_is_no_merit():
    known = evidence([0.2, 0.9], copies=[9.0, 1.1], distance=[0.5, 0.04])
    assert qualities(known) == pytest.approx([(0 + 0.5 + 0.5) / 3, (1 + 0.5 + 0.5) / 3])


@pytest.mark.parametrize("rules", ["copies", "duplicates", "fidelity>=0.1"])
def test_a_rule_without_its_measurement_is_an_error(rules):
    bare = Evidence(["a"], np.array([0]))
    with pytest.raises(ValueError, match=rules.split(">")[0]):
        decide(bare, parse_rules(rules))


def test_no_two_kept_images_are_twins_and_everyone_left_out_has_a_kept_twin():
    rng = np.random.default_rng(0)
    for _ in range(50):
        pairs = [(i, j) for i in range(12) for j in range(i + 1, 12) if rng.random() < 0.2]
        found = decide(evidence(rng.random(12), pairs=pairs), parse_rules("duplicates"))
        kept = {i for i, rule in enumerate(rules_of(found)) if not rule}
        assert not any({i, j} <= kept for i, j in pairs)
        for image in set(range(12)) - kept:
            assert any(image in pair and (set(pair) - {image}) <= kept for pair in pairs)


def test_the_best_are_those_of_the_highest_rank_whatever_their_place():
    found = decide(evidence([0.2, 0.9, 0.5, 0.7]), parse_rules("best=2"))
    assert found.rank.tolist() == [4, 1, 3, 2]
    assert rules_of(found) == ["best", "", "best", ""]
    assert found.verdicts[0].reason == "Not among the best 2 of its class."
    some = decide(evidence([0.2, 0.9, 0.5, 0.7, 0.1]), parse_rules("fidelity>=0.3,best=50%"))
    assert rules_of(some) == ["fidelity", "", "", "", "fidelity"], "half of five are three"


def test_twins_of_equal_quality_keep_the_first_and_ranks_count_within_the_class():
    found = decide(evidence([0.5, 0.5, 0.5], labels=[1, 0, 1], pairs=[(0, 2)]), parse_rules("duplicates"))
    assert rules_of(found) == ["", "", "duplicates"]
    assert found.rank.tolist() == [1, 1, 2]


def test_the_reason_names_class_answer_and_probability():
    labels = np.array([3, 4])
    seen = Fidelity(np.array([0.1236, 0.9]), np.array([5, 4]))
    found = decide(Evidence(["a", "b"], labels, seen), parse_rules("fidelity>=0.25"))
    assert found.verdicts[0].reason == (
        "Target class AKIEC, predicted class DF: the target class has a probability of 0.124, below 0.25."
    )
    copied = decide(evidence([0.5, 0.5], copies=[0.456, 2]), parse_rules("copies"))
    assert (
        "training image train/0 than 99 % of held-out photographs are to any (score 0.46)" in copied.verdicts[0].reason
    )


def test_what_was_not_measured_counts_for_nothing():
    assert qualities(Evidence(["a", "b"], np.array([0, 0]))).tolist() == [0.5, 0.5]
    unknown = evidence([float("nan"), 0.0, 0.5])
    assert qualities(unknown).tolist() == [0.0, 0.5, 1.0], "a class that the classifier does not know comes last"
    edge = evidence(None, copies=[1.0, 5.0, 0.9], distance=[0.03, 9.0, 0.029])
    assert qualities(edge).tolist() == [0.75, 0.75, 0.0]
