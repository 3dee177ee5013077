"""Precision, recall, density and coverage: by hand, by a slow oracle, and in the directions that matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measures.prdc import Prdc, pairwise, prdc


def oracle(real, synthetic, k):
    """The definitions, one image at a time."""

    def radius(points, i):
        return sorted(np.linalg.norm(points[i] - p) for j, p in enumerate(points) if j != i)[k - 1]

    real_radii = [radius(real, i) for i in range(len(real))]
    synthetic_radii = [radius(synthetic, j) for j in range(len(synthetic))]
    inside = [[np.linalg.norm(r - s) < around for r, around in zip(real, real_radii, strict=True)] for s in synthetic]
    recalled = [any(np.linalg.norm(r - s) < a for s, a in zip(synthetic, synthetic_radii, strict=True)) for r in real]
    covered = [any(np.linalg.norm(r - s) < a for s in synthetic) for r, a in zip(real, real_radii, strict=True)]
    return Prdc(
        float(np.mean([any(row) for row in inside])), float(np.mean(recalled)),
        float(np.sum(inside) / (k * len(synthetic))), float(np.mean(covered)),
    )  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(6, 14), st.integers(6, 14))
def test_it_is_what_the_definitions_say(seed, k, n, m):
    rng = np.random.default_rng(seed)
    real, synthetic = rng.normal(size=(n, 3)), rng.normal(size=(m, 3)) + 0.5
    assert prdc(real, synthetic, k).to_json() == pytest.approx(oracle(real, synthetic, k).to_json())


def test_a_line_of_numbers_by_hand():
    real, synthetic = np.array([[0.0], [1.0], [3.0]]), np.array([[0.5], [9.0], [9.5]])
    # radii: 1, 1, 2 and 8.5, 0.5, 0.5; 0.5 lies around 0 and 1, 9 and 9.5 around nobody; all real lie around 0.5
    assert prdc(real, synthetic, 1) == Prdc(1 / 3, 1.0, 2 / 3, 2 / 3)


def test_copies_score_perfectly_which_is_why_they_are_looked_for_elsewhere():
    real = np.random.default_rng(0).normal(size=(50, 4))
    assert prdc(real, real.copy()) == Prdc(1.0, 1.0, pytest.approx(1.0, abs=0.25), 1.0)


def test_a_collapsed_generator_keeps_precision_and_loses_recall_and_coverage():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(200, 4))
    collapsed = real[:1] + rng.normal(size=(200, 4)) * 1e-3
    found = prdc(real, collapsed)
    assert found.precision > 0.95
    assert found.recall < 0.05
    assert found.coverage < 0.2


def test_a_generator_of_rubbish_loses_precision():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(200, 4))
    found = prdc(real, rng.normal(size=(200, 4)) * 20)
    assert found.precision < 0.2
    assert found.density < 0.2
    assert found.recall > 0.5


def test_healthy_sets_have_the_values_that_were_published():
    """2,000 images of 64 normal numbers: P 0.71, R 0.71, D 0.99, C 0.98 (ANCHORS, measured)."""
    rng = np.random.default_rng(0)
    found = prdc(rng.normal(size=(2000, 64)), rng.normal(size=(2000, 64)))
    assert found.to_json() == pytest.approx(
        {"precision": 0.71, "recall": 0.71, "density": 0.99, "coverage": 0.98}, abs=0.03
    )


def test_neither_order_nor_blocks_matter(monkeypatch):
    rng = np.random.default_rng(0)
    real, synthetic = rng.normal(size=(90, 5)), rng.normal(size=(70, 5))
    whole = prdc(real, synthetic)
    monkeypatch.setattr("measures.prdc._BLOCK", 7)
    shuffled = prdc(real[rng.permutation(90)], synthetic[rng.permutation(70)])
    assert shuffled.to_json() == pytest.approx(whole.to_json())


def test_too_few_images_are_refused():
    with pytest.raises(ValueError, match="too few"):
        prdc(np.zeros((5, 2)), np.zeros((9, 2)))


def test_distances_are_exact_far_from_the_origin():
    a = np.random.default_rng(0).normal(size=(20, 3)) + 1e6
    expected = np.linalg.norm(a[:, None] - a[None], axis=2)
    assert np.abs(pairwise(a, a) - expected).max() < 1e-6


def test_who_lies_exactly_on_the_edge_lies_outside():
    real, synthetic = np.array([[0.0], [1.0], [3.0]]), np.array([[2.0], [9.0], [10.0]])
    # radii: 1, 1, 2 and 7, 1, 1; 2 lies on the edge around 1 and inside that around 3; all real lie around 2
    assert prdc(real, synthetic, 1) == Prdc(1 / 3, 1.0, 1 / 3, 1 / 3)


def test_the_fifth_neighbour_is_taken_and_six_images_are_enough():
    rng = np.random.default_rng(0)
    real, synthetic = rng.normal(size=(6, 3)), rng.normal(size=(9, 3))
    assert prdc(real, synthetic) == prdc(real, synthetic, 5) != prdc(real, synthetic, 4)
    for few in ((real[:5], synthetic), (real, synthetic[:5])):
        with pytest.raises(ValueError, match="too few"):
            prdc(*few)
