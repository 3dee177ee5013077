"""Colour and sharpness by hand."""

import numpy as np
import pytest

from evaluation.appearance import NAMES, appearance_section, differences, image_numbers
from evaluation.sets import read_set
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
