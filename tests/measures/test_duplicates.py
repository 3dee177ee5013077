"""Near-duplicates: the threshold at ties, at zeros and with few photographs; what is the same has no distance."""

from __future__ import annotations

import numpy as np
import pytest

from measures.duplicates import FEWEST, MARGIN, between, different, near_duplicates
from measures.features import PIXELS
from measures.neighbours import all_views


def line(points):
    """Return the distances of points on a line, to themselves infinite."""
    places = np.asarray(points, float)
    found = np.abs(places[:, None] - places[None])
    np.fill_diagonal(found, np.inf)
    return found


APART = line(np.arange(20) * 2.0)
"""Twenty photographs, each two units from the next: the tie in which all distances are one."""


def test_at_ties_the_threshold_is_three_quarters_of_what_all_keep():
    found = near_duplicates([line([0, 1.4, 10, 11.5, 20, 21.6])], [APART])
    assert found.threshold == MARGIN
    assert found.scores.tolist() == pytest.approx([0.7, 0.7, 0.75, 0.75, 0.8, 0.8])
    assert found.flagged.tolist() == [True, True, False, False, False, False], "below, not at"


def test_at_zeros_each_photograph_counts_once():
    zeros = line([*np.arange(20) * 2.0, 0.0, 0.0, 6.0])
    found = near_duplicates([line([0, 0, 1.4, 100])], [zeros])
    assert found.photographs == 20
    assert found.threshold == MARGIN
    assert found.flagged.tolist() == [True, True, True, False]


def test_what_rounding_leaves_of_zero_is_zero():
    assert different(line([0, 1e-7, 5, 10, 10 + 1e-6])).tolist() == [0, 2, 3]
    assert different(line([0, 0.5, 5, 10])).tolist() == [0, 1, 2, 3], "near is not the same"


def test_with_few_different_photographs_nothing_is_near():
    zeros = line([*np.arange(FEWEST - 1) * 2.0, *[0.0] * 30])
    found = near_duplicates([line([0, 0, 1, 9])], [zeros])
    assert found.photographs == FEWEST - 1
    assert found.threshold == 0
    assert not found.flagged.any()
    assert near_duplicates([line([0, 0, 1, 9])], [line(np.arange(FEWEST) * 2.0)]).flagged.tolist() == [
        True, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(("n", "expected"), [(10, 1 / 11), (98, 1 / 99), (99, 0.01), (500, 0.01)])
def test_share_that_is_expected(n, expected):
    assert near_duplicates([APART], [line(np.arange(n) * 2.0)]).expected == pytest.approx(expected)


def test_a_space_in_which_all_are_one_is_not_asked():
    same = np.zeros((20, 20))
    np.fill_diagonal(same, np.inf)
    own = np.zeros((3, 3))
    np.fill_diagonal(own, np.inf)
    found = near_duplicates([line([0, 10, 20]), own], [APART, same])
    assert np.isfinite(found.scores).all()
    assert not found.flagged.any()


def test_turned_copies_have_no_distance():
    picture = np.random.default_rng(0).integers(0, 256, (3, 48, 48), dtype=np.uint8)
    other = np.random.default_rng(1).integers(0, 256, (3, 48, 48), dtype=np.uint8)
    views = all_views(np.stack([picture, np.rot90(picture, axes=(1, 2)), other, picture[:, :, ::-1]]), PIXELS)
    assert different(between(views)).tolist() == [0, 2]


def test_nearest_other_images_in_two_spaces_by_hand():
    far = np.inf
    own = np.array([[far, 1.0, 4.0], [1.0, far, 5.0], [4.0, 5.0, far]])
    other = np.array([[far, 8.0, 2.0], [8.0, far, 9.0], [2.0, 9.0, far]])
    # the twenty photographs keep 2 in the first space and 4 in the second: the units
    found = near_duplicates([own, other], [APART, 2 * APART])
    assert found.scores.tolist() == [0.5, 0.5, 0.5]
    assert found.partners.tolist() == [1, 0, 0]
    assert found.threshold == pytest.approx(0.75 * 1.0)


def test_photographs_at_a_hundredth_of_the_usual_distance_are_one():
    space = np.full((6, 6), 100.0)
    np.fill_diagonal(space, np.inf)
    space[0, 1] = space[1, 0] = 1.0
    space[2, 3] = space[3, 2] = 1.01
    assert different(space).tolist() == [0, 2, 3, 4, 5]
