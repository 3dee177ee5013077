"""Diversity: the same few pictures again and again are found out, in whatever guise; the Vendi score by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.files.text import finite
from evaluation.diversity import diversity, vendi_score
from evaluation.sets import read_set
from measures.features import PIXELS
from tests.evaluation.pictures import photographs, recompressed, write_set


def test_vendi_score_by_hand():
    assert vendi_score(np.eye(5)) == pytest.approx(5), "five at right angles"
    assert vendi_score(np.ones((5, 3))) == pytest.approx(1), "five times the same"
    twice = np.repeat(np.eye(3), 2, axis=0)
    assert vendi_score(twice) == pytest.approx(3), "three, each twice"
    assert vendi_score(7 * twice) == pytest.approx(3), "lengths do not count"
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
    assert found.data == {"n": 5}
