"""Distances to training features, by hand and by brute force."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import InputRefusedError
from measures.reference import MOST, NEIGHBOURS, REFERENCE_FILE, Reference, measure_reference, read_reference


def cloud(seed: int, count: int, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1, (count, 6))


def test_the_distance_is_the_mean_to_the_nearest_ones() -> None:
    train, new = cloud(0, 40), cloud(1, 3)
    found = measure_reference(train, cloud(2, 30), "ab").distances(new)
    kept = train.astype(np.float16).astype(float)
    for row, point in enumerate(new):
        nearest = sorted(float(np.linalg.norm(point - other)) for other in kept)[:NEIGHBOURS]
        assert found[row] == pytest.approx(np.mean(nearest))


def test_about_one_in_a_hundred_real_images_is_beyond_the_threshold_and_strangers_are() -> None:
    reference = measure_reference(cloud(0, 400), cloud(1, 1000), "ab")
    assert 0 < (reference.distances(cloud(2, 2000)) > reference.threshold).mean() < 0.03
    assert (reference.distances(cloud(3, 50, shift=4)) > reference.threshold).all()


def test_only_a_sample_is_kept_the_same_each_time() -> None:
    train = cloud(0, MOST + 100)
    first, second = (measure_reference(train, cloud(1, 20), "ab") for _ in range(2))
    assert len(first.features) == MOST
    np.testing.assert_array_equal(first.features, second.features)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = measure_reference(cloud(0, 20), cloud(1, 20), "ab")
    written.save(tmp_path)
    read = read_reference(tmp_path, "ab")
    assert read is not None
    np.testing.assert_array_equal(read.features, written.features)
    assert (read.threshold, read.held_out) == (written.threshold, 20)


def test_a_reference_of_other_weights_is_none(tmp_path: Path) -> None:
    measure_reference(cloud(0, 20), cloud(1, 20), "ab").save(tmp_path)
    assert read_reference(tmp_path, "cd") is None


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 torn"])
def test_a_damaged_file_is_none(tmp_path: Path, content: bytes) -> None:
    assert read_reference(tmp_path, "ab") is None
    (tmp_path / REFERENCE_FILE).write_bytes(content)
    assert read_reference(tmp_path, "ab") is None


def test_values_that_are_no_numbers_are_none(tmp_path: Path) -> None:
    Reference(np.full((9, 4), np.nan, np.float16), 1.0, 9, "ab").save(tmp_path)
    assert read_reference(tmp_path, "ab") is None


def test_too_few_images_are_refused() -> None:
    with pytest.raises(InputRefusedError, match="4 training"):
        measure_reference(cloud(0, 4), cloud(1, 9), "ab")


def test_the_threshold_is_the_99th_percentile_of_the_real_ones() -> None:
    train, held_out = cloud(0, 40), cloud(1, 21)
    found = measure_reference(train, held_out, "ab")
    kept = train.astype(np.float16).astype(float)
    means = sorted(float(np.mean(np.sort(np.linalg.norm(kept - one, axis=1))[:5])) for one in held_out)
    assert found.threshold == pytest.approx(means[19] + 0.8 * (means[20] - means[19])), "rank 0.99 * 20 = 19.8"
    assert (found.held_out, found.sha256, found.features.dtype) == (21, "ab", np.float16)


def test_512_training_images_are_kept_in_their_order_and_the_seed_chooses_them() -> None:
    train = np.arange(600.0)[:, None].repeat(3, axis=1)
    first, other = (measure_reference(train, cloud(1, 9)[:, :3], "ab", seed=seed).features for seed in (0, 1))
    assert first.shape == (512, 3)
    assert (np.diff(first[:, 0]) > 0).all()
    assert (first != other).any()
    assert (measure_reference(train, cloud(1, 9)[:, :3], "ab").features == first).all()


@pytest.mark.parametrize(("train", "held_out", "is_enough"), [(5, 5, True), (4, 5, False), (5, 4, False)])
def test_five_images_on_either_side_are_enough(train: int, held_out: int, is_enough: bool) -> None:
    if is_enough:
        assert len(measure_reference(cloud(0, train), cloud(1, held_out), "ab").features) == 5
    else:
        with pytest.raises(InputRefusedError, match=f"{train} training and {held_out} held-out"):
            measure_reference(cloud(0, train), cloud(1, held_out), "ab")


@pytest.mark.parametrize(
    ("rows", "width", "threshold", "held_out", "is_read"),
    [
        (5, 1, 0.0, 0, True),
        (4, 1, 0.0, 0, False),
        (5, 0, 0.0, 0, False),
        (5, 1, -0.5, 0, False),
        (5, 1, 1.0, -1, False),
    ],
)
def test_a_file_that_no_reference_can_have_written_is_none(
    tmp_path: Path, rows: int, width: int, threshold: float, held_out: int, is_read: bool
) -> None:
    Reference(np.ones((rows, width), np.float16), threshold, held_out, "ab").save(tmp_path)
    assert (read_reference(tmp_path, "ab") is not None) is is_read


def test_features_of_another_network_are_refused() -> None:
    with pytest.raises(InputRefusedError, match=r"reference\.npz"):
        measure_reference(cloud(0, 9), cloud(1, 9), "ab").distances(np.ones((2, 5)))
