"""Animation and strip: every frame is there, with its own pixels, its step, and the mark that it is synthetic."""

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from core.errors import UsageError
from dataset.png import XMP_KEY
from measures.sheets.film import LAST_FRAME_MS, FilmFrame, animation, spread, strip


def frames(count, side=16):
    levels = [np.full((side, side, 3), 10 * i, np.uint8) for i in range(1, count + 1)]
    return [FilmFrame(i + 1, count, level, 255 - level) for i, level in enumerate(levels)]


def test_the_animation_has_every_frame_in_order_and_holds_the_last():
    gif = Image.open(io.BytesIO(animation(frames(12), "MEL · seed 5")))
    shown = [(f.convert("RGB").getpixel((3, 3))[0], f.convert("RGB").getpixel((140, 3))[0], f.info["duration"])
             for f in ImageSequence.Iterator(gif)]  # fmt: skip
    assert [left for left, _, _ in shown] == [10 * i for i in range(1, 13)]
    assert [right for _, right, _ in shown] == [255 - 10 * i for i in range(1, 13)]
    assert shown[-1][2] == LAST_FRAME_MS
    assert gif.info["loop"] == 0
    assert b"Synthetic" in gif.info["comment"]


def test_the_strip_shows_first_and_last_and_keeps_every_pixel():
    picture = Image.open(io.BytesIO(strip(frames(25), "MEL · seed 5", most=5)))
    pixels = np.asarray(picture.convert("RGB"))
    above = [int(pixels[3, 3 + i * 132, 0]) for i in range(5)]
    below = [int(pixels[128 + 4 + 3, 3 + i * 132, 0]) for i in range(5)]
    assert above == [10, 70, 130, 190, 250]
    assert below == [255 - level for level in above]
    assert "trainedAlgorithmicMedia" in picture.info[XMP_KEY]


@pytest.mark.parametrize(("count", "most"), [(1, 10), (2, 10), (10, 10), (11, 10), (200, 10), (3, 1)])
def test_steps_are_spread_evenly(count, most):
    chosen = spread(count, most)
    assert chosen[0] == 0
    assert chosen[-1] == count - 1
    assert len(chosen) == len(set(chosen)) <= max(2, most)
    gaps = np.diff(chosen)
    assert len(gaps) == 0 or gaps.max() - gaps.min() <= 1


def test_small_images_are_enlarged_pixel_for_pixel_and_large_ones_are_left_alone():
    checker = np.zeros((32, 32, 3), np.uint8)
    checker[::2] = 255
    picture = np.asarray(Image.open(io.BytesIO(strip([FilmFrame(1, 1, checker, checker)], ""))).convert("RGB"))
    assert set(np.unique(picture[:128, :128])) == {0, 255}
    assert (picture[0:4, :128] == 255).all()
    assert (picture[4:8, :128] == 0).all()
    large = np.zeros((200, 200, 3), np.uint8)
    assert Image.open(io.BytesIO(strip([FilmFrame(1, 1, large, large)], ""))).width == 200


@pytest.mark.parametrize("export", [animation, strip])
def test_no_steps_no_film(export):
    with pytest.raises(UsageError, match="no denoising steps"):
        export([], "")
