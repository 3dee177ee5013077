"""Null rows that collapse whatever the classifier sees, rivals that need not, and what each of them is made of."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.jobs.stream import JobStopped
from core.models.classification.loading import to_tensor
from tests.support.stopping_job import StoppingJob
from tests.support.tiny_classifier import draw_lesion
from tests.xai.trajectory.builders import linear_target
from xai.attribution import integrated_gradients
from xai.baselines import make_baselines
from xai.explain import get_classifier
from xai.statistics import compare_pairs
from xai.trajectory import controls
from xai.trajectory.controls import (
    CONTROLS,
    NULLS,
    RIVALS,
    measure_controls,
    other_class,
    random_map,
    with_shuffled_head,
)
from xai.trajectory.shift import INTERVENTIONS, Shift, ShiftDifference, importance, measure_shifts, top_and_bottom
from xai.trajectory.target import make_target

pytestmark = pytest.mark.slow


def measure(judge, picture, values, seed, **options):
    """Return the own shifts of a map and what they are held against."""
    target = make_target(judge, "MEL")
    own = measure_shifts(target, picture, *top_and_bottom(importance(values)), seed=seed)
    return own, measure_controls(picture, values, judge, target, own, seed=seed, **options)


def test_a_shuffled_head_has_the_same_weights_in_other_places_and_the_rest_untouched(classifier):
    net = get_classifier(classifier, "cpu").net
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    shuffled = with_shuffled_head(net, 3).state_dict()
    changed = [name for name, tensor in shuffled.items() if not torch.equal(tensor, before[name])]
    assert len(changed) == 1
    (name,) = changed
    assert name.endswith("weight")
    assert torch.equal(shuffled[name].flatten().sort().values, before[name].flatten().sort().values)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert not torch.equal(shuffled[name], with_shuffled_head(net, 4).state_dict()[name])


def test_the_other_class_is_another_one_and_any_of_them(classifier):
    judge = get_classifier(classifier, "cpu")
    drawn = {other_class(judge, 2, np.random.default_rng(seed)) for seed in range(60)}
    assert drawn == {0, 1, 3, 4, 5, 6}


def test_every_control_is_measured_under_every_intervention(classifier):
    judge = get_classifier(classifier, "cpu")
    _, found = measure(judge, draw_lesion("MEL"), np.ones((32, 32, 3)), 11)
    assert (list(found.nulls), list(found.rivals)) == (list(NULLS), list(RIVALS))
    assert list(found.rows()) == list(CONTROLS)
    assert all(list(shifts) == list(INTERVENTIONS) for shifts in found.rows().values())
    _, again = measure(judge, draw_lesion("MEL"), np.ones((32, 32, 3)), 11)
    assert found == again


def lesion_map(seed):
    """Return a map that finds the lesion, roughly."""
    values = np.random.default_rng(seed).normal(size=(32, 32, 3))
    values[8:24, 8:24] *= 3
    return values


@pytest.fixture(scope="module")
def many(classifier):
    judge = get_classifier(classifier, "cpu")
    return [measure(judge, draw_lesion("MEL", seed), lesion_map(seed), seed)[1] for seed in range(40)]


def test_the_null_rows_collapse_for_a_classifier_that_looks_at_the_lesion(many):
    comparisons = len(NULLS) * len(INTERVENTIONS) * 2
    for name in NULLS:
        for kind in INTERVENTIONS:
            for contrast in ("csi", "control"):
                values = [getattr(found.nulls[name][kind], contrast) for found in many]
                result = compare_pairs(values, np.zeros(len(values)))
                assert result.permutation_p > 0.05 / comparisons, (name, kind, contrast)


def test_a_rival_stands_for_a_classifier_that_looks_at_the_lesion(many):
    """So a null row that were measured as a rival is would not collapse, and the test above would see it."""
    for name in RIVALS:
        values = [found.rivals[name]["noise"].csi for found in many]
        assert compare_pairs(values, np.zeros(len(values))).low > 0


def test_the_permuted_labels_are_the_own_class_and_the_other_in_either_order(classifier):
    judge = get_classifier(classifier, "cpu")
    orders = []
    for seed in range(12):
        own, found = measure(judge, draw_lesion("MEL", seed), lesion_map(seed), seed)
        for kind, shift in found.nulls["permuted_labels"].items():
            parts = {id(own[kind]): "own", id(found.rivals["other_class_effect"][kind]): "other"}
            orders.append((parts[id(shift.first)], parts[id(shift.second)]))
    assert set(orders) == {("own", "other"), ("other", "own")}


def test_the_two_shuffled_heads_are_shuffled_differently(classifier, monkeypatch):
    seeds = []

    def note(net, seed):
        seeds.append(seed)
        return with_shuffled_head(net, seed)

    monkeypatch.setattr(controls, "with_shuffled_head", note)
    judge = get_classifier(classifier, "cpu")
    _, found = measure(judge, draw_lesion("MEL"), lesion_map(0), 5)
    measure(judge, draw_lesion("MEL"), lesion_map(0), 6)
    assert len(set(seeds)) == 4
    assert all(shift.first != shift.second for shift in found.nulls["random_head"].values())
    first = {kind: shift.first for kind, shift in found.nulls["random_head"].items()}
    assert first == found.rivals["shuffled_head_map"]


def test_the_rival_is_the_map_of_a_shuffled_head_at_the_baseline_that_was_asked_for(classifier, monkeypatch):
    judge = get_classifier(classifier, "cpu")
    picture, target = draw_lesion("MEL"), make_target(judge, "MEL")
    heads = []
    monkeypatch.setattr(
        controls, "with_shuffled_head", lambda net, seed: heads.append(with_shuffled_head(net, seed)) or heads[-1]
    )
    for baseline in ("skin", "black"):
        heads.clear()
        _, found = measure(judge, picture, lesion_map(0), 5, baseline=baseline)
        other = replace(judge, net=heads[0])
        values = integrated_gradients(
            lambda pixels, net=other: net.logits(pixels)[:, target.index],
            to_tensor(picture),
            [to_tensor(made) for made in make_baselines(baseline, picture)],
            last_steps=32,
        ).values
        regions = top_and_bottom(importance(values))
        assert found.rivals["shuffled_head_map"] == measure_shifts(target, picture, *regions, seed=5)


def test_the_other_rival_is_the_own_map_and_the_effect_on_another_class(classifier):
    judge = get_classifier(classifier, "cpu")
    picture, target = draw_lesion("MEL"), make_target(judge, "MEL")
    own, found = measure(judge, picture, lesion_map(0), 5)
    regions = top_and_bottom(importance(lesion_map(0)))
    effects = [measure_shifts(replace(target, index=index), picture, *regions, seed=5) for index in range(7)]
    assert effects[target.index] == own
    assert found.rivals["other_class_effect"] in effects
    assert found.rivals["other_class_effect"] != own


def test_a_random_map_marks_the_edge_no_more_and_no_less_than_the_middle():
    """A random rival lies anywhere, so the regions of a random map must too: else to a classifier that looks at the
    middle, as all do, a random map would be worse than random places.
    """
    rng = np.random.default_rng(0)
    tops, bottoms = zip(*(top_and_bottom(random_map((32, 32), rng)) for _ in range(600)), strict=True)
    middle = np.zeros((32, 32), bool)
    middle[8:24, 8:24] = True
    for masks in (tops, bottoms):
        shares = np.array([mask[middle].mean() for mask in masks])
        chance = masks[0].mean()
        assert abs(shares.mean() - chance) < 3 * shares.std() / np.sqrt(600)
        edge = np.array([mask[[0, -1]].mean() + mask[:, [0, -1]].mean() for mask in masks]) / 2
        assert abs(edge.mean() - chance) < 3 * edge.std() / np.sqrt(600)


def test_a_random_map_is_as_smooth_as_the_regions_of_others():
    field = np.array([random_map((64, 64), np.random.default_rng(seed)) for seed in range(30)])
    neighbours = np.corrcoef(field.ravel(), np.roll(field, 3, axis=2).ravel())[0, 1]
    sigma = 0.03 * 64
    assert neighbours == pytest.approx(np.exp(-(3**2) / (4 * sigma**2)), abs=0.03)


def test_the_map_of_a_shuffled_head_takes_at_most_thirty_two_steps(classifier, monkeypatch):
    judge = get_classifier(classifier, "cpu")
    steps = []

    def note(*arguments, **options):
        found = integrated_gradients(*arguments, **options)
        steps.append((found.steps, found.parameters["max_steps"]))
        return found

    monkeypatch.setattr(controls, "integrated_gradients", note)
    measure(judge, draw_lesion("MEL"), lesion_map(0), 5)
    assert steps == [(32, 32)] * 2


def test_a_difference_is_that_of_both_measures():
    first, second = Shift((3.0,), (-1.0,), (1.0, 2.0)), Shift((-2.0,), (0.5,), (0.5,))
    difference = ShiftDifference(first, second)
    assert (difference.csi, difference.control) == (2.0 - 1.5, 1.5 - 1.5)
    data = difference.to_json()
    assert (data["csi"], data["top_minus_random"]) == (0.5, 0.0)
    assert (data["first"], data["second"]) == (first.to_json(), second.to_json())


def test_random_maps_collapse_even_for_a_classifier_that_looks_at_one_place():
    weights = np.zeros((3, 32, 32), np.float32)
    weights[:, 8:20, 8:20] = np.random.default_rng(0).normal(0, 0.02, (3, 12, 12))
    target = linear_target(weights)
    found = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        picture = rng.integers(0, 256, (32, 32, 3)).astype(np.uint8)
        regions = top_and_bottom(random_map((32, 32), rng))
        found.append(measure_shifts(target, picture, *regions, seed=seed, draws=20))
    for name in INTERVENTIONS:
        for contrast in ("csi", "control"):
            result = compare_pairs([getattr(shifts[name], contrast) for shifts in found], np.zeros(40))
            assert result.wilcoxon_p > 0.01 / 8
            assert abs(result.cohens_d) < 0.6


def test_a_stop_is_heard_while_the_shifts_are_measured_too(classifier):
    judge = get_classifier(classifier, "cpu")
    asked = []

    def stop_after(number):
        asked.append(1)
        return len(asked) > number

    measure(judge, draw_lesion("MEL"), np.ones((32, 32, 3)), 1, context=StoppingJob(lambda: stop_after(10**6)))
    total = len(asked)
    for number in (0, total // 2, total - 1):
        asked.clear()
        with pytest.raises(JobStopped):
            measure(
                judge, draw_lesion("MEL"), np.ones((32, 32, 3)), 1, context=StoppingJob(lambda n=number: stop_after(n))
            )
