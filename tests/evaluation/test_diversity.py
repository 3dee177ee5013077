"""Diversity: the same few pictures again and again are found out, in whatever guise; the Vendi score by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from core.files.text import finite
from evaluation.diversity import diversity, vendi_score
from evaluation.sets import read_set
from measures.features import PIXELS, Extractor
from tests.evaluation.pictures import photographs, recompressed, write_set


def test_vendi_score_by_hand():
    assert vendi_score(np.eye(5)) == pytest.approx(5), "five at right angles"
    assert vendi_score(np.ones((5, 3))) == pytest.approx(1), "five times the same"
    twice = np.repeat(np.eye(3), 2, axis=0)
    assert vendi_score(twice) == pytest.approx(3), "three, each twice"
    assert vendi_score(7 * twice) == pytest.approx(3), "lengths do not count"
    assert vendi_score(np.array([0.1, 3, 0.2, 1, 5, 0.3])[:, None] * twice) == pytest.approx(3), "short ones neither"
    assert vendi_score(np.concatenate([np.eye(3), np.zeros((3, 3))])) == pytest.approx(np.exp(np.log(6) / 2))
    # two at 60 degrees: eigenvalues of [[1, 1/2], [1/2, 1]] / 2 are 3/4 and 1/4
    two = np.array([[1.0, 0.0], [0.5, np.sqrt(3) / 2]])
    assert vendi_score(two) == pytest.approx(np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25))))


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    return read_set(write_set(tmp_path_factory.mktemp("real"), photographs(80, seed=2)))


def judge(real, tmp_path, pictures):
    return diversity(read_set(write_set(tmp_path / "s", pictures)), real, PIXELS)


def test_different_pictures_are_as_varied_as_real_ones(real, tmp_path):
    found = judge(real, tmp_path, photographs(60, seed=5))
    assert found.level == "good"
    assert found.data["duplicates"] <= 4
    assert found.data["n"] == 60
    assert found.data["vendi"] == pytest.approx(found.data["vendi_real"], rel=0.15)
    json.dumps(finite(found.data), allow_nan=False)


@pytest.mark.parametrize(
    "guise",
    [lambda p: p, lambda p: p[::-1], lambda p: np.rot90(p).copy(), recompressed],
    ids=["itself", "mirrored", "turned", "recompressed"],
)
def test_twins_are_found_in_each_guise(real, tmp_path, guise):
    pictures = photographs(60, seed=5)
    for i in range(10):
        pictures[50 + i] = guise(pictures[i])
    found = judge(real, tmp_path, pictures)
    assert found.data["duplicates"] >= 20
    assert found.level == "bad"
    for one, other in found.data["pairs"]:
        numbers = [int(name.rsplit("/")[-1][1:4]) for name in (one, other)]
        assert abs(numbers[0] - numbers[1]) == 50


def test_a_set_that_shows_three_pictures_again_and_again(real, tmp_path):
    noise = np.random.default_rng(0).integers(0, 6, (60, 48, 48, 3)).astype(np.uint8)
    found = judge(real, tmp_path, photographs(3, seed=5)[np.arange(60) % 3] // 2 + noise)
    assert found.level == "bad"
    assert found.data["duplicates"] == 60
    assert found.data["vendi"] < 4


def test_solid_blue_pictures_are_no_variety(real, tmp_path):
    found = judge(real, tmp_path, np.full((30, 48, 48, 3), (20, 40, 220), np.uint8))
    assert found.level == "bad"
    assert found.data["share"] == 1
    assert found.data["vendi"] == pytest.approx(1)


def test_too_few_pictures(real, tmp_path):
    found = judge(real, tmp_path, photographs(5, seed=5))
    assert found.level == "unknown"
    assert found.data == {"n": 5, "exact_copies": 0}


def test_ten_pictures_of_ten_lesions_are_enough(real, tmp_path):
    assert judge(real, tmp_path / "ten", photographs(10, seed=5)).data["n"] == 10
    few = judge(real, tmp_path / "nine", photographs(9, seed=5))
    assert (few.level, few.data) == ("unknown", {"n": 9, "exact_copies": 0})
    one_lesion = replace(real, images=tuple(replace(image, lesion="L") for image in real.images))
    assert judge(one_lesion, tmp_path / "lesion", photographs(10, seed=5)).data == {"n": 1, "exact_copies": 0}


def test_the_score_is_that_of_features_around_the_mean_of_the_photographs(real, tmp_path):
    synthetic = read_set(write_set(tmp_path / "s", photographs(12, seed=5)))
    twelve = real.only(range(12))
    rows = Extractor("mean of each row", lambda pixels: pixels.mean(dim=3).flatten(1))  # knows what is upright
    found = diversity(synthetic, twelve, rows)
    features = [rows(images.pixels(128)) for images in (synthetic, twelve)]
    middle = features[1].mean(axis=0)
    assert found.data["vendi"] == pytest.approx(vendi_score(features[0] - middle))
    assert found.data["vendi_real"] == pytest.approx(vendi_score(features[1] - middle))
    assert found.data["space"] == rows.name
    assert found.data["pairs"] == []


def test_ten_pairs_are_shown_the_nearest_first(real, tmp_path):
    pictures = photographs(30, seed=5)
    pictures[15:] = pictures[:15]
    found = judge(real, tmp_path, pictures)
    assert found.data["duplicates"] == 30
    assert len(found.data["pairs"]) == 10
    pictures[4:15] = photographs(11, seed=6)
    found = judge(real, tmp_path / "few", pictures)
    assert len(found.data["pairs"]) == found.data["duplicates"] == 8


def test_exact_copies_are_found_although_photographs_are_there_twice(tmp_path):
    twice = photographs(80, seed=2)
    twice[1], twice[40] = twice[0], twice[39]
    found = judge(read_set(write_set(tmp_path / "real", twice)), tmp_path, photographs(6, seed=5)[np.arange(60) % 6])
    assert found.data["duplicates"] == 60
    assert found.data["exact_copies"] == 60
    assert found.data["threshold"] > 0
    assert found.data["photographs"] <= 60
    assert found.level == "bad"
    assert "60 of 60 images are exact copies of one another" in found.verdict


def test_photographs_that_are_there_turned_do_not_make_the_threshold_zero(tmp_path):
    several = photographs(80, seed=2)
    for row in range(40, 60):
        several[row] = np.rot90(several[row - 40])
    found = judge(
        read_set(write_set(tmp_path / "real", several)), tmp_path, photographs(80, seed=5)[np.arange(80) % 76]
    )
    assert found.data["photographs"] == 60
    assert found.data["duplicates"] >= 8
    assert found.data["expected"] == pytest.approx(1 / 61)


@pytest.mark.parametrize(("copies", "level"), [(0, "unknown"), (2, "bad")])
def test_few_images_with_exact_copies(real, tmp_path, copies, level):
    pictures = photographs(5, seed=5)
    pictures[3:5] = pictures[0] if copies else pictures[3:5]
    found = judge(real, tmp_path, pictures)
    assert found.level == level
    assert ("exact copies" in found.verdict) == bool(copies)


def test_a_single_pair_of_copies_among_many_is_a_fault(real, tmp_path):
    pictures = photographs(70, seed=5)
    pictures[69] = pictures[0]
    found = judge(real, tmp_path, pictures)
    assert found.data["exact_copies"] == 2
    assert found.level == "doubt"


def test_copies_are_found_outside_of_the_images_that_are_compared(tmp_path):
    """Only as many images are compared as there are photographs; exact copies are looked for among all."""
    few = read_set(write_set(tmp_path / "real", photographs(12, seed=2)))
    found = judge(few, tmp_path, photographs(100, seed=5)[np.r_[:100, 0:20]])
    assert found.data["n"] == 12
    assert found.data["exact_copies"] == 40
    assert found.level == "bad"


def test_copies_among_too_few_pictures_are_counted_all_the_same(real, tmp_path):
    pictures = photographs(5, seed=5)
    pictures[3] = pictures[0]
    found = judge(real, tmp_path, pictures)
    assert (found.level, found.data) == ("bad", {"n": 5, "exact_copies": 2})
    assert found.verdict.startswith("2 of 5 images are exact copies of one another. Diversity needs at least 10")
