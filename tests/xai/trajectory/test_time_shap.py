"""Time-SHAP against games that can be solved by hand, and its promises on a real (tiny) model."""

import itertools
import math
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import InputRefusedError, UsageError
from tests.support.watched_job import WatchedJob
from tests.xai.trajectory.builders import linear_target, toy_root
from xai.explain import get_classifier
from xai.trajectory import time_shap as module
from xai.trajectory.coalitions import Actions, CoalitionTree, make_actions, split_steps
from xai.trajectory.target import Target, make_target
from xai.trajectory.time_shap import Game, hoeffding_orders, marginal_range, pixel_shares, solve, time_shap

EFFECTS = np.array([0.0, 0.0, 3.0, 0.0, -1.0, 0.0])


def planted_game(effects, worth, steps=12):
    """A sampler in which an acting step adds its effect to the picture; `worth` maps the sum to logits."""
    groups = split_steps(steps, len(effects))
    per_step = np.repeat(effects, [len(group) for group in groups]) / np.repeat(
        [len(group) for group in groups], [len(group) for group in groups]
    )

    def act(branches, timestep):
        return replace(branches, sample=branches.sample + float(per_step[int(timestep)]))

    tree = CoalitionTree(toy_root(steps), Actions(act, lambda branches, _t: branches, "hold"), groups)
    sums = {}

    def finish(samples):
        sums["last"] = samples.mean(dim=(1, 2, 3)).double().numpy()
        return np.zeros((len(samples), 4, 4, 3), np.uint8)

    return Game(tree, len(groups), finish, lambda _pictures: worth(sums["last"]))


def brute_force(players, worth):
    """The definition itself: the mean over all orders of what each player adds."""
    phi = np.zeros(players)
    for order in itertools.permutations(range(players)):
        joined = set()
        for player in order:
            before = worth(frozenset(joined))
            joined.add(player)
            phi[player] += worth(frozenset(joined)) - before
    return phi / math.factorial(players)


def test_a_planted_step_effect_is_recovered():
    solved = solve(planted_game(EFFECTS, lambda total: total))
    np.testing.assert_allclose(solved.values, EFFECTS, atol=1e-6)
    assert solved.permutations == 0


@pytest.mark.parametrize(("players", "orders"), [(10, 0), (11, 32)])
def test_ten_groups_are_played_exactly_and_eleven_are_sampled(players, orders):
    solved = solve(planted_game(np.arange(1.0, players + 1), lambda total: total), max_evaluations=100)
    assert solved.permutations == orders
    np.testing.assert_allclose(solved.values, np.arange(1.0, players + 1), rtol=1e-5)


def test_an_interaction_is_shared_as_the_definition_says():
    effects = np.array([1.0, 0.5, -0.7, 2.0, 0.3])

    def worth(total):
        return np.tanh(total) + 0.2 * total**2

    solved = solve(planted_game(effects, worth))
    expected = brute_force(5, lambda s: worth(np.array([sum(effects[i] for i in s)]))[0])
    np.testing.assert_allclose(solved.values, expected, atol=1e-6)


def test_sampling_agrees_within_three_standard_errors(monkeypatch):
    effects = np.array([1.0, 0.5, -0.7, 2.0, 0.3, -1.2])

    def worth(total):
        return np.maximum(total, 0.4) * 2

    exact = solve(planted_game(effects, worth)).values
    monkeypatch.setattr(module, "MAX_EXACT", 2)
    monkeypatch.setattr(module, "PRECISE_ENOUGH", 0.0)  # stopping at a lucky moment makes errors look small
    game, outside = planted_game(effects, worth), 0
    for seed in range(40):
        found = solve(game, seed, max_evaluations=1000)
        assert found.permutations > 150
        np.testing.assert_allclose(found.values.sum(), exact.sum(), atol=1e-6)  # efficiency holds in every order
        outside += int((np.abs(found.values - exact) > 3 * found.standard_error + 1e-9).sum())
    assert outside <= 0.03 * 40 * len(effects)


@pytest.mark.parametrize("sampler", ["ddpm", "dpmpp-2m-sde"])
@pytest.mark.parametrize("neutral", ["null", "hold"])
def test_the_values_add_up_and_the_pictures_do(make_source, classifier, sampler, neutral):
    source = make_source(sampler=sampler, steps=6)
    target = make_target(get_classifier(classifier, "cpu"), "MEL")
    watched = WatchedJob()
    found = time_shap(source, target, 3, neutral, context=watched)
    assert abs(found.efficiency_error) < 1e-4
    assert found.full == pytest.approx(float(target.of_pictures(found.picture[None])[0]))
    difference = found.picture / 255 - found.neutral_picture / 255
    np.testing.assert_allclose(found.pixel_shares.sum(axis=0), difference, atol=1e-5)
    assert abs(found.path_error) < 0.05 * max(1.0, abs(found.full - found.empty))
    assert found.neutral == neutral
    assert found.groups == ((1, 2), (3, 4), (5, 6))
    assert watched.told[-1] == (8, 8)
    assert [done for done, _ in watched.told] == list(range(9))


def test_the_logit_maps_of_a_linear_classifier_are_exact(make_source):
    weights = np.random.default_rng(0).normal(size=(3, 16, 16))
    found = time_shap(make_source(steps=6), linear_target(weights), 3)
    np.testing.assert_allclose(found.logit_maps.sum(axis=(1, 2)), found.shapley.values, atol=1e-3)
    assert abs(found.path_error) < 1e-3


def test_sampled_pixel_shares_add_up_too(make_source, monkeypatch):
    monkeypatch.setattr(module, "MAX_EXACT", 2)
    found = time_shap(make_source(steps=4), linear_target(np.ones((3, 16, 16))), 4)
    assert found.shapley.permutations > 0
    difference = found.picture / 255 - found.neutral_picture / 255
    np.testing.assert_allclose(found.pixel_shares.sum(axis=0), difference, atol=1e-4)
    # a linear logit makes each group's share of the pixels its share of the logit
    np.testing.assert_allclose(found.logit_maps.sum(axis=(1, 2)), found.shapley.values, atol=1e-2)


def test_a_coalition_that_is_no_picture_is_refused_instead_of_judged(make_source):
    groups = split_steps(2, 2)
    held = Actions(lambda branches, _t: branches, lambda b, _t: replace(b, sample=b.sample + torch.nan), "hold")
    game = Game(CoalitionTree(toy_root(2), held, groups), 2, make_source().finish, lambda _pictures: np.zeros(1))
    with pytest.raises(InputRefusedError, match="With some steps ablated"):
        game.play([0])


def test_pixel_shares_do_not_depend_on_which_orders_were_sampled():
    game = planted_game(EFFECTS[:4], lambda total: total)
    solved = solve(game)
    game.pictures = {coalition: np.full((2, 2, 3), 10 * coalition, np.uint8) for coalition in game.pictures}
    shares = pixel_shares(game, solved, 0)
    expected = np.array([10, 20, 40, 80]) / 255  # bit g is worth 2^g: an additive game
    np.testing.assert_allclose(shares[:, 0, 0, 0], expected, atol=1e-6)


def test_there_are_no_more_groups_than_steps(make_source, classifier):
    target = make_target(get_classifier(classifier, "cpu"), "MEL")
    assert time_shap(make_source(steps=3), target, 8).groups == ((1, 1), (2, 2), (3, 3))


def test_hoeffdings_bound_by_hand():
    assert hoeffding_orders(2.0, 0.1, 0.05) == math.ceil(200 * math.log(40))  # 738
    assert hoeffding_orders(2.0, 0.1, 0.05) == 738
    assert hoeffding_orders(3.0, 0.1, 0.05) == 1660
    assert hoeffding_orders(0.0) == 1


def test_the_range_is_that_of_marginal_contributions():
    values = {0: 0.0, 1: 1.0, 2: 5.0, 3: 2.0}  # player 0 adds 1 or -3, player 1 adds 5 or 1
    assert marginal_range(values, 2) == 4.0


def test_a_model_without_a_null_class_holds(make_source, models_without_null):
    source = make_source(folder=models_without_null)
    assert make_actions(source.model, 1.0, "auto").neutral_name == "hold"
    with pytest.raises(UsageError, match="no null class"):
        make_actions(source.model, 1.0, "null")


def test_nothing_is_worth_the_logit_of_the_unguided_null_class(make_source):
    """v(none) is the image that the model draws when it is told no class at all."""
    source = make_source(steps=5)
    null = replace(source.model, class_label=source.model.null_label)
    unconditional = replace(source, model=null, settings=replace(source.settings, guidance=1.0))
    found = time_shap(source, linear_target(np.ones((3, 16, 16))), 2, "null")
    *_, last = unconditional.drawing().states()
    with torch.no_grad():
        np.testing.assert_array_equal(found.neutral_picture, unconditional.finish(last.sample)[0])


def test_the_mean_gradient_is_taken_at_as_many_points_as_it_says(make_source):
    rows, score = [], linear_target(np.ones((3, 16, 16)))

    def logits(pixels):
        rows.append(len(pixels) if pixels.requires_grad else 0)
        return score.logits(pixels)

    time_shap(make_source(steps=2), Target(0, logits), 1)
    assert sum(rows) == 64


def test_the_seconds_are_those_that_it_took(make_source):
    began = time.perf_counter()
    found = time_shap(make_source(steps=2), linear_target(np.ones((3, 16, 16))), 1)
    assert 0 < found.seconds <= time.perf_counter() - began
