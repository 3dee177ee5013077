"""Splits that share no lesion, and a meter that notices when one does."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import random
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image

from core.errors import InputRefusedError, UsageError
from core.taxonomy import CLASS_CODES
from photographs.labelled import LabelledImage, hold_out_lesions, lesion_hash
from photographs.sources import read_dataset
from photographs.splits import (
    Leakage,
    Splits,
    lesion_folds,
    measure_leakage,
    require_no_leakage,
    split_by_lesion,
    use_given_split,
)
from tests.support.ham10000_structure import LESIONS, ham10000_images
from tests.support.labelled_data import write_image_folder

REAL = "ISICGUI_HAM10000"
with_real_photographs = pytest.mark.skipif(REAL not in os.environ, reason=f"{REAL} does not name the photographs")


def many(lesions: int = 40, split: str = "") -> list[LabelledImage]:
    """Return images of `lesions` lesions a class, lesion k with 1 + k % 4 images."""
    return [
        LabelledImage(f"{split}{code}_{k}_{v}", code, f"{split}{code}-{k}", split, Path("x.jpg"))
        for code in CLASS_CODES
        for k in range(lesions)
        for v in range(1 + k % 4)
    ]


def lesions_of(images: Sequence[LabelledImage]) -> set[str]:
    return {image.lesion_id for image in images}


def ids(images: Sequence[LabelledImage]) -> list[str]:
    return sorted(image.image_id for image in images)


def parts_of(splits: Splits) -> list[tuple[LabelledImage, ...]]:
    return [splits.train, splits.validation, splits.test, splits.extra]


def split_by_image(
    images: Sequence[LabelledImage], fraction: float, seed: int
) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """Return (train, held out) as most published work on HAM10000 does it: by image, stratified by class."""
    generator = random.Random(seed)
    train, held = [], []
    for code in CLASS_CODES:
        own = [image for image in images if image.code == code]
        generator.shuffle(own)
        cut = round(fraction * len(own))
        held += own[:cut]
        train += own[cut:]
    return train, held


def leaked_slowly(train: Sequence[LabelledImage], held: Sequence[LabelledImage]) -> int:
    """Look at every pair."""
    leaked = 0
    for image in held:
        for other in train:
            if image.lesion_id == other.lesion_id:
                leaked += 1
                break
    return leaked


def expected_leak(sizes: dict[int, int], fraction: float = 0.2) -> float:
    """Return the probability that a held-out image has another view of its lesion in training.

    Its k - 1 fellows are all held out with probability fraction ** (k - 1).
    """
    images = sum(k * lesions for k, lesions in sizes.items())
    return sum(k * lesions * (1 - fraction ** (k - 1)) for k, lesions in sizes.items()) / images


# Splits by lesion


@pytest.mark.parametrize("split_seed", [0, 1])
def test_parts_share_no_lesion_lose_no_image_and_hold_every_class(split_seed):
    images = many() + many(3, "val") + many(2, "test")
    splits = split_by_lesion(images, split_seed=split_seed)
    for one, other in combinations(parts_of(splits), 2):
        assert not lesions_of(one) & lesions_of(other)
        assert not set(ids(one)) & set(ids(other))
    assert ids([image for part in parts_of(splits) for image in part]) == ids(images)
    assert all({image.code for image in part} == set(CLASS_CODES) for part in parts_of(splits))
    assert {image.split for image in splits.extra} == {"val", "test"}
    held = len(images) - len(splits.train)
    assert splits.leakage == Leakage(held, 0, 0.0, True)


def test_shares_are_of_lesions_and_of_what_is_left():
    splits = split_by_lesion(many(), test_fraction=0.25, validation_fraction=0.1)
    for code in CLASS_CODES:
        counts = [len(lesions_of([image for image in part if image.code == code])) for part in parts_of(splits)]
        assert counts == [27, 3, 10, 0]


def test_seed_zero_is_the_split_of_the_starter_models():
    splits = split_by_lesion(many(7))
    test, rest = hold_out_lesions(many(7), 0.15, "test")
    validation, train = hold_out_lesions(rest, 0.12, "validation")
    assert [list(part) for part in parts_of(splits)] == [train, validation, test, []]
    by_hash = sorted((f"MEL-{k}" for k in range(7)), key=lambda x: hashlib.sha256(f"test:{x}".encode()).hexdigest())
    assert lesions_of([image for image in splits.test if image.code == "MEL"]) == {by_hash[0]}
    # Fixed for ever: models in the wild were trained and tested on it.
    assert lesion_hash(splits.test) == "2517d6550a28c78524f7ed16043925d35601cb9c5f2169c4a4b03c425f621c10"
    assert lesion_hash(splits.validation) == "4f4fb62e184d555e0d145724b06749c27acfa653dc9fa554d1734e70c5b7fbb8"


def test_another_seed_is_another_split_with_another_fingerprint():
    splits = [split_by_lesion(many(), split_seed=seed) for seed in range(4)]
    assert len({frozenset(lesions_of(part.test)) for part in splits}) == 4
    assert len({part.fingerprint for part in splits}) == 4


def test_fingerprint_tells_parts_apart_but_not_orders():
    images = many(6)
    splits = split_by_lesion(images)
    assert split_by_lesion(images[::-1]).fingerprint == splits.fingerprint
    assert split_by_lesion(images[1:]).fingerprint != splits.fingerprint
    swapped = {image.lesion_id: "test" for image in splits.validation}
    swapped |= {image.lesion_id: "val" for image in splits.test}
    given = [dataclasses.replace(image, split=swapped.get(image.lesion_id, "train")) for image in images]
    assert use_given_split(given).fingerprint != splits.fingerprint


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 1.5])
def test_impossible_shares_are_refused(fraction):
    with pytest.raises(UsageError, match=str(fraction)):
        split_by_lesion(many(2), test_fraction=fraction)
    with pytest.raises(UsageError, match=str(fraction)):
        split_by_lesion(many(2), validation_fraction=fraction)


def test_nothing_to_train_on_is_refused():
    with pytest.raises(InputRefusedError, match="No image is left"):
        split_by_lesion(many(2, "val"))
    with pytest.raises(InputRefusedError, match="No image is left"):
        split_by_lesion(many(2), test_fraction=0.9)


def test_a_lesion_with_two_diagnoses_is_refused():
    images = [LabelledImage("a", "MEL", "x", "", Path("a")), LabelledImage("b", "NV", "x", "", Path("b"))]
    for split in (split_by_lesion, lambda images: lesion_folds(images, 2)):
        with pytest.raises(InputRefusedError, match="both MEL and NV"):
            split(images)


# Splits that the data set gives


def test_a_given_split_is_used_as_it_is():
    train, validation, test = many(4, "train"), many(2, "val"), many(3, "test")
    splits = use_given_split(validation + train + test)
    assert [list(part) for part in parts_of(splits)] == [train, validation, test, []]
    assert splits.leakage.leaked == 0


def test_parts_that_are_not_given_are_held_out_of_training():
    train, test = many(10, "train"), many(3, "test")
    splits = use_given_split(train + test)
    validation, rest = hold_out_lesions(train, 0.12, "validation")
    assert [list(part) for part in parts_of(splits)] == [rest, validation, test, []]
    alone = use_given_split(train)
    assert alone.fingerprint == split_by_lesion(train).fingerprint


def test_a_given_split_that_leaks_is_measured():
    train, test = many(4, "train"), many(2, "test")
    first = test[0]
    train.append(dataclasses.replace(first, image_id="another view", split="train"))
    splits = use_given_split(train + test + many(1, "val"))
    assert splits.leakage.leaked == sum(image.lesion_id == first.lesion_id for image in test) == 1
    with pytest.raises(InputRefusedError, match=r"1 of 28 held-out images \(3\.6%\)") as refused:
        require_no_leakage(splits.leakage, allowed=False)
    assert "--allow-leakage" in refused.value.remedy
    require_no_leakage(splits.leakage, allowed=True)


def test_reserved_images_of_a_trained_lesion_are_measured_too():
    images = many(10)
    trained = split_by_lesion(images).train[0]
    view = dataclasses.replace(trained, image_id="another view", split="val")
    assert split_by_lesion([*images, view]).leakage.leaked == 1


def test_images_without_a_part_are_refused():
    with pytest.raises(InputRefusedError, match=r"16 of 23 .*MEL_0_0"):
        use_given_split(many(2, "train")[:7] + many(2)[:16])


# Folds


@pytest.mark.parametrize("folds", [2, 3, 5])
def test_folds_test_every_image_once_and_never_train_on_its_lesion(folds):
    images, reserved = many(11), many(2, "val")
    splits = lesion_folds(images + reserved, folds, 3)
    assert len(splits) == folds
    assert ids([image for part in splits for image in part.test]) == ids(images)
    for part in splits:
        assert part.leakage.leaked == 0
        assert part.leakage.known
        assert list(part.extra) == reserved
        assert ids([*part.train, *part.validation, *part.test]) == ids(images)
        assert not lesions_of(part.validation) & lesions_of(part.train)
        rest = [image for image in images if image not in part.test]
        assert list(part.validation) == hold_out_lesions(rest, 0.12, "validation-3")[0]
    assert len({part.fingerprint for part in splits}) == folds


def test_folds_are_even_in_every_class_and_over_all():
    splits = lesion_folds(many(11), 5)
    for chosen in (*CLASS_CODES, None):
        sizes = [len(lesions_of([i for i in part.test if chosen in (i.code, None)])) for part in splits]
        assert max(sizes) - min(sizes) <= 1


def test_folds_depend_on_the_seed_and_not_on_the_order():
    images = many(11)
    shuffled = random.Random(1).sample(images, len(images))
    first = [part.fingerprint for part in lesion_folds(images, 3)]
    assert [part.fingerprint for part in lesion_folds(shuffled, 3)] == first
    assert not set(first) & {part.fingerprint for part in lesion_folds(images, 3, 1)}


def test_too_many_and_too_few_folds_are_refused():
    with pytest.raises(InputRefusedError, match="MEL has 3 lesions, too few for 4 folds"):
        lesion_folds(many(3), 4)
    with pytest.raises(UsageError):
        lesion_folds(many(3), 1)


# The meter


@pytest.mark.parametrize("seed", range(5))
def test_meter_agrees_with_looking_at_every_pair(seed):
    generator = random.Random(seed)
    images = generator.sample(many(12), 150)
    train, held = split_by_image(images, 0.3, seed)
    leakage = measure_leakage(train, held)
    leaked = leaked_slowly(train, held)
    assert 0 < leaked < len(held)
    assert leakage == Leakage(len(held), leaked, leaked / len(held), True)


def test_images_without_lesion_among_others_with_one_do_not_hide_the_leak():
    train = [LabelledImage("a", "MEL", "L1", "", Path("none")), LabelledImage("b", "MEL", "b", "", Path("none"))]
    held = [LabelledImage("c", "MEL", "L1", "", Path("none")), LabelledImage("d", "MEL", "d", "", Path("none"))]
    assert measure_leakage(train, held) == Leakage(2, 1, 0.5, True)


def test_nothing_held_out_leaks_nothing():
    assert measure_leakage(many(2), []) == Leakage(0, 0, 0.0, True)


def test_the_structure_of_ham10000_has_its_published_totals():
    images = ham10000_images()
    counts = Counter(image.code for image in images)
    assert counts == {"MEL": 1113, "NV": 6705, "BCC": 514, "AKIEC": 327, "BKL": 1099, "DF": 115, "VASC": 142}
    views = Counter(image.lesion_id for image in images)
    assert (len(images), len(views), sum(n > 1 for n in views.values()), max(views.values())) == (10015, 7470, 1956, 6)


def test_a_split_of_ham10000_by_image_leaks_what_was_published_and_ours_nothing():
    images = ham10000_images()
    shares = [measure_leakage(*split_by_image(images, 0.2, seed)).share for seed in range(8)]
    whole = {k: sum(sizes.get(k, 0) for sizes in LESIONS.values()) for k in range(1, 7)}
    assert expected_leak(whole) == pytest.approx(0.387, abs=0.001)
    assert sum(shares) / len(shares) == pytest.approx(expected_leak(whole), abs=0.01)
    assert min(shares) - 0.005 <= 0.389 <= max(shares) + 0.005  # measured on the official metadata, one split
    for splits in (split_by_lesion(images), split_by_lesion(images, split_seed=7), *lesion_folds(images, 5)):
        assert splits.leakage.leaked == 0


@pytest.mark.parametrize(("code", "published"), [("MEL", 0.69), ("BCC", 0.56), ("DF", 0.57)])
def test_the_leak_of_single_classes_is_the_published_one(code, published):
    images = [image for image in ham10000_images() if image.code == code]
    shares = [measure_leakage(*split_by_image(images, 0.2, seed)).share for seed in range(40)]
    assert expected_leak(LESIONS[code]) == pytest.approx(published, abs=0.015)
    assert sum(shares) / len(shares) == pytest.approx(expected_leak(LESIONS[code]), abs=0.04)


def test_without_lesion_ids_copies_are_counted_as_a_lower_bound(tmp_path):
    write_image_folder(tmp_path, images=3, parts=("train", "test"))
    original = tmp_path / "train" / "MEL" / "0.png"
    Image.open(original).save(tmp_path / "test" / "MEL" / "copy.bmp")  # another file with the same pixels
    Image.open(original).rotate(90).save(tmp_path / "test" / "MEL" / "turned.png")
    (tmp_path / "train" / "MEL" / "broken.png").write_bytes(b"rubbish")
    (tmp_path / "test" / "MEL" / "broken.png").write_bytes(b"rubbish")  # unreadable files are no copies of each other
    leakage = use_given_split(read_dataset(tmp_path).images).leakage
    assert not leakage.known
    assert leakage.leaked == 1
    assert "lower bound" in leakage.sentence
    assert "has no lesion identifiers" in leakage.sentence
    with pytest.raises(InputRefusedError, match="exact copies"):
        require_no_leakage(leakage, allowed=False)


def test_without_lesion_ids_and_copies_the_sentence_still_says_that_nothing_is_known(tmp_path):
    leakage = split_by_lesion(read_dataset(write_image_folder(tmp_path, images=3)).images).leakage
    assert (leakage.known, leakage.leaked) == (False, 0)
    assert "lower bound" in leakage.sentence
    require_no_leakage(leakage, allowed=False)


def test_folds_without_lesion_ids_count_copies_too(tmp_path):
    write_image_folder(tmp_path, images=4)
    Image.open(tmp_path / "MEL" / "0.png").save(tmp_path / "MEL" / "9.bmp")
    images = read_dataset(tmp_path).images
    folds = lesion_folds(images, 4, 1)
    original, copy = ("MEL/0.png", "MEL/9.bmp")
    for part in folds:
        trained = set(ids(part.train))
        expected = (original in trained) != (copy in trained)
        assert (part.leakage.known, part.leakage.leaked) == (False, int(expected))
    assert any(part.leakage.leaked for part in folds)


@with_real_photographs
def test_real_photographs_split_without_leak():
    images = read_dataset(Path(os.environ[REAL])).images
    splits = split_by_lesion(images)
    assert splits.leakage == Leakage(len(images) - len(splits.train), 0, 0.0, True)
    assert leaked_slowly(splits.train, splits.test) == 0
    # The split hash inside the first starter classifier.
    assert lesion_hash(splits.test) == "2ad85abf6160eb11cb8bb74422e94d8fcce34c2df5c530f2cd6909ea853f93cf"
    assert all(part.leakage.leaked == 0 for part in lesion_folds(images, 5, 1))


@with_real_photographs
@pytest.mark.parametrize("code", [code for code in CLASS_CODES if code != "NV"])
def test_real_lesions_have_the_sizes_that_these_tests_rely_on(code):
    images = read_dataset(Path(os.environ[REAL])).images
    views = Counter(image.lesion_id for image in images if image.code == code and image.split == "train")
    assert Counter(views.values()) == LESIONS[code]


@pytest.mark.parametrize("fraction", [-0.1, 1.0])
def test_impossible_shares_are_refused_by_every_split(fraction):
    images = many(4, "train")
    for name in ("test_fraction", "validation_fraction"):
        with pytest.raises(UsageError, match=str(fraction)):
            use_given_split(images, **{name: fraction})
    with pytest.raises(UsageError, match=str(fraction)):
        lesion_folds(images, 2, validation_fraction=fraction)


def test_shares_and_seed_of_the_parts_that_are_not_given():
    train = many(20, "train")
    splits = use_given_split(train, test_fraction=0.5, validation_fraction=0.2, split_seed=3)
    test, rest = hold_out_lesions(train, 0.5, "test-3")
    validation, train = hold_out_lesions(rest, 0.2, "validation-3")
    assert [list(part) for part in parts_of(splits)] == [train, validation, test, []]


def test_nothing_may_be_held_out():
    splits = split_by_lesion(many(5), test_fraction=0, validation_fraction=0)
    assert [len(part) for part in parts_of(splits)] == [len(many(5)), 0, 0, 0]
    assert splits.leakage == Leakage(0, 0, 0.0, True)
    assert not lesion_folds(many(4), 2, validation_fraction=0)[0].validation


def test_folds_are_dealt_out_by_the_order_of_the_hash_class_after_class():
    images = many(5)
    ordered = [
        f"{code}-{k}"
        for code in CLASS_CODES
        for k in sorted(range(5), key=lambda k: hashlib.sha256(f"folds-4:{code}-{k}".encode()).hexdigest())
    ]
    for fold, part in enumerate(lesion_folds(images, 3, 4)):
        assert lesions_of(part.test) == set(ordered[fold::3])


def test_what_a_leak_is_called():
    assert Leakage(8, 1, 0.125, True).sentence == (
        "1 of 8 held-out images (12.5%) show a lesion that is also in training."
    )
    assert Leakage(8, 1, 0.125, False).sentence.startswith("1 of 8 held-out images (12.5%) are exact copies")
    for known, words in ((True, "split by lesion"), (False, "Remove the copies")):
        with pytest.raises(InputRefusedError) as refused:
            require_no_leakage(Leakage(8, 1, 0.125, known), allowed=False)
        assert words in refused.value.remedy


def test_the_fingerprint_is_of_part_lesion_and_image():
    images = [LabelledImage(f"i{k}", "MEL", f"L{k}", "train", Path("x")) for k in range(3)]
    given = [dataclasses.replace(images[0], split="test"), dataclasses.replace(images[1], split="val"), images[2]]
    lines = ["test\tL0\ti0", "train\tL2\ti2", "validation\tL1\ti1"]
    assert use_given_split(given).fingerprint == hashlib.sha256("\n".join(lines).encode()).hexdigest()
