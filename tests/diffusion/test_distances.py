"""Distances class by class: fair in their numbers, and with a floor that real images reach."""

from __future__ import annotations

import numpy as np
import pytest

from core.taxonomy import CLASS_CODES
from diffusion.distances import LabelledFeatures, measure_distances
from measures.kid import kid


def points(counts: dict[str, int], seed: int, moved: dict[str, float] | None = None) -> LabelledFeatures:
    rng = np.random.default_rng(seed)
    labels = np.repeat([CLASS_CODES.index(code) for code in counts], list(counts.values()))
    centres = 3 * np.eye(7, 8)[labels]
    shift = np.array([(moved or {}).get(CLASS_CODES[label], 0.0) for label in labels])
    return LabelledFeatures(rng.normal(centres, 0.3) + shift[:, None], labels)


def test_only_the_class_that_is_off_is_far():
    counts = dict.fromkeys(CLASS_CODES, 30)
    found = measure_distances(points(counts, 1, {"DF": 2.0}), points(counts, 2), points(counts, 3), "points")
    assert found.by_class["DF"].kid.low > 10 * abs(found.by_class["DF"].floor.value)
    for code in set(CLASS_CODES) - {"DF"}:
        assert found.by_class[code].kid.low <= 0 <= found.by_class[code].kid.high
    assert found.mean == pytest.approx(np.mean([d.kid.value for d in found.by_class.values()]))
    assert list(found.by_class) == list(CLASS_CODES)


def test_another_mixture_of_classes_is_no_difference():
    generated, photographs = {"MEL": 40, "NV": 40}, {"MEL": 20, "NV": 200}
    found = measure_distances(points(generated, 1), points(photographs, 2), points(photographs, 3), "points").overall
    assert found is not None
    assert (found.kid.n_a, found.kid.n_b, found.floor.n_a, found.floor.n_b) == (60, 60, 60, 60)
    assert found.kid.low <= 0 <= found.kid.high
    unmatched = kid(points(generated, 1).features, points(photographs, 3).features)
    assert unmatched.low > 0


def test_the_floor_has_as_many_images_as_were_generated():
    sides = points({"BCC": 10}, 1), points({"BCC": 70}, 2), points({"BCC": 25}, 3)
    found = measure_distances(*sides, "points").by_class["BCC"]
    assert (found.kid.n_a, found.floor.n_a, found.kid.n_b, found.floor.n_b) == (10, 10, 25, 25)


def test_classes_with_too_few_images_are_left_out():
    few = {"DF": 3, "MEL": 9}
    found = measure_distances(points({"DF": 9, "MEL": 9}, 1), points({"DF": 9, "MEL": 9}, 2), points(few, 3), "points")
    assert list(found.by_class) == ["MEL"]
    nothing = measure_distances(points({"DF": 2}, 1), points({"DF": 2}, 2), points({"DF": 2}, 3), "points")
    assert (nothing.overall, nothing.mean, dict(nothing.by_class)) == (None, None, {})
