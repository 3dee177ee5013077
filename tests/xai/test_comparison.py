"""The sheet of all maps: a place for each, one scale for each unit, words where nothing may be drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.xai.builders import RED, explanation
from xai import comparison
from xai.comparison import compare, reduced
from xai.methods import METHODS
from xai.overlay import shown_map

TILE, PITCH, LABEL = 256, 266, 24


def square(value=1.0, **fields):
    return explanation(np.full((8, 8), value), image=np.full((8, 8, 3), 150, np.uint8), **fields)


def tile(sheet, row, column):
    top, left = 10 + row * (LABEL + PITCH) + LABEL, 10 + column * PITCH
    return np.asarray(sheet).astype(int)[top : top + TILE, left : left + TILE]


def redness(picture):
    middle = picture[100:150, 100:150]
    return middle[..., 0].mean() - middle[..., 2].mean()


def test_one_map_or_none_to_be_drawn_is_no_comparison():
    assert compare([square()]) is None
    assert compare([square(gate=RED), square(gate=RED)]) is None
    assert compare([]) is None


def test_a_row_for_each_picture_and_class_and_a_column_for_each_method():
    made = [
        square(method=method, target=target, source=Path(f"{name}.png"))
        for name in "ab"
        for target in ("MEL", "NV")
        for method in METHODS
    ]
    found = compare(made)
    assert found.sheet.width == 10 + 8 * PITCH
    assert found.sheet.height == 10 + 4 * (LABEL + PITCH) + len(METHODS) * 34 + 10
    assert found.left_out == 0
    for row in range(4):
        picture = tile(found.sheet, row, 0)
        assert (picture == 150).all(), "the picture itself comes first"
        assert all(redness(tile(found.sheet, row, column)) > 30 for column in range(1, 8))


def test_one_method_fills_rows_of_six():
    found = compare([square(0.1 * (i + 1), source=Path(f"{i}.png")) for i in range(8)])
    assert found.sheet.width == 10 + 6 * PITCH
    strengths = [redness(tile(found.sheet, i // 6, i % 6)) for i in range(8)]
    assert strengths == sorted(strengths), "on one scale, the stronger map is redder"
    assert strengths[-1] > strengths[0] + 30
    assert (tile(found.sheet, 1, 2) == 255).all(), "no more than eight"


def test_units_do_not_share_a_scale_and_one_unit_does():
    weak, strong, other = square(0.1), square(1.0), square(100.0, method="gradcam")
    found = compare([weak, strong, other])
    assert found.scales == {
        "logits per pixel": pytest.approx(1.0, rel=1e-5),
        "mean gradient x activation per cell": pytest.approx(100.0, rel=1e-5),
    }


def test_a_red_map_is_said_in_words_and_sets_no_scale():
    found = compare([square(0.1, source=Path("a.png")), square(9.0, gate=RED, source=Path("b.png"))])
    assert found.scales == {"logits per pixel": pytest.approx(0.1, rel=1e-5)}
    hatched = tile(found.sheet, 0, 1)[:60]
    assert np.ptp(hatched, axis=2).max() <= 1
    assert hatched.std() > 5


def test_what_finds_no_room_is_counted(monkeypatch):
    monkeypatch.setattr(comparison, "MAX_ROWS", 2)
    found = compare([square(method=m, source=Path(f"{i}.png")) for i in range(4) for m in ("ig", "gradcam")])
    assert found.sheet.height == 10 + 2 * (LABEL + PITCH) + 2 * 34 + 10
    assert found.left_out == 4
    assert compare([square(), square(-1.0)], total=10).left_out == 8


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (300, 5)])
def test_pictures_of_any_shape_find_their_place(shape):
    made = [explanation(np.ones(shape), image=np.zeros((*shape, 3), np.uint8)) for _ in range(2)]
    assert compare(made).sheet.width == 10 + 3 * PITCH


@pytest.mark.parametrize("name", ["very" * 60, "родинка \u0416.png", "a\nb", "\udcff.png"])
def test_names_are_cut_and_may_be_cyrillic(name):
    assert compare([square(source=Path(name)), square()]).sheet.width == 10 + 3 * PITCH


@pytest.mark.parametrize("style", ["signed", "positive", "jet"])
def test_what_speaks_against_is_blue_only_on_the_signed_sheet(style):
    found = compare([square(-1.0), square(-1.0)], style)
    assert (redness(tile(found.sheet, 0, 0)) < -30) == (style in ("signed", "jet"))


def test_reduced_maps_keep_their_values():
    values = np.random.default_rng(0).normal(size=(1000, 900)) + 1
    large = explanation(values, image=np.random.default_rng(0).integers(0, 256, (1000, 900, 3)).astype(np.uint8))
    small = reduced(large)
    assert small.attribution.shape == small.image.shape == (334, 300, 3)
    assert small.attribution[:333, :].sum(axis=2).mean() == pytest.approx(values[:999].mean(), rel=1e-4)
    assert small.attribution[0, 0].sum() == pytest.approx(values[:3, :3].mean(), rel=1e-4)
    assert small.attribution[333, 0].sum() == pytest.approx(values[999:, :3].mean(), rel=1e-4)
    assert reduced(square()).attribution.shape == (8, 8, 3)
    assert np.isnan(reduced(replace(large, attribution=large.attribution * np.nan)).attribution).all()
    assert shown_map(small).shape == (334, 300)
    assert Image.fromarray(small.image).size == (300, 334)
