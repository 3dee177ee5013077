"""Shapley values against an itertools oracle, their axioms, and the honesty of the sampler's standard errors."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from xai.shapley import all_coalitions, exact_shapley, exact_shares, sampled_shares

PLAYERS = 6


def table_game(players, seed):
    """Return a game whose coalitions are worth random numbers, and its table."""
    table = np.random.default_rng(seed).normal(size=1 << players)
    bits = 1 << np.arange(players)
    return (lambda coalitions: table[coalitions @ bits]), table


def oracle(game, players):
    """Walk through all n! orders, one player at a time: slow and obvious."""
    total = np.zeros(players)
    for order in itertools.permutations(range(players)):
        inside = np.zeros(players, bool)
        for player in order:
            before = game(inside[None])[0]
            inside[player] = True
            total[player] += game(inside[None])[0] - before
    return total / math.factorial(players)


def test_all_coalitions_are_listed_once_in_binary():
    rows = all_coalitions(3)
    assert rows.tolist()[:3] == [[False] * 3, [True, False, False], [False, True, False]]
    assert len({tuple(row) for row in rows.tolist()}) == 8
    assert all_coalitions(0).shape == (1, 0)


@pytest.mark.parametrize("players", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", [0, 1])
def test_exact_values_are_those_of_all_orders(players, seed):
    game, table = table_game(players, seed)
    found = exact_shares(game, players)
    np.testing.assert_allclose(found.values, oracle(game, players), atol=1e-12)
    assert found.values.sum() == pytest.approx(table[-1] - table[0])
    assert (found.full, found.empty) == (table[-1], table[0])
    assert found.evaluations == 1 << players
    assert found.permutations == 0
    assert not found.standard_error.any()
    assert found.relative_error == 0


def test_a_game_of_two_worked_out_by_hand():
    # v(none) = 1, v(0) = 3, v(1) = 4, v(both) = 10: player 0 adds 2 first or 6 last, player 1 adds 3 or 7.
    assert exact_shapley(np.array([1.0, 3.0, 4.0, 10.0])) == pytest.approx([4.0, 5.0])


def test_worths_may_be_pictures():
    worths = np.random.default_rng(0).normal(size=(16, 3, 2))
    found = exact_shapley(worths)
    assert found.shape == (4, 3, 2)
    assert found[:, 2, 1] == pytest.approx(exact_shapley(worths[:, 2, 1]))


def test_a_glove_game_worked_out_by_hand():
    # One left glove (0), two right ones (1, 2); a pair is worth 1. Known solution: 2/3, 1/6, 1/6.
    def game(coalitions):
        return (coalitions[:, 0] & (coalitions[:, 1] | coalitions[:, 2])).astype(float)

    assert exact_shares(game, 3).values == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def dummy_and_twins(coalitions):
    """Player 0 does nothing, players 1 and 2 do the same, and all others interact."""
    c = coalitions.astype(float)
    return (
        2 + 3 * c[:, 1] * c[:, 3] + 3 * c[:, 2] * c[:, 3] - 5 * c[:, 1] * c[:, 2] * c[:, 4] + np.exp(c[:, 5] * c[:, 3])
    )


def exact(game):
    return exact_shares(game, PLAYERS)


def sampled(game):
    return sampled_shares(game, PLAYERS, 5, tolerance=0.0, max_evaluations=400)


@pytest.mark.parametrize("method", [exact, sampled])
def test_efficiency_dummy_and_linearity(method):
    other, _ = table_game(PLAYERS, 3)
    found = method(dummy_and_twins)
    assert found.values.sum() == pytest.approx(found.full - found.empty)
    assert found.values[0] == pytest.approx(0, abs=1e-12)
    together = method(lambda c: dummy_and_twins(c) - 4 * other(c)).values
    np.testing.assert_allclose(together, found.values - 4 * method(other).values, atol=1e-12)


def test_twins_get_the_same():
    values = exact(dummy_and_twins).values
    assert values[1] == pytest.approx(values[2])
    found = sampled(dummy_and_twins)
    assert abs(found.values[1] - found.values[2]) < 3 * np.hypot(*found.standard_error[1:3])


def test_games_of_second_order_are_exact_from_the_first_pair():
    # An order and its reverse put each two players in both orders once.
    rng = np.random.default_rng(0)
    own, joint = rng.normal(size=PLAYERS), rng.normal(size=(PLAYERS, PLAYERS))

    def game(coalitions):
        c = coalitions.astype(float)
        return c @ own + np.einsum("ni,ij,nj->n", c, joint, c)

    found = sampled_shares(game, PLAYERS, 1)
    np.testing.assert_allclose(found.values, exact(game).values, atol=1e-12)
    assert found.permutations == 32
    assert found.standard_error.max() < 1e-12


def test_the_standard_error_says_how_far_off_the_sample_is():
    game, _ = table_game(8, 7)
    truth = exact_shares(game, 8).values
    found = [sampled_shares(game, 8, seed, tolerance=0.0, max_evaluations=700) for seed in range(200)]
    off = np.array([(f.values - truth) / f.standard_error for f in found])
    assert (np.abs(off) < 3).mean() > 0.99
    assert 0.925 < (np.abs(off) < 2).mean() < 0.975
    assert np.abs(off.mean(axis=0)).max() < 3 / np.sqrt(200) * 1.1, "no bias"


def test_the_same_seed_gives_the_same_and_another_seed_does_not():
    game, _ = table_game(PLAYERS, 2)
    first, again, other = (sampled_shares(game, PLAYERS, seed, max_evaluations=200) for seed in (1, 1, 2))
    assert np.array_equal(first.values, again.values)
    assert not np.array_equal(first.values, other.values)


def test_stops_when_good_enough_or_when_the_budget_ends():
    asked = 0
    inner, _ = table_game(10, 4)

    def game(coalitions):
        nonlocal asked
        asked += len(coalitions)
        return inner(coalitions)

    loose = sampled_shares(game, 10, 0, tolerance=0.2, max_evaluations=1 << 20)
    assert loose.relative_error < 0.2
    assert loose.evaluations == asked
    asked = 0
    tight = sampled_shares(game, 10, 0, tolerance=1e-9, max_evaluations=1000)
    assert tight.relative_error > 1e-9
    assert tight.evaluations == asked
    assert 1000 - 4 * 18 < asked <= 1000
    assert loose.evaluations == 2 + 9 * loose.permutations


def test_a_game_that_is_worth_nothing_ends_at_once():
    found = sampled_shares(lambda coalitions: np.zeros(len(coalitions)), 14, 0)
    assert not found.values.any()
    assert found.permutations == 32


def test_worths_that_are_no_numbers_end_at_once():
    found = sampled_shares(lambda coalitions: np.full(len(coalitions), np.nan), 14, 0)
    assert np.isnan(found.values).all()
    assert found.permutations == 32


def test_value_and_standard_error_by_hand_from_the_first_sixteen_pairs():
    game, _ = table_game(PLAYERS, 9)
    found = sampled_shares(game, PLAYERS, 5, tolerance=1e9)
    rng = np.random.default_rng(5)
    pairs = []
    for _ in range(16):
        order = rng.permutation(PLAYERS)
        added = np.zeros((2, PLAYERS))
        for way, walk in zip(added, (order, order[::-1]), strict=True):
            inside = np.zeros(PLAYERS, bool)
            for player in walk:
                before = game(inside[None])[0]
                inside[player] = True
                way[player] = game(inside[None])[0] - before
        pairs.append(added.mean(axis=0))
    np.testing.assert_allclose(found.values, np.mean(pairs, axis=0))
    np.testing.assert_allclose(found.standard_error, np.std(pairs, axis=0, ddof=1) / 4)
