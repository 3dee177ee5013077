"""Agreement between maps, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.xai.builders import explanation
from xai.agreement import agreement_table


def big(values: np.ndarray, method: str):
    attribution = np.repeat(values.astype(np.float32)[..., None] / 3, 3, axis=2)
    return explanation(image=np.zeros((32, 32, 3), np.uint8), attribution=attribution, method=method)


def test_equal_opposite_and_unrelated_maps() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(32, 32))
    maps = [big(values, "ig"), big(2 * values, "occlusion"), big(-values, "gradcam")]
    same, opposite, also = agreement_table(maps)
    assert (same["a"], same["b"]) == ("ig", "occlusion")
    assert same["spearman"] == pytest.approx(1)
    assert same["top_overlap"] == 1
    assert opposite["spearman"] == also["spearman"] == pytest.approx(-1)
    assert opposite["top_overlap"] == 0


def test_chance_is_what_the_docstring_says() -> None:
    rng = np.random.default_rng(1)
    tables = [agreement_table([big(rng.normal(size=(32, 32)), m) for m in ("ig", "gradcam")])[0] for _ in range(200)]
    assert abs(np.mean([table["spearman"] for table in tables])) < 0.02
    assert np.mean([table["top_overlap"] for table in tables]) == pytest.approx(0.05, abs=0.01)


def test_maps_that_cannot_be_compared_are_left_out() -> None:
    rng = np.random.default_rng(2)
    flat, broken = np.full((32, 32), 0.5), np.full((32, 32), np.nan)
    maps = [big(rng.normal(size=(32, 32)), "ig"), big(flat, "gradcam"), big(broken, "occlusion")]
    assert agreement_table(maps) == []


def test_the_tops_of_two_maps_are_where_they_are_highest() -> None:
    first, second = np.linspace(-2, -1, 32 * 32).reshape(32, 32), np.linspace(-1, -2, 32 * 32).reshape(32, 32)
    first[:4], second[:4] = 1.0, 1.0  # an eighth of the pixels, more than the tops hold
    first[0, 0] = second[0, 0] = 0.5
    (table,) = agreement_table([big(first, "ig"), big(second, "gradcam")])
    assert table["top_overlap"] == 1
