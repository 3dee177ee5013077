"""The nearest image in eight views: which view is which, and what is near where there are few or equal images."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from measures.features import Extractor
from measures.neighbours import all_views, distances, nearest, to_nearest_other, view
from measures.pictures import tile

RAW = Extractor("raw", lambda pixels: pixels.flatten(1))


@pytest.mark.parametrize("number", range(8))
def test_turned_first_and_mirrored_from_4_on(number: int) -> None:
    images = np.arange(2 * 3 * 4 * 4, dtype=np.uint8).reshape(2, 3, 4, 4)
    expected = [np.rot90(image, number % 4, (1, 2)) for image in images]
    expected = [image[:, :, ::-1] if number > 3 else image for image in expected]
    assert np.array_equal(view(images, number), np.stack(expected))
    assert np.array_equal(all_views(images, RAW)[number], RAW(np.stack(expected)))


@pytest.mark.parametrize(("count", "near"), [(3, 3), (50, 50), (60, 50)])
def test_surroundings_are_the_50_nearest_or_all_there_are(count: int, near: int) -> None:
    rng = np.random.default_rng(0)
    queries, reference = rng.normal(0, 1, (1, 4, 6)), rng.normal(0, 1, (count, 6))
    found = nearest(queries, reference)
    for row in range(4):
        ordered = sorted(float(np.linalg.norm(queries[0, row] - one)) for one in reference)
        assert found.distance[row] == pytest.approx(ordered[0])
        assert found.relative[row] == pytest.approx(ordered[0] / (sum(ordered[:near]) / near))


def test_more_queries_than_are_compared_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    queries, reference, further = rng.normal(0, 1, (2, 11, 3)), rng.normal(0, 1, (9, 3)), rng.random(11)
    whole = nearest(queries, reference, further)
    monkeypatch.setattr("measures.neighbours._BLOCK", 4)
    parts = nearest(queries, reference, further)
    for name in ("index", "distance", "relative"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name))
    assert 0 < (whole.index == 9).sum() < 11


def test_where_all_are_the_same_nothing_is_far() -> None:
    same = np.ones((1, 2, 3))
    found = nearest(same, np.ones((4, 3)))
    assert found.relative.tolist() == found.distance.tolist() == [0, 0]
    assert to_nearest_other(np.ones((1, 3))).tolist() == [np.inf]
    assert to_nearest_other(np.array([[0.0], [3.0], [4.0]])).tolist() == [3, 1, 1]


def test_distances_far_from_the_origin_are_those_near_it() -> None:
    rng = np.random.default_rng(0)
    queries, reference = rng.normal(0, 1, (8, 5, 4)), rng.normal(0, 1, (7, 4))
    expected = np.min(np.linalg.norm(queries[:, :, None] - reference, axis=3), axis=0)
    assert distances(queries + 1e6, reference + 1e6) == pytest.approx(expected, abs=1e-6)


def test_pictures_lie_side_by_side_row_after_row() -> None:
    images = torch.arange(6 * 3 * 2 * 2, dtype=torch.uint8).view(6, 3, 2, 2)
    sheet = np.asarray(tile(images, 3))
    assert sheet.shape == (4, 6, 3)
    for number in range(6):
        top, left = number // 3 * 2, number % 3 * 2
        assert np.array_equal(sheet[top : top + 2, left : left + 2], images[number].permute(1, 2, 0))
