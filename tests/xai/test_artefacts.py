"""Hair, rulers and dark corners that were drawn where the test knows them."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from xai.artefacts import artefact_masks

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
