"""Photographs in memory: the middle square, in order, and never a black square for a file that cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import InputRefusedError
from photographs.labelled import LabelledImage
from photographs.pixels import content_digests, load_pixels, middle_square, read_square
from photographs.sources import read_dataset
from tests.dataset.test_png import bomb
from tests.support.labelled_data import write_labelled_folder

GREEN = (0, 200, 0)


def with_margins(width: int, height: int) -> Image.Image:
    """Return a picture whose middle square is green, and whose margins are red before it and blue after it."""
    side = min(width, height)
    picture = Image.new("RGB", (width, height), (200, 0, 0))
    picture.paste(GREEN, ((width - side) // 2, (height - side) // 2, width, height))
    picture.paste((0, 0, 200), ((width - side) // 2 + side, 0, width, height))
    picture.paste((0, 0, 200), (0, (height - side) // 2 + side, width, height))
    return picture


def images_in(folder: Path, count: int | None = None) -> list[LabelledImage]:
    return list(read_dataset(folder).images)[:count]


def broken(path: Path, kind: str) -> None:
    """Damage a file, each kind as it happens: an empty copy, rubbish, a copy that ended early, a bomb, no file."""
    content = {"empty": b"", "text": b"no picture", "truncated": path.read_bytes()[:300], "bomb": bomb(8000, 7000)}
    if kind == "missing":
        path.unlink()
    else:
        path.write_bytes(content[kind])


@pytest.mark.parametrize(("width", "height"), [(60, 45), (45, 60), (40, 40), (61, 46)])
def test_the_middle_square_is_taken(tmp_path, width, height):
    with_margins(width, height).save(tmp_path / "x.png")
    found = read_square(tmp_path / "x.png", 16)
    assert found.shape == (16, 16, 3)
    assert (found == GREEN).all()


def test_a_photograph_of_ham10000_loses_75_columns_on_either_side():
    columns = np.arange(600)
    picture = np.broadcast_to((columns % 256).astype(np.uint8)[None, :, None], (450, 600, 3))
    np.testing.assert_array_equal(middle_square(picture), picture[:, 75:525])


def test_a_photograph_is_turned_upright_before_it_is_cropped(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = with_margins(30, 50)
    upright.rotate(90, expand=True).save(tmp_path / "x.png", exif=exif)
    assert (read_square(tmp_path / "x.png", 16) == GREEN).all()


def test_reducing_averages_instead_of_skipping(tmp_path):
    stripes = np.zeros((64, 64, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    inner = read_square(tmp_path / "stripes.png", 16)[:, 1:-1].astype(int)
    assert np.abs(inner - 127).max() <= 2


@pytest.mark.parametrize("threads", [None, 1, 7])
def test_pixels_stay_in_the_order_of_their_images(tmp_path, threads):
    images = images_in(write_labelled_folder(tmp_path))[::-1]
    pixels = load_pixels(images, 16, threads=threads)
    assert pixels.array.shape == (63, 3, 16, 16)
    assert pixels.array.dtype == np.uint8
    assert (pixels.images, pixels.unreadable, pixels.warning) == (tuple(images), (), "")
    for image, array in zip(images, pixels.array, strict=True):
        expected = Image.open(image.path).convert("RGB").resize((16, 16), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(array.transpose(1, 2, 0), np.asarray(expected))


def test_no_images_are_no_pixels():
    assert load_pixels([], 16).array.shape == (0, 3, 16, 16)


@pytest.mark.parametrize("kind", ["empty", "text", "truncated", "bomb", "missing"])
def test_an_unreadable_file_is_left_out_counted_and_named(tmp_path, kind):
    images = images_in(write_labelled_folder(tmp_path))
    broken(images[20].path, kind)
    pixels = load_pixels(images, 16)
    assert pixels.images == (*images[:20], *images[21:])
    assert len(pixels.array) == 62
    ((path, reason),) = pixels.unreadable
    assert path == images[20].path
    assert str(path) in reason
    assert pixels.warning == f"1 of 63 photographs cannot be read and are left out: {path}."
    np.testing.assert_array_equal(pixels.array, load_pixels(pixels.images, 16).array)
    assert pixels.array.max(axis=(1, 2, 3)).min() > 0  # the fixture's pictures are noisy: an all-black one was invented


def test_five_percent_may_be_unreadable_and_no_more(tmp_path):
    images = images_in(write_labelled_folder(tmp_path), 60)
    for image in images[10:13]:
        broken(image.path, "text")
    assert len(load_pixels(images, 16).unreadable) == 3
    broken(images[13].path, "text")
    with pytest.raises(InputRefusedError, match="4 of 60 photographs cannot be read") as refused:
        load_pixels(images, 16)
    for image in images[10:13]:
        assert str(image.path) in refused.value.message
    assert "and 1 more" in refused.value.message


def test_a_class_of_which_nothing_can_be_read_is_refused(tmp_path):
    images = images_in(write_labelled_folder(tmp_path))
    mel = next(image for image in images if image.code == "MEL")
    others = [image for image in images if image.code != "MEL"]
    assert len(load_pixels([mel, *others], 16).images) == 55
    broken(mel.path, "text")
    with pytest.raises(InputRefusedError, match="No photograph of MEL can be read"):
        load_pixels([mel, *others], 16)


def test_digests_are_of_the_pixels_not_of_the_file(tmp_path):
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (8, 12, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.png")
    picture.save(tmp_path / "b.bmp")
    picture.rotate(90, expand=True).save(tmp_path / "c.png", exif=exif)
    picture.rotate(180).save(tmp_path / "d.png")
    Image.fromarray(np.asarray(picture).reshape(12, 8, 3)).save(tmp_path / "e.png")  # same bytes, other shape
    (tmp_path / "f.png").touch()
    images = [LabelledImage(path.name, "MEL", path.name, "", path) for path in sorted(tmp_path.iterdir())]
    a, b, c, d, e, f = content_digests(images)
    assert a == b == c
    assert len({a, d, e, f}) == 4
    assert f == ""


def test_a_warning_names_three_files_and_counts_the_others(tmp_path):
    images = images_in(write_labelled_folder(tmp_path, lesions=8))  # 84
    for count, end in ((3, "."), (4, " and 1 more.")):
        for image in images[10 : 10 + count]:
            broken(image.path, "text")
        names = ", ".join(str(image.path) for image in images[10:13])
        expected = f"{count} of 84 photographs cannot be read and are left out: {names}{end}"
        assert load_pixels(images, 8).warning == expected


def test_one_dimension_of_a_square_is_the_shorter_one():
    for height, width in ((3, 8), (8, 3), (5, 5)):
        mask = np.arange(height * width).reshape(height, width) > -1
        assert middle_square(mask).shape == (min(height, width),) * 2
    rows = np.repeat(np.arange(7, dtype=np.uint8)[:, None], 3, axis=1)
    assert middle_square(rows)[:, 0].tolist() == [2, 3, 4]
