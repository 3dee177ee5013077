"""Hair, rulers and dark corners that were drawn where the test knows them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from xai.artefacts import _disc, _evenly, artefact_masks

SIDE = 160


def skin() -> Image.Image:
    noise = np.random.default_rng(0).normal(0, 3, (SIDE, SIDE, 1))
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    spot = np.exp(-(((x / 0.2) ** 2 + (y / 0.15) ** 2) ** 2))[..., None]
    picture = np.array([225, 180, 160.0]) * (1 - spot) + np.array([110, 70, 55.0]) * spot + noise
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))


def drawn(draw_on: Image.Image, *lines: tuple[float, ...], width: int = 2) -> np.ndarray:
    """The pixels of lines, which are also drawn on a picture."""
    mask = Image.new("1", draw_on.size)
    for picture, color in ((draw_on, (30, 20, 20)), (mask, 1)):
        pen = ImageDraw.Draw(picture)
        for line in lines:
            pen.line(line, fill=color, width=width)
    return np.asarray(mask)


def overlap(found: np.ndarray, planted: np.ndarray) -> float:
    """The share of the planted pixels that was found."""
    return float(found[planted].mean())


def test_plain_skin_with_a_lesion_has_none() -> None:
    assert not any(mask.any() for mask in artefact_masks(np.asarray(skin())).values())


def test_hair_is_found_and_nothing_else() -> None:
    picture = skin()
    planted = drawn(picture, (10, 20, 150, 60), (20, 150, 120, 110), (140, 5, 130, 80))
    found = artefact_masks(np.asarray(picture))
    assert overlap(found["hair"], planted) > 0.8
    assert found["hair"].mean() < 3 * planted.mean()
    assert not found["ruler"].any()


def test_a_ruler_is_found_and_is_no_hair() -> None:
    picture = skin()
    planted = drawn(picture, *((12 * n + 6, 146, 12 * n + 6, 156) for n in range(12)))
    found = artefact_masks(np.asarray(picture))
    assert overlap(found["ruler"], planted) > 0.8
    assert not found["hair"].any()


def test_a_tilted_ruler_with_a_mark_missing_is_found() -> None:
    picture = skin()
    along, across = np.array([np.cos(0.3), np.sin(0.3)]), np.array([-np.sin(0.3), np.cos(0.3)])
    starts = [np.array([8.0, 100.0]) + 12 * n * along for n in range(9) if n != 4]
    planted = drawn(picture, *((*start, *(start + 10 * across)) for start in starts))
    assert overlap(artefact_masks(np.asarray(picture))["ruler"], planted) > 0.7


def test_strewn_marks_are_no_ruler() -> None:
    picture = skin()
    rng = np.random.default_rng(1)
    drawn(picture, *((x, y, x + 6, y + 6) for x, y in rng.uniform(0, 150, (10, 2))))
    assert not artefact_masks(np.asarray(picture))["ruler"].any()


def test_the_edge_of_the_lens_is_a_dark_corner_and_a_dark_lesion_is_not() -> None:
    picture = skin()
    ImageDraw.Draw(picture).ellipse((60, 60, 100, 100), fill=(25, 15, 15))
    lens = np.asarray(picture).copy()
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    outside = np.hypot(x, y) > SIDE * 0.62
    lens[outside] = 8
    np.testing.assert_array_equal(artefact_masks(lens)["corner"], outside)


def plain(
    *boxes: tuple[int, int, int, int], value: tuple[int, int, int] = (30, 20, 20), side: int = SIDE
) -> np.ndarray:
    """Skin without noise, with dark boxes: upper edge, left edge, height, width."""
    picture = np.full((side, side, 3), (225, 180, 160), np.uint8)
    for top, left, height, width in boxes:
        picture[top : top + height, left : left + width] = value
    return picture


def ruler(count: int = 8, spacing: int = 12, height: int = 10, width: int = 2) -> list[tuple[int, int, int, int]]:
    return [(100, 5 + spacing * number, height, width) for number in range(count)]


def found(kind: str, *boxes: tuple[int, int, int, int], **how: Any) -> bool:
    return bool(artefact_masks(plain(*boxes, **how))[kind].any())


@pytest.mark.parametrize("scale", [1, 2])
def test_a_hair_is_longer_than_18_percent_of_the_side_and_thinner_than_3(scale: int) -> None:
    side = SIDE * scale
    assert found("hair", (20, 20, 2 * scale, 31 * scale), side=side)
    assert found("hair", (20, 20, 31 * scale, 2 * scale), side=side)
    assert found("hair", (20, 20, 4 * scale, 60 * scale), side=side)
    assert not found("hair", (20, 20, 2 * scale, 27 * scale), side=side)
    assert not found("hair", (20, 20, 6 * scale, 60 * scale), side=side)


def test_a_hair_is_18_grey_values_darker_than_what_surrounds_it() -> None:
    line = (20, 20, 2, 60)
    assert not found("hair", line, value=(208, 163, 143))
    assert found("hair", line, value=(205, 160, 140))


def test_a_corner_is_dark_and_large_enough() -> None:
    for top, left in ((0, 0), (0, -8), (-8, 0), (-8, -8)):
        picture = plain()
        picture[top % SIDE :, left % SIDE :][:8, :8] = 59
        np.testing.assert_array_equal(artefact_masks(picture)["corner"], picture[..., 0] == 59)
    assert not found("corner", (0, 0, 8, 8), value=(61, 61, 61))
    assert not found("corner", (0, 0, 7, 7), value=(59, 59, 59)), "under a five-hundredth of the picture"
    assert not found("corner", (0, 20, 8, 8), value=(59, 59, 59)), "at an edge and not in a corner"


@pytest.mark.parametrize(
    ("marks", "is_one"),
    [
        (ruler(), True),
        (ruler(count=6), True),
        (ruler(count=5), False),
        (ruler(spacing=18), True),
        (ruler(count=7, spacing=21), False),
        (ruler(height=5), True),
        (ruler(height=4), False),
        (ruler(height=23), True),
        (ruler(height=26), False),
        (ruler(height=8, width=3), True),
        (ruler(height=7, width=4), False),
        ([*ruler(), (100, 5 + 12 * 8 + 2, 10, 2)], True),
        ([*ruler(), (100, 5 + 12 * 8 + 4, 10, 2)], False),
    ],
)
def test_a_ruler_has_six_even_marks(marks: list[tuple[int, int, int, int]], is_one: bool) -> None:
    assert found("ruler", *marks) == is_one


def test_a_mark_beside_the_row_is_none_of_the_ruler() -> None:
    for away, belongs in ((2, True), (9, False)):
        mask = artefact_masks(plain(*ruler(), (100 + away, 5 + 12 * 8, 10, 2)))["ruler"]
        assert mask[105, 5]
        assert mask[105, 5 + 12 * 8] == belongs


def test_marks_stand_across_their_row() -> None:
    for degrees, is_one in ((8, True), (32, False)):
        picture = Image.fromarray(plain())
        dx, dy = 14 * np.sin(np.radians(degrees)), 14 * np.cos(np.radians(degrees))
        drawn(picture, *((12 * n + 6, 100, 12 * n + 6 + dx, 100 + dy) for n in range(9)))
        assert artefact_masks(np.asarray(picture))["ruler"].any() == is_one


@pytest.mark.parametrize(
    "box", [(0, 0, 1, 64), (SIDE - 1, 0, 1, 64), (0, SIDE - 1, 64, 1), (SIDE - 64, SIDE - 1, 64, 1)]
)
def test_a_corner_is_the_very_last_pixel(box: tuple[int, int, int, int]) -> None:
    assert found("corner", box, value=(59, 59, 59))


def test_two_marks_in_the_place_of_one_are_no_ruler() -> None:
    marks = ruler(spacing=18, width=1)
    assert found("ruler", *marks)
    assert not found("ruler", *marks, (100, 5 + 18 * 3 + 3, 10, 1))


@pytest.mark.parametrize(
    ("gaps", "even"),
    [
        ([2.0] * 5, False),
        ([2.1] * 5, True),
        ([20.0] * 5, True),
        ([20.1] * 5, False),
        ([10.0, 10, 10, 12, 10], True),
        ([10.0, 10, 10, 12.1, 10], False),
        ([10.0, 10, 10, 20, 10], True),
        ([10.0, 10, 10, 1, 10], False),
    ],
)
def test_gaps_are_even_if_they_are_multiples_of_the_usual_one(gaps: list[float], even: bool) -> None:
    assert _evenly(np.array(gaps), 20.0) is even


def test_what_surrounds_a_line_is_a_disc() -> None:
    assert _disc(3).tolist() == [[True] * 3] * 3
    assert _disc(5).tolist() == [
        [n in (1, 2, 3) for n in range(5)],
        *[[True] * 5] * 3,
        [n in (1, 2, 3) for n in range(5)],
    ]
