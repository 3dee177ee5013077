"""The contact sheet shows the very pixels, in order, under their own captions, and survives what cannot be read."""

import io

import numpy as np
import pytest
from PIL import Image

from core.errors import UsageError
from core.files.opening import MAX_SHEET_IMAGES
from core.images import read_image
from dataset.png import XMP_KEY
from measures.sheets.contact_sheet import caption_of, columns_for, contact_sheet
from tests.support.datasets import generate, image_files


@pytest.fixture
def images(tmp_path):
    generate(tmp_path, "MEL=3,NV=2")
    return image_files(tmp_path)


def opened(data):
    return Image.open(io.BytesIO(data))


def test_every_image_is_on_the_sheet_pixel_for_pixel_and_in_order(images):
    sheet = np.asarray(opened(contact_sheet(images, tile=16)).convert("RGB"))
    found = []
    for path in images:
        pixels = read_image(path)
        windows = np.lib.stride_tricks.sliding_window_view(sheet, (8, 8, 3))[:, :, 0]
        places = np.argwhere((windows == pixels).all(axis=(2, 3, 4)))
        assert len(places) == 1, path
        found.append(tuple(places[0]))
    assert found == sorted(found)


def test_captions_name_class_number_and_seed(images, tmp_path):
    assert caption_of(images[0]) == ("MEL 1", "seed 2133561722")
    foreign = tmp_path / "photo.png"
    Image.new("RGB", (4, 4)).save(foreign)
    assert caption_of(foreign) == ("photo.png", "no seed known")


def test_an_image_of_the_predecessor_has_its_seed_from_the_sidecar(tmp_path):
    path = tmp_path / "NV" / "ISIC_0000012.png"
    path.parent.mkdir()
    Image.new("RGB", (4, 4)).save(path)
    path.with_suffix(".json").write_text('{"seed": 77}')
    assert caption_of(path) == ("NV 12", "seed 77")


def test_what_cannot_be_read_keeps_its_place(images):
    empty = images[1]
    empty.write_bytes(b"")
    whole = opened(contact_sheet(images, tile=64))
    alone = opened(contact_sheet([empty], tile=64))
    assert whole.width > alone.width
    assert np.asarray(alone.convert("L")).min() < 200  # its name is written there


def test_the_sheet_is_marked_as_synthetic(images):
    assert "trainedAlgorithmicMedia" in opened(contact_sheet(images)).info[XMP_KEY]


def test_large_images_are_scaled_down_and_keep_their_shape(tmp_path):
    path = tmp_path / "wide.png"
    Image.new("RGB", (400, 100), "red").save(path)
    sheet = np.asarray(opened(contact_sheet([path], tile=100)).convert("RGB"))
    rows, columns = np.nonzero((sheet == (255, 0, 0)).all(axis=2))
    assert (np.ptp(columns) + 1, np.ptp(rows) + 1) == (100, 25)


def test_it_can_be_stopped(images):
    seen = []
    assert contact_sheet(images, tick=lambda done: seen.append(done) or done < 2) == b""
    assert seen == [1, 2]


@pytest.mark.parametrize("count", [0, MAX_SHEET_IMAGES + 1])
def test_too_few_or_too_many_are_refused_in_words(tmp_path, count):
    with pytest.raises(UsageError, match=f"not {count}"):
        contact_sheet([tmp_path / "x.png"] * count)


@pytest.mark.parametrize("count", [1, 2, 7, 100, 2000])
def test_a_sheet_is_about_as_wide_as_high(count):
    columns = columns_for(count, (136, 166))
    rows = -(-count // columns)
    assert 1 <= columns <= count
    assert count < 7 or 0.75 < columns * 136 / (rows * 166) < 1.9
