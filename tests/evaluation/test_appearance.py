"""Colour and sharpness by hand."""

import numpy as np
import pytest

from evaluation.appearance import NAMES, appearance_section, differences, image_numbers
from evaluation.sets import read_set
from measures.bootstrap import resampled_counts
from tests.support.picture_sets import blue, write_folders, write_labelled


def test_the_numbers_of_a_plain_picture_are_known():
    pixels = np.zeros((1, 3, 8, 8), dtype=np.uint8)
    pixels[0, 0] = 200
    numbers = dict(zip(NAMES, image_numbers(pixels)[0], strict=True))
    assert numbers == {"red": 200, "green": 0, "blue": 0, "spread": 0, "saturation": 1.0, "sharpness": 0.0}


def test_sharpness_is_the_variance_of_the_laplacian():
    pixels = np.zeros((1, 3, 5, 5), dtype=np.uint8)
    pixels[0, :, 2, 2] = 10
    laplacian = np.zeros((3, 3))
    laplacian[1, 1], laplacian[0, 1], laplacian[1, 0], laplacian[1, 2], laplacian[2, 1] = -40, 10, 10, 10, 10
    assert image_numbers(pixels)[0, -1] == pytest.approx(np.log10(laplacian.var() + 1))


def test_a_shift_of_one_deviation_is_a_difference_of_one():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(2000, 6))
    synthetic = rng.normal(size=(2000, 6)) + np.array([1, 0, 0, 0, 0, -2])
    found = differences(synthetic, real, [str(n) for n in range(2000)], [str(n) for n in range(2000)])
    assert found["red"].difference == pytest.approx(1, abs=0.1)
    assert found["sharpness"].difference == pytest.approx(-2, abs=0.15)
    assert found["red"].low < 1 < found["red"].high
    assert found["green"].low < 0 < found["green"].high


def test_blue_squares_are_something_else_and_spots_are_not(tmp_path):
    real = read_set(write_labelled(tmp_path / "real", {"MEL": 30}))
    spots = read_set(write_folders(tmp_path / "spots", {"MEL": 30}))
    squares = read_set(write_folders(tmp_path / "blue", {"MEL": 30}, paint=blue))
    assert appearance_section(spots, real, 48).level == "good"
    section = appearance_section(squares, real, 48)
    assert section.level == "bad"
    assert section.data["n_synthetic"] == 30


def test_ends_are_percentiles_of_a_thousand_resamples_of_images_and_of_lesions():
    rng = np.random.default_rng(2)
    synthetic, real = rng.normal(1, 2, (20, 6)), rng.normal(0, 3, (24, 6))
    names, lesions = [f"s{n}" for n in range(20)], [f"L{n // 2}" for n in range(24)]
    found = differences(synthetic, real, names, lesions, seed=5)
    means = []
    for values, groups in ((synthetic, names), (real, lesions)):
        counts = resampled_counts(groups, repeats=1000, seed=5)
        means.append(np.array([np.repeat(values, count, axis=0).mean(axis=0) for count in counts]))
    for column, name in enumerate(NAMES):
        drawn = (means[0] - means[1])[:, column] / real[:, column].std()
        one = found[name]
        assert (one.low, one.high) == pytest.approx(tuple(np.percentile(drawn, (2.5, 97.5))))
        assert one.synthetic == pytest.approx(synthetic[:, column].mean())
        assert one.real == pytest.approx(real[:, column].mean())
        assert one.deviation == pytest.approx(real[:, column].std())
        assert one.difference == pytest.approx((one.synthetic - one.real) / one.deviation)
    assert found["red"] == differences(synthetic, real, names, lesions, 5)["red"]
    assert found["red"] != differences(synthetic, real, names, lesions)["red"]


def test_photographs_that_are_all_alike_have_a_tiny_deviation_and_no_number_is_infinite():
    found = differences(np.ones((3, 6)), np.zeros((4, 6)), list("abc"), list("wxyz"))
    assert found["blue"].difference == pytest.approx(1e9)
    black = np.zeros((1, 3, 4, 4), np.uint8)
    assert image_numbers(black).tolist() == [[0] * 6]
    dark = black.copy()
    dark[0, 0] = 1
    assert image_numbers(dark)[0, 4] == 1


def test_the_table_and_the_data_are_of_both_sets(tmp_path):
    real = read_set(write_labelled(tmp_path / "real", {"MEL": 12}))
    spots = read_set(write_folders(tmp_path / "spots", {"MEL": 9}))
    section = appearance_section(spots, real, 48, seed=3)
    assert (section.data["n_synthetic"], section.data["n_real"]) == (9, 12)
    names = [image.name for image in spots.images]
    numbers = [image_numbers(images.pixels(48)) for images in (spots, real)]
    expected = differences(*numbers, names, real.lesions, seed=3)
    for name, one in expected.items():
        assert section.data[name]["low"] == pytest.approx(one.low)
        assert section.data[name]["difference"] == pytest.approx(one.difference)
