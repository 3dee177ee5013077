"""Labelled pictures: nothing is read wrongly in silence, and no lesion is ever on two sides of a split."""

from __future__ import annotations

import hashlib
import os
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.dataset.labelled import (
    LabelledImage,
    hold_out_lesions,
    labels_of,
    lesion_hash,
    read_image,
    read_labels,
    read_pixels,
)
from core.errors import InputRefusedError, UnknownClassError
from core.taxonomy import CLASS_CODES, CLASS_INDEX
from tests.support.labelled_data import write_labelled_folder


def many(lesions: int = 40) -> list[LabelledImage]:
    """Return images of `lesions` lesions a class, lesion k with 1 + k % 4 images."""
    return [
        LabelledImage(f"{code}_{k}_{v}", code, f"{code}-{k}", "", Path("x.jpg"))
        for code in CLASS_CODES
        for k in range(lesions)
        for v in range(1 + k % 4)
    ]


def lesions_of(images: list[LabelledImage]) -> set[str]:
    return {image.lesion_id for image in images}


def test_no_lesion_is_on_both_sides_and_no_image_is_lost():
    images = many()
    held, rest = hold_out_lesions(images, 0.15, "test")
    assert not lesions_of(held) & lesions_of(rest)
    assert sorted(i.image_id for i in held + rest) == sorted(i.image_id for i in images)


@pytest.mark.parametrize("fraction", [0.1, 0.15, 0.5])
def test_every_class_gives_its_share_of_lesions(fraction: float):
    held, _ = hold_out_lesions(many(), fraction)
    for code in CLASS_CODES:
        assert len({i.lesion_id for i in held if i.code == code}) == round(40 * fraction)


def test_split_depends_neither_on_order_nor_on_the_process():
    images = many()
    shuffled = random.Random(1).sample(images, len(images))
    assert lesions_of(hold_out_lesions(images, 0.2)[0]) == lesions_of(hold_out_lesions(shuffled, 0.2)[0])
    expected = sorted((f"MEL-{k}" for k in range(40)), key=lambda x: hashlib.sha256(f"s:{x}".encode()).hexdigest())[:8]
    held, _ = hold_out_lesions(images, 0.2, "s")
    assert {i.lesion_id for i in held if i.code == "MEL"} == set(expected)


def test_salts_give_different_splits():
    assert lesions_of(hold_out_lesions(many(), 0.2, "a")[0]) != lesions_of(hold_out_lesions(many(), 0.2, "b")[0])


def test_a_class_with_two_lesions_still_has_one_held_out():
    held, rest = hold_out_lesions(many(lesions=2), 0.05)
    assert {i.code for i in held} == {i.code for i in rest} == set(CLASS_CODES)


def test_a_lesion_with_two_diagnoses_is_refused():
    images = [LabelledImage("a", "MEL", "x", "", Path("a")), LabelledImage("b", "NV", "x", "", Path("b"))]
    with pytest.raises(InputRefusedError, match="both MEL and NV"):
        hold_out_lesions(images, 0.5)


def test_fingerprint_is_that_of_the_set_of_lesions():
    images = many(lesions=3)
    assert lesion_hash(images) == lesion_hash(images[::-1] + images[:2])
    assert lesion_hash(images) != lesion_hash(images[4:])


def test_reads_a_folder(tmp_path: Path):
    images = read_labels(write_labelled_folder(tmp_path, lesions=2, val=1))
    assert len(images) == 7 * (3 + 1)
    assert sum(image.split == "val" for image in images) == 7
    assert labels_of(images).tolist() == [CLASS_INDEX[image.code] for image in images]
    pixels = read_pixels(images, 16)
    assert pixels.shape == (28, 3, 16, 16)
    np.testing.assert_array_equal(pixels[5].transpose(1, 2, 0), read_image(images[5].path, 16))


def test_reducing_averages_instead_of_skipping(tmp_path: Path):
    stripes = np.zeros((64, 64, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    inner = read_image(tmp_path / "stripes.png", 16)[:, 1:-1].astype(int)
    assert np.abs(inner - 127).max() <= 2


@pytest.mark.parametrize("content", [b"", b"no image at all"])
def test_an_unreadable_image_is_named(tmp_path: Path, content: bytes):
    images = read_labels(write_labelled_folder(tmp_path, lesions=1))
    images[3].path.write_bytes(content)
    with pytest.raises(InputRefusedError, match=images[3].path.name) as caught:
        read_pixels(images, 16)
    assert caught.value.path == images[3].path


def test_a_truncated_image_is_named_and_not_half_black(tmp_path: Path):
    images = read_labels(write_labelled_folder(tmp_path, lesions=1, size=64))
    images[0].path.write_bytes(images[0].path.read_bytes()[:2000])
    with pytest.raises(InputRefusedError, match=images[0].path.name):
        read_pixels(images, 16)


def test_a_missing_image_is_named(tmp_path: Path):
    images = read_labels(write_labelled_folder(tmp_path, lesions=1))
    images[0].path.unlink()
    with pytest.raises(InputRefusedError, match=images[0].path.name):
        read_pixels(images, 16)


def test_a_folder_without_table_or_column_or_rows_is_refused(tmp_path: Path):
    with pytest.raises(InputRefusedError, match=r"no labels\.csv"):
        read_labels(tmp_path)
    (tmp_path / "labels.csv").write_text("id,class,path\na,MEL,a.png\n", encoding="utf-8")
    with pytest.raises(InputRefusedError, match="lesion_id"):
        read_labels(tmp_path)
    (tmp_path / "labels.csv").write_text("id,class,lesion_id,path\n", encoding="utf-8")
    with pytest.raises(InputRefusedError, match="no image"):
        read_labels(tmp_path)


def test_an_unknown_class_is_refused(tmp_path: Path):
    (tmp_path / "labels.csv").write_text("id,class,lesion_id,path\na,MELL,x,a.png\n", encoding="utf-8")
    with pytest.raises(UnknownClassError, match="MEL"):
        read_labels(tmp_path)


@pytest.mark.skipif("ISICGUI_HAM10000" not in os.environ, reason="ISICGUI_HAM10000 does not name the photographs")
def test_real_photographs_split_without_leak():
    images = [i for i in read_labels(Path(os.environ["ISICGUI_HAM10000"])) if i.split != "val"]
    held, rest = hold_out_lesions(images, 0.15, "test")
    assert not lesions_of(held) & lesions_of(rest)
    assert len(held) + len(rest) == len(images)
    assert {i.code for i in held} == set(CLASS_CODES)
