"""Equal areas whatever the map, and rivals that are the region itself elsewhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xai.trajectory.shift import importance, random_rivals, region_size, top_and_bottom

maps = arrays(
    np.float64, st.tuples(st.integers(2, 14), st.integers(2, 14)), elements=st.sampled_from([0.0, 1.0, 2.0, 5.0])
)


@settings(max_examples=60, deadline=None)
@given(maps)
def test_regions_are_of_exactly_equal_area_disjoint_and_ranked(values):
    top, bottom = top_and_bottom(values)
    assert top.sum() == bottom.sum() == region_size(values.shape)
    assert not (top & bottom).any()
    assert values[top].min() >= values[~top].max(initial=-1)
    assert values[bottom].max() <= values[~bottom].min(initial=9)


def test_ties_always_break_the_same_way():
    top, bottom = top_and_bottom(np.zeros((10, 10)))
    assert np.flatnonzero(bottom).tolist() == list(range(10))
    assert np.flatnonzero(top).tolist() == list(range(90, 100))


def test_a_tenth_of_a_picture():
    assert region_size((128, 128)) == 1638
    assert region_size((20, 10)) == region_size((10, 20)) == 20
    assert region_size((2, 2)) == 1
    assert region_size((1, 2)) == 1


def test_importance_ignores_the_sign_and_adds_the_channels():
    values = np.zeros((40, 40, 3))
    values[20, 20] = (-4.0, 1.0, 0.0)
    found = importance(values)
    assert found.argmax() == 20 * 40 + 20
    assert found.sum() == pytest.approx(3.0)
    np.testing.assert_allclose(importance(-values), found)


def perimeter(mask):
    return sum(int((mask != np.roll(mask, 1, axis)).sum()) for axis in (0, 1))


@pytest.mark.parametrize("shape", [(24, 24), (24, 16)])
def test_rivals_have_the_area_and_around_the_edges_the_perimeter_of_the_region(shape):
    mask = np.zeros(shape, bool)
    mask[3:9, 4:8] = True
    rivals = list(random_rivals(mask, 20, np.random.default_rng(0)))
    assert all(rival.sum() == mask.sum() and rival.shape == shape for rival in rivals)
    assert all(perimeter(rival) == perimeter(mask) for rival in rivals)
    assert len({rival.tobytes() for rival in rivals}) > 15


def test_rivals_cover_the_picture_evenly():
    mask = np.zeros((12, 12), bool)
    mask[:3, :4] = True
    cover = np.mean(list(random_rivals(mask, 4000, np.random.default_rng(1))), axis=0)
    np.testing.assert_allclose(cover, mask.mean(), atol=0.035)
