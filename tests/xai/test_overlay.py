"""Overlays: proportional, symmetric, on one scale, and words where there is nothing to show."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from tests.xai.builders import GREEN, RED, explanation
from xai.explanation import STYLES, GateVerdict
from xai.overlay import (
    MARKS,
    NEGATIVE,
    POSITIVE,
    blend_signed,
    colour_ramp,
    draw_icon,
    enlargement,
    from_oklab,
    grey,
    render_marked,
    render_overlay,
    shared_scale,
    shared_scales,
    shown_map,
    stamp,
    to_oklab,
    why_no_map,
)

SIDE = 40


def blob(strength=1.0, side=SIDE):
    y, x = np.mgrid[:side, :side]
    return strength * np.exp(-((x - side / 2) ** 2 + (y - side / 2) ** 2) / 30.0)


def over_grey(values, **fields):
    return explanation(values, image=np.full((*values.shape, 3), 150, np.uint8), **fields)


def shift(overlay, ground):
    """Distance of the middle pixel's colour from the bare picture, in OKLab."""
    middle = overlay.width // 2, overlay.height // 2
    pixel = np.array([overlay.getpixel(middle), ground.getpixel(middle)], np.uint8)
    lab = to_oklab(pixel)
    return np.linalg.norm(lab[0] - lab[1])


def has_colour(picture):
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    return bool((pixels.max(axis=2) - pixels.min(axis=2) > 12).any())


def test_oklab_of_the_primaries():
    # Reference values of Ottosson's page for white, and of CSS Color 4 for pure red.
    assert to_oklab(np.array([255, 255, 255], np.uint8)) == pytest.approx([1, 0, 0], abs=1e-3)
    assert to_oklab(np.array([255, 0, 0], np.uint8)) == pytest.approx([0.62796, 0.22486, 0.12585], abs=1e-3)
    colours = np.random.default_rng(0).integers(0, 256, (500, 3)).astype(np.uint8)
    assert np.abs(from_oklab(to_oklab(colours)).astype(int) - colours).max() <= 1


def test_the_two_signs_look_equally_strong_and_lie_in_srgb():
    assert POSITIVE[0] == NEGATIVE[0]
    assert np.hypot(*POSITIVE[1:]) == pytest.approx(np.hypot(*NEGATIVE[1:]))
    for end in (POSITIVE, NEGATIVE):
        assert np.abs(to_oklab(from_oklab(end)) - end).max() < 0.02
    red, blue = from_oklab(POSITIVE), from_oklab(NEGATIVE)
    assert red[0] > red[2] + 80
    assert blue[2] > blue[0] + 80


def test_half_the_value_goes_half_the_way():
    base = np.full((1, 3, 3), 150, np.uint8)
    lab = to_oklab(blend_signed(base, np.array([[1.0, 0.5, 0.0]]), 0.6))[0]
    full, half = np.linalg.norm(lab[0] - lab[2]), np.linalg.norm(lab[1] - lab[2])
    assert half / full == pytest.approx(0.5, abs=0.03)


def test_opacity_0_is_the_picture_itself():
    image = np.random.default_rng(0).integers(0, 256, (20, 20, 3)).astype(np.uint8)
    overlay = render_overlay(explanation(np.ones((20, 20)), image=image), opacity=0)
    assert np.array_equal(np.asarray(overlay)[::26, ::26], image)


def test_grey_has_no_colour():
    picture = np.random.default_rng(0).integers(0, 256, (9, 9, 3)).astype(np.uint8)
    assert np.ptp(grey(picture).astype(int), axis=2).max() <= 1


def test_small_pictures_are_enlarged_by_whole_factors_with_hard_edges():
    image = np.random.default_rng(0).integers(0, 256, (128, 100, 3)).astype(np.uint8)
    made = explanation(np.ones((128, 100)), image=image)
    overlay = np.asarray(render_overlay(made, opacity=0.3))
    assert overlay.shape == (512, 400, 3)
    blocks = overlay.reshape(128, 4, 100, 4, 3)
    assert (blocks == blocks[:, :1, :, :1]).all()
    assert render_overlay(explanation(np.ones((1, 1)), image=image[:1, :1])).size == (512, 512)
    assert render_overlay(explanation(np.ones((600, 900)), image=np.zeros((600, 900, 3), np.uint8))).size == (900, 600)


def test_two_maps_ten_times_apart_keep_their_ratio_on_one_scale():
    strong, weak = over_grey(blob(0.5)), over_grey(blob(0.05))
    scale = shared_scale([strong, weak])
    assert scale == shared_scale([strong])
    ground = render_overlay(over_grey(blob(1e-9)), scale=1.0)
    ratio = shift(render_overlay(strong, scale=2 * scale), ground) / shift(
        render_overlay(weak, scale=2 * scale), ground
    )
    assert ratio == pytest.approx(10, rel=0.25)
    alone = [np.asarray(render_overlay(e)) for e in (strong, weak)]
    assert np.abs(alone[0].astype(int) - alone[1]).max() <= 1, "each on its own scale looks the same"


def test_the_scale_is_symmetric_about_0():
    plus, minus = over_grey(blob(0.5)), over_grey(-blob(0.5))
    assert shared_scale([plus]) == shared_scale([minus])
    ground = render_overlay(plus, scale=1e9)
    assert shift(render_overlay(plus), ground) == pytest.approx(shift(render_overlay(minus), ground), rel=0.05)
    middle = (256, 256)
    assert render_overlay(plus).getpixel(middle)[0] > render_overlay(plus).getpixel(middle)[2] + 40
    assert render_overlay(minus).getpixel(middle)[2] > render_overlay(minus).getpixel(middle)[0] + 40


def test_one_wild_pixel_does_not_fade_the_rest():
    values = blob(0.01, side=120)
    expected = shared_scale([over_grey(values)])
    values[0, 0] = 100
    assert shared_scale([over_grey(values)]) < 2 * expected


def test_a_single_pixel_of_attribution_still_has_a_scale():
    values = np.zeros((100, 100))
    values[50, 50] = 1
    assert shared_scale([over_grey(values)]) > 0


def test_shown_maps_are_smoothed_without_losing_anything_and_raw_arrays_are_left_alone():
    values = np.zeros((200, 200))
    values[100, 100] = 3
    made = over_grey(values)
    before = made.attribution.copy()
    shown = shown_map(made)
    assert shown.sum() == pytest.approx(3, rel=1e-5)
    assert shown.max() < 0.5
    assert shown[100, 100] == shown.max()
    assert np.array_equal(made.attribution, before)


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"values": np.zeros((8, 6))}, "NO ATTRIBUTION"),
        ({"values": np.full((8, 6), np.nan)}, "NO ATTRIBUTION"),
        ({"values": np.where(np.eye(8, 6) > 0, np.inf, 1.0)}, "NO ATTRIBUTION"),
        ({"relative_delta": None}, "NOTHING TO EXPLAIN"),
        ({"gate": RED}, "CHECKS FAILED"),
    ],
)
def test_words_instead_of_a_map(fields, title):
    made = explanation(**fields)
    assert why_no_map(made)[0] == title
    overlay = render_overlay(made, scale=0.001)
    shown, ordinary = np.asarray(overlay).astype(int), np.asarray(render_overlay(explanation())).astype(int)
    assert overlay.size == (384, 512)
    assert np.abs(shown - ordinary).mean() > 20, "looks nothing like an ordinary overlay"
    hatch = shown[: shown.shape[0] // 4]
    assert np.ptp(hatch, axis=2).max() <= 1, "no colour but the sign's"
    assert hatch.std() > 5, "hatched"
    assert shared_scale([made]) == 0
    assert shared_scale([made, explanation()]) == shared_scale([explanation()])


def test_a_red_picture_is_the_same_whatever_the_map_says():
    one, two = (explanation(np.full((8, 6), value), gate=RED) for value in (0.5, -0.5))
    assert np.array_equal(np.asarray(render_overlay(one)), np.asarray(render_overlay(two)))


def test_an_ordinary_map_is_drawn():
    assert why_no_map(explanation()) is None
    assert has_colour(render_overlay(explanation()))


@pytest.mark.parametrize("level", list(MARKS))
def test_marks_differ_in_shape_word_and_colour(level):
    others = [other for other in MARKS if other != level]
    shape = np.asarray(draw_icon(level, 48))[..., 3] > 128
    for other in others:
        assert MARKS[level].word != MARKS[other].word
        assert MARKS[level].colour != MARKS[other].colour
        assert (shape != (np.asarray(draw_icon(other, 48))[..., 3] > 128)).mean() > 0.02


def test_the_mark_is_stamped_on_a_copy_in_the_lower_left():
    picture = Image.new("RGB", (512, 512), "#808080")
    marked = np.asarray(stamp(picture, "amber")).astype(int)
    changed = np.argwhere((marked != 128).any(axis=2))
    assert len(changed) > 100
    assert changed[:, 0].min() > 450
    assert changed[:, 1].max() < 256
    assert picture.getpixel((10, 505)) == (128, 128, 128)


@pytest.mark.parametrize("gate", [GREEN, GateVerdict("amber", ("Doubt.",)), RED])
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 700)])
def test_any_shape_can_be_drawn(gate, shape):
    made = explanation(np.ones(shape), gate, image=np.zeros((*shape, 3), np.uint8))
    assert render_marked(made).width >= shape[1]


@pytest.mark.parametrize("style", ["positive", "jet"])
def test_other_styles_show_nothing_of_what_speaks_against(style):
    nothing, against = (np.asarray(render_overlay(over_grey(v * blob(1)), scale=1.0, style=style)) for v in (1e-9, -1))
    assert np.abs(nothing.astype(int) - against).max() <= 1
    plus = np.asarray(render_overlay(over_grey(blob(1)), scale=1.0, style=style))
    middle = plus.shape[0] // 2
    assert plus[middle, middle, 0] > plus[middle, middle, 2] + 40
    assert not np.array_equal(plus, nothing)


def test_positive_is_the_red_half_of_signed():
    values = np.where(np.arange(SIDE) < SIDE / 2, 0.5, -0.5)[None].repeat(SIDE, axis=0)
    signed, positive = (np.asarray(render_overlay(over_grey(values), style=s)) for s in ("signed", "positive"))
    half = signed.shape[1] // 2 - 40
    assert np.abs(signed[:, :half].astype(int) - positive[:, :half]).max() <= 1
    assert np.ptp(positive[:, -half:].astype(int), axis=2).max() <= 1


def test_the_colours_of_jet_are_the_classic_ones():
    ramp = colour_ramp("jet", 9, 176)
    assert ramp[[0, 2, 4, 6, 8]].tolist() == [[0, 0, 128], [0, 128, 255], [128, 255, 128], [255, 128, 0], [128, 0, 0]]


def test_colour_ramps_are_the_colours_of_the_overlay():
    for style in STYLES:
        ramp = colour_ramp(style, 129, 150, opacity=0.6)
        assert ramp.shape == (129, 3)
        flat = over_grey(np.full((SIDE, SIDE), 1.0))
        overlay = np.asarray(render_overlay(flat, scale=1.0, opacity=0.6, style=style))
        assert np.abs(overlay[0, 0].astype(int) - ramp[-1]).max() <= 1
    signed = colour_ramp("signed", 129, 150).astype(int)
    assert signed[0, 2] > signed[0, 0] + 40
    assert np.ptp(signed[64]) <= 1
    assert signed[-1, 0] > signed[-1, 2] + 40


@pytest.mark.parametrize("method", ["gradcam", "layercam", "occlusion", "smoothgrad"])
def test_methods_that_divide_nothing_up_are_drawn_without_a_difference(method):
    assert why_no_map(explanation(method=method, relative_delta=None)) is None
    assert why_no_map(explanation(np.zeros((8, 6)), method=method, relative_delta=None))[0] == "NO ATTRIBUTION"


@pytest.mark.parametrize("method", ["ig", "shapley", "combined"])
def test_methods_that_divide_the_difference_up_need_one(method):
    assert why_no_map(explanation(method=method, relative_delta=None))[0] == "NOTHING TO EXPLAIN"


def test_each_unit_has_its_own_scale():
    made = [
        explanation(np.full((8, 6), 0.1)),
        explanation(np.full((8, 6), 0.4)),
        explanation(np.full((8, 6), 7.0), method="gradcam"),
    ]
    scales = shared_scales(made)
    assert scales == {"logits per pixel": pytest.approx(0.4), "mean gradient x activation per cell": pytest.approx(7.0)}
    assert shared_scales([explanation(gate=RED)]) == {}


@pytest.mark.parametrize("shape", [(200, 200), (120, 300)])
def test_shown_maps_are_smoothed_by_a_gaussian_of_a_hundredth_of_the_side(shape):
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    sigma = max(shape) / 100
    expected = gaussian_filter(values.astype(np.float64), sigma, mode="reflect", radius=int(np.ceil(3 * sigma)))
    np.testing.assert_allclose(shown_map(over_grey(values)), expected, atol=1e-6)


@pytest.mark.parametrize("opacity", [0.3, 0.6, 0.9])
def test_the_more_opaque_the_less_colour_of_its_own(opacity):
    base = np.full((1, 1, 3), (220, 120, 120), np.uint8)
    before, after = to_oklab(base)[0, 0], to_oklab(blend_signed(base, np.zeros((1, 1)), opacity))[0, 0]
    assert after[0] == pytest.approx(before[0], abs=0.01)
    assert after[1] == pytest.approx(before[1] * (1 - opacity) ** 2, abs=0.006)


@pytest.mark.parametrize(("side", "factor"), [(128, 4), (512, 1), (2000, 1)])
def test_a_picture_is_shown_enlarged_but_never_reduced(side, factor):
    assert enlargement(np.zeros((side, side // 2, 3), np.uint8)) == factor
