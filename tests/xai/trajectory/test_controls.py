"""The three controls: what they break, and that an index without a cause collapses in them."""

import copy

import numpy as np
import pytest
import torch

from tests.support.tiny_classifier import draw_lesion
from tests.xai.trajectory.builders import linear_target
from xai.explain import get_classifier
from xai.explanation import ExplanationCancelled
from xai.statistics import compare_pairs
from xai.trajectory.controls import CONTROLS, measure_controls, other_class, shuffle_head, shuffled_head_map
from xai.trajectory.interventions import INTERVENTIONS
from xai.trajectory.regions import importance, top_and_bottom
from xai.trajectory.shift import measure_shifts
from xai.trajectory.target import make_target


def test_a_shuffled_head_has_the_same_weights_in_other_places_and_the_rest_untouched(classifier):
    net = copy.deepcopy(get_classifier(classifier, "cpu").net)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    shuffle_head(net, 3)
    changed = [name for name, tensor in net.state_dict().items() if not torch.equal(tensor, before[name])]
    assert len(changed) == 1
    (name,) = changed
    assert name.endswith("weight")
    assert torch.equal(net.state_dict()[name].flatten().sort().values, before[name].flatten().sort().values)


def test_the_classifier_itself_is_not_touched_by_the_controls(classifier):
    judge = get_classifier(classifier, "cpu")
    before = {name: tensor.clone() for name, tensor in judge.net.state_dict().items()}
    shuffled_head_map(draw_lesion("MEL"), judge, 0, seed=1)
    assert all(torch.equal(tensor, before[name]) for name, tensor in judge.net.state_dict().items())


def test_the_other_class_is_another_one_and_any_of_them(classifier):
    judge = get_classifier(classifier, "cpu")
    drawn = {other_class(judge, 2, np.random.default_rng(seed)) for seed in range(60)}
    assert drawn == {0, 1, 3, 4, 5, 6}


def test_every_control_is_measured_under_every_intervention(classifier):
    judge = get_classifier(classifier, "cpu")
    target = make_target(judge, "MEL")
    found = measure_controls(draw_lesion("MEL"), np.ones((32, 32, 3)), judge, target, seed=11)
    assert list(found) == list(CONTROLS)
    assert all(list(shifts) == list(INTERVENTIONS) for shifts in found.values())
    again = measure_controls(draw_lesion("MEL"), np.ones((32, 32, 3)), judge, target, seed=11)
    assert found == again


def test_random_maps_collapse_even_for_a_classifier_that_looks_at_one_place():
    weights = np.zeros((3, 32, 32), np.float32)
    weights[:, 8:20, 8:20] = np.random.default_rng(0).normal(0, 0.02, (3, 12, 12))
    target = linear_target(weights)
    found = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        picture = rng.integers(0, 256, (32, 32, 3)).astype(np.uint8)
        regions = top_and_bottom(importance(rng.normal(size=(32, 32, 3))))
        found.append(measure_shifts(target, picture, *regions, seed=seed, draws=20))
    for name in INTERVENTIONS:
        for contrast in ("csi", "control"):
            result = compare_pairs([getattr(shifts[name], contrast) for shifts in found], np.zeros(40))
            assert result.wilcoxon_p > 0.01 / 8
            assert abs(result.cohens_d) < 0.6


def test_the_map_of_a_shuffled_head_depends_on_how_it_was_shuffled(classifier):
    judge = get_classifier(classifier, "cpu")
    first, second = (shuffled_head_map(draw_lesion("MEL"), judge, 0, seed=seed) for seed in (1, 2))
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] < 0.99


def test_a_stop_is_heard_while_the_shifts_are_measured_too(classifier):
    judge = get_classifier(classifier, "cpu")
    asked = []

    def never(stop_after=None):
        asked.append(1)
        return stop_after is not None and len(asked) > stop_after

    shuffled_head_map(draw_lesion("MEL"), judge, 0, seed=1, should_stop=never)
    of_the_map = len(asked)
    asked.clear()
    with pytest.raises(ExplanationCancelled):
        measure_controls(
            draw_lesion("MEL"),
            np.ones((32, 32, 3)),
            judge,
            make_target(judge, "MEL"),
            seed=1,
            should_stop=lambda: never(of_the_map),
        )
