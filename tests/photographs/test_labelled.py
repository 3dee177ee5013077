"""Labelled pictures: no lesion is ever on two sides of a split."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from core.errors import InputRefusedError
from core.taxonomy import CLASS_CODES, CLASS_INDEX
from photographs.labelled import (
    LabelledImage,
    hold_out_lesions,
    labels_of,
    lesion_hash,
)


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


def test_labels_are_indices_of_the_canonical_order():
    assert labels_of(many(1)).tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert [image.label for image in many(1)] == [CLASS_INDEX[image.code] for image in many(1)]


def test_a_share_of_nothing_holds_nothing_out_and_a_lesion_alone_stays():
    assert hold_out_lesions(many(4), 0.0)[0] == []
    held, rest = hold_out_lesions(many(lesions=1), 0.4)
    assert (held, rest) == ([], many(lesions=1))
    assert hold_out_lesions(many(lesions=1), 0.6)[1] == [], "rounded"


def test_a_share_of_lesions_is_rounded():
    for lesions, fraction, count in ((3, 0.5, 2), (5, 0.5, 2), (4, 0.4, 2), (4, 0.3, 1), (2, 0.01, 1)):
        held, _ = hold_out_lesions(many(lesions), fraction)
        assert len(lesions_of([image for image in held if image.code == "DF"])) == count
