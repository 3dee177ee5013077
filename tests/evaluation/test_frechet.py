"""The Frechet distance against its closed form, and when it is refused."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from measures.frechet import frechet_distance, gaussian_distance, measure_frechet


def sample(n, d, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (0.5, 1.0), (0.0, 3.0), (-2.0, 0.25)])
def test_two_round_gaussians_have_the_distance_of_the_closed_form(shift, scale):
    d = 7
    mean = np.full(d, shift)
    found = gaussian_distance(np.zeros(d), np.eye(d), mean, scale**2 * np.eye(d))
    assert found == pytest.approx(d * shift**2 + d * (scale - 1) ** 2, abs=1e-9)


def test_a_set_has_no_distance_to_itself():
    features = sample(60, 12)
    assert frechet_distance(features, features) == pytest.approx(0.0, abs=1e-6)


def test_it_is_symmetric_and_does_not_care_how_the_axes_are_turned():
    a, b = sample(80, 9), sample(90, 9, seed=1) * 1.7 + 0.3
    turn, _ = np.linalg.qr(sample(9, 9, seed=2))
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-9)
    assert frechet_distance(a @ turn, b @ turn) == pytest.approx(frechet_distance(a, b), rel=1e-8)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_what_the_textbook_formula_gives(seed):
    a, b = sample(50, 6, seed), sample(70, 6, seed + 100) @ sample(6, 6, seed + 200)
    covariances = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = sqrtm(covariances[0] @ covariances[1])
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(covariances[0] + covariances[1] - 2 * root.real)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-7)


def test_fewer_images_than_dimensions_give_a_finite_real_number():
    found = frechet_distance(sample(5, 40), sample(6, 40, seed=1))
    assert np.isfinite(found)
    assert found > 0


def test_below_two_images_a_dimension_it_is_refused_with_the_reason():
    rng = np.random.default_rng(0)
    refused = measure_frechet(sample(19, 10), sample(100, 10), None, rng)
    assert (refused.value, refused.infinity) == (None, None)
    assert "at least 20" in refused.refused
    given = measure_frechet(sample(20, 10), sample(100, 10), None, rng)
    assert given.refused is None
    assert given.value > 0


def test_one_distribution_stays_at_its_floor_and_another_one_does_not():
    rng = np.random.default_rng(0)
    halves = sample(300, 8, 1), sample(300, 8, 2)
    same = measure_frechet(sample(300, 8, 3), np.concatenate(halves), halves, rng)
    assert same.value < 2 * same.floor
    assert abs(same.infinity) < same.value
    other = measure_frechet(sample(300, 8, 3) + 1, np.concatenate(halves), halves, rng)
    assert other.value > 20 * other.floor
    assert other.infinity == pytest.approx(8, abs=1.2)


def test_what_is_said_beside_the_distance():
    found = measure_frechet(
        sample(30, 4), sample(40, 4, 1), (sample(8, 4, 2), sample(25, 4, 3)), np.random.default_rng(0)
    )
    assert (found.n, found.m, found.d, found.floor_n) == (30, 40, 4, 8)
    assert found.value == frechet_distance(sample(30, 4), sample(40, 4, 1))
    assert found.floor > 0
    few = measure_frechet(
        sample(30, 4), sample(40, 4, 1), (sample(7, 4, 2), sample(33, 4, 3)), np.random.default_rng(0)
    )
    assert (few.floor, few.floor_n) == (None, 0), "a half of fewer than two images a dimension has no floor"
    alone = measure_frechet(sample(30, 4), sample(7, 4, 1), None, np.random.default_rng(0))
    assert (alone.value, alone.floor, alone.floor_n, alone.n, alone.m, alone.d) == (None, None, 0, 30, 7, 4)
    assert "30 and 7 images are too few for 4 feature dimensions: at least 8" in alone.refused


def test_the_floor_has_as_many_images_as_the_smallest_of_the_three():
    halves = sample(40, 3, 2), sample(25, 3, 3)
    for n, floor_n in ((9, 9), (30, 25)):
        found = measure_frechet(sample(n, 3), sample(65, 3, 1), halves, np.random.default_rng(5))
        rng = np.random.default_rng(5)
        some = [half[rng.choice(len(half), size=floor_n, replace=False)] for half in halves]
        assert (found.floor_n, found.floor) == (floor_n, pytest.approx(frechet_distance(*some)))


def test_one_number_for_each_image_is_a_gaussian_too():
    a, b = sample(50, 1), sample(50, 1, 1) * 3 + 2
    expected = (a.mean() - b.mean()) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
    assert frechet_distance(a, b) == pytest.approx(expected)
