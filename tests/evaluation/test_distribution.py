"""Comparisons: what deserves which verdict, halves by lesion, classes alike on both sides."""

import numpy as np
import pytest

from core.taxonomy import CLASS_INDEX
from evaluation.distribution import ALL, Side, _halves, _matched, compare, verdict


def side(n=120, shift=0.0, codes=("MEL", "NV"), seed=0, scale=1.0, d=6):
    rng = np.random.default_rng(seed)
    labels = np.array([CLASS_INDEX[codes[i % len(codes)]] for i in range(n)])
    features = rng.normal(size=(n, d)) * scale + shift + labels[:, None]
    return Side(features, labels, [f"lesion-{i // 2 // len(codes)}-{i % len(codes)}" for i in range(n)])


def judge(synthetic, real):
    return verdict({"space": compare(synthetic, real)[ALL]})


def test_a_set_of_the_same_kind_is_not_told_apart():
    level, words = judge(side(seed=1), side(seed=2))
    assert level == "good"
    assert "No difference" in words


def test_a_set_that_is_a_little_off_is_told_apart():
    level, words = judge(side(n=400, shift=0.6, seed=1), side(n=400, seed=2))
    assert level == "doubt"
    assert "distinguishable" in words


@pytest.mark.parametrize("shift", [6.0, 50.0])
def test_a_set_of_something_else_is_bad(shift):
    level, words = judge(side(shift=shift, seed=1), side(seed=2))
    assert level == "bad"
    assert "does not look like" in words


def test_a_handful_of_images_says_nothing():
    assert judge(side(n=3), side(n=100))[0] == "unknown"
    assert judge(side(n=100), side(n=6))[0] == "unknown"


def test_two_spaces_must_agree_and_the_one_that_knows_lesions_leads():
    good = compare(side(seed=1), side(seed=2))[ALL]
    bad = compare(side(shift=50, seed=1), side(seed=2))[ALL]
    assert verdict({"lesions": good, "pixels": bad})[0] == "doubt"
    assert verdict({"lesions": bad, "pixels": good})[0] == "bad"
    assert verdict({"lesions": good, "pixels": good})[0] == "good"


def test_spaces_that_both_see_a_difference_do_not_disagree():
    told_apart = compare(side(n=400, shift=0.6, seed=1), side(n=400, seed=2))[ALL]
    bad = compare(side(shift=50, seed=1), side(seed=2))[ALL]
    level, words = verdict({"lesions": told_apart, "pixels": bad})
    assert level == "doubt"
    assert "distinguishable" in words


def test_one_image_again_and_again_is_bad_though_it_lies_among_the_real_ones():
    """What solid blue images are to a classifier: a single point, which may lie near some photograph."""
    real = side(seed=2)
    typical = np.abs(real.features - real.features.mean(0)).sum(1).argmin()
    noise = np.random.default_rng(1).normal(0, 1e-3, real.features.shape)
    repeated = Side(real.features[typical] + noise, real.labels, [str(i) for i in range(len(noise))])
    found = compare(repeated, real)[ALL]
    assert found.prdc_matched.precision == 1
    assert found.level == "bad"


def test_halves_share_no_lesion_and_hold_the_classes_alike():
    whole = side(n=80)
    first, second = _halves(whole, np.random.default_rng(0))
    assert not set(first.lesions) & set(second.lesions)
    assert len(first.features) + len(second.features) == 80
    for label in (0, 1):
        assert abs((first.labels == label).sum() - (second.labels == label).sum()) <= 2


def test_over_all_classes_both_sides_have_equally_many_of_each():
    synthetic, real = side(n=90, codes=("MEL", "MEL", "NV")), side(n=60, codes=("NV", "NV", "MEL"))
    some, others = _matched(synthetic, real, np.random.default_rng(0))
    assert sorted(some.labels) == sorted(others.labels)
    assert len(some.labels) == 20 + 30


def test_classes_that_only_one_side_has_are_left_out_and_unknown_ones_are_compared_as_they_are():
    found = compare(side(codes=("MEL", "DF")), side(codes=("MEL", "NV")))
    assert list(found) == [ALL, "MEL"]
    unknown = side()
    nameless = Side(unknown.features, np.full(120, -1), unknown.lesions)
    assert list(compare(nameless, side(seed=3))) == [ALL]
    assert compare(nameless, side(seed=3))[ALL].n_synthetic == 120


def test_the_same_seed_gives_the_same_numbers_and_everything_is_json():
    import json

    first, again = compare(side(seed=1), side(seed=2), 5), compare(side(seed=1), side(seed=2), 5)
    assert {k: v.to_json() for k, v in first.items()} == {k: v.to_json() for k, v in again.items()}
    data = json.loads(json.dumps(first[ALL].to_json(), allow_nan=False))
    assert data["frechet"]["refused"] is None
    assert data["prdc"]["reference"]["precision"] > 0.5


def test_the_floor_is_what_real_photographs_reach():
    found = compare(side(n=200, shift=1, seed=1), side(n=200, seed=2))[ALL]
    assert found.kid_floor.low <= 0.05
    assert found.kid.value > found.kid_floor.high
    assert found.prdc_reference.precision > 0.7
