"""Image pairs: every number against its definition, partners by name, and what is said where there are none."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import uniform_filter

from core.files.text import finite
from evaluation.pairs import BANDS, compare_pairs, match, summarise
from evaluation.sets import read_set
from measures.bootstrap import bootstrap_by_group
from measures.likeness import mae, mse, psnr, ssim
from tests.evaluation.pictures import photographs, write_set
from tests.support.watched_job import WatchedJob


def noisy(pictures, amount, seed=1):
    noise = np.random.default_rng(seed).normal(0, amount, pictures.shape)
    return (pictures + noise).round().clip(0, 255).astype(np.uint8)


def test_a_constant_difference_by_hand():
    first, second = np.full((8, 8, 3), 100, np.uint8), np.full((8, 8, 3), 110, np.uint8)
    assert mse(first, second) == 100
    assert mae(first, second) == 10
    assert psnr(first, second) == pytest.approx(10 * np.log10(255**2 / 100))
    assert psnr(second, first) == psnr(first, second), "no wrap-around of 8-bit numbers"
    # luminance term of SSIM alone: (2 a b + c1) / (a^2 + b^2 + c1)
    c1 = (0.01 * 255) ** 2
    assert ssim(first, second) == pytest.approx((2 * 100 * 110 + c1) / (100**2 + 110**2 + c1), abs=1e-6)


def test_identical_images():
    picture = photographs(1)[0]
    assert psnr(picture, picture) == np.inf
    assert (mse(picture, picture), mae(picture, picture)) == (0, 0)
    assert ssim(picture, picture) == pytest.approx(1)


def slow_ssim(first, second, window=7):
    """Wang et al. 2004, equation 13, with square windows and sample variances, one channel after the other."""
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    means, edge = [], window // 2
    for channel in range(3):
        a, b = first[..., channel].astype(float), second[..., channel].astype(float)
        n = window**2
        ma, mb = uniform_filter(a, window), uniform_filter(b, window)
        va = (uniform_filter(a * a, window) - ma * ma) * n / (n - 1)
        vb = (uniform_filter(b * b, window) - mb * mb) * n / (n - 1)
        cov = (uniform_filter(a * b, window) - ma * mb) * n / (n - 1)
        index = (2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
        means.append(index[edge:-edge, edge:-edge].mean())
    return np.mean(means)


def test_ssim_is_that_of_its_definition():
    first = photographs(1, seed=3)[0]
    second = noisy(photographs(1, seed=3), 12)[0]
    assert ssim(first, second) == pytest.approx(slow_ssim(first, second), abs=1e-9)
    assert 0 < ssim(first, second) < 0.9


def test_tiny_pictures_have_no_ssim():
    assert np.isnan(ssim(np.zeros((6, 9, 3), np.uint8), np.zeros((6, 9, 3), np.uint8)))


@pytest.mark.parametrize(
    ("key", "values", "names"),
    [
        ("psnr", (41, 31, 21, 20), ["excellent", "good", "fair", "poor"]),
        ("ssim", (0.96, 0.95, 0.8, 0.7), ["excellent", "good", "fair", "poor"]),
        ("mae", (4.9, 5, 29, 30), ["excellent", "good", "fair", "poor"]),
        ("mse", (99, 100, 999, 1000), ["excellent", "good", "fair", "poor"]),
        ("dice", (0.91, 0.9, 0.6, 0.5), ["excellent", "good", "fair", "poor"]),
        ("iou", (0.81, 0.8, 0.4, 0.3), ["excellent", "good", "fair", "poor"]),
    ],
)
def test_bands_as_the_earlier_program_prints_them(key, values, names):
    assert [BANDS[key].name(value) for value in values] == names


def test_intervals_hold_the_mean_and_leave_out_what_is_not_finite():
    found = summarise("psnr", np.array([30.0, 32.0, 34.0, np.inf, np.nan]))
    assert found["n"] == 3
    assert found["mean"] == pytest.approx(32)
    assert 30 <= found["low"] < 32 < found["high"] <= 34
    assert summarise("psnr", np.array([np.inf]))["mean"] is None


@pytest.fixture
def pictures():
    return photographs(8)


def test_pairs_of_two_folders(tmp_path, pictures):
    changed = noisy(pictures, 5)
    changed[0] = pictures[0]
    images, references = write_set(tmp_path / "a", changed), write_set(tmp_path / "b", pictures)
    found = compare_pairs(read_set(images), read_set(references))
    assert found.level == "good"
    assert found.data["pairs"] == 8
    assert found.data["identical"] == 1
    assert found.data["psnr"]["n"] == 7
    assert found.data["psnr"]["mean"] == pytest.approx(10 * np.log10(255**2 / 25), abs=0.5)
    assert found.data["mae"]["mean"] == pytest.approx(5 * np.sqrt(2 / np.pi) * 7 / 8, rel=0.1)
    json.dumps(finite(found.data), allow_nan=False)


def test_nothing_alike_is_bad(tmp_path, pictures):
    images = write_set(tmp_path / "a", photographs(8, seed=9))
    found = compare_pairs(read_set(images), read_set(write_set(tmp_path / "b", pictures)))
    assert found.level == "bad"


def test_identical_folders(tmp_path, pictures):
    found = compare_pairs(*(read_set(write_set(tmp_path / name, pictures)) for name in "ab"))
    assert (found.data["identical"], found.data["psnr"]["mean"], found.level) == (8, None, "good")


def test_partners_are_found_in_other_folders_and_formats(tmp_path, pictures):
    images = read_set(write_set(tmp_path / "a", pictures))
    for number, picture in enumerate(pictures):
        path = tmp_path / "b" / "deep" / "er" / f"i{number:03}.bmp"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
    pairs = match(images, read_set(tmp_path / "b"))
    assert [(a.path.stem, b.path.stem) for a, b in pairs] == [(f"i{n:03}",) * 2 for n in [0, 7, 1, 2, 3, 4, 5, 6]] or {
        a.path.stem == b.path.stem for a, b in pairs
    } == {True}
    assert len(pairs) == 8


def test_a_name_that_two_references_have_is_nobodys_partner(tmp_path, pictures):
    images = read_set(write_set(tmp_path / "a", pictures[:1]))
    for place in ("x", "y"):
        (tmp_path / "b" / place).mkdir(parents=True)
        Image.fromarray(pictures[0]).save(tmp_path / "b" / place / "i000.png")
    assert match(images, read_set(tmp_path / "b")) == []


def test_no_pair_at_all(tmp_path, pictures):
    images, references = write_set(tmp_path / "a", pictures), write_set(tmp_path / "b", pictures, prefix="other")
    found = compare_pairs(read_set(images), read_set(references))
    assert found.level == "unknown"
    assert found.data["unmatched"] == 8


def test_pairs_of_different_sizes_are_counted(tmp_path, pictures):
    images = write_set(tmp_path / "a", [*pictures[:7], photographs(1, side=50)[0]])
    found = compare_pairs(read_set(images), read_set(write_set(tmp_path / "b", pictures)))
    assert (found.data["pairs"], found.data["different_size"]) == (7, 1)


@pytest.mark.parametrize(
    ("key", "limits", "step"),
    [("psnr", (40, 30, 20), 0.5), ("ssim", (0.95, 0.85, 0.7), 0.01), ("mae", (5, 15, 30), -0.5),
     ("mse", (100, 500, 1000), -1), ("dice", (0.9, 0.7, 0.5), 0.01), ("iou", (0.8, 0.5, 0.3), 0.01)],
)  # fmt: skip
def test_a_band_begins_just_beyond_its_limit(key, limits, step):
    names = ("excellent", "good", "fair", "poor")
    for place, limit in enumerate(limits):
        assert BANDS[key].name(limit + step) == names[place]
        assert BANDS[key].name(limit) == names[place + 1]


def test_the_interval_is_that_of_a_thousand_resamples():
    values = np.array([20.0, 25.0, 31.0, 33.0, 47.0])
    found = summarise("psnr", values)
    ends = bootstrap_by_group(lambda rows: float(values[rows].mean()), range(5), repeats=1000)
    assert (found["low"], found["high"]) == ends
    assert found["band"] == "good"
    assert summarise("psnr", np.array([np.inf])) == {"mean": None, "low": None, "high": None, "n": 0, "band": None}
    assert summarise("lpips", values)["band"] is None


@pytest.mark.parametrize("amount", [0, 3, 12, 60])
def test_the_verdict_is_by_structural_similarity(tmp_path, pictures, amount):
    images = read_set(write_set(tmp_path / "a", noisy(pictures, amount)))
    others = read_set(write_set(tmp_path / "b", pictures))
    job = WatchedJob()
    found = compare_pairs(images, others, job)
    mean = np.mean([ssim(one, other) for one, other in zip(noisy(pictures, amount), pictures, strict=True)])
    band = BANDS["ssim"].name(mean)
    assert found.data["ssim"]["mean"] == pytest.approx(mean)
    assert found.level == {"excellent": "good", "good": "good", "fair": "doubt", "poor": "bad"}[band]
    identical = 8 if not amount else 0
    assert (
        f"8 pairs compared, {identical} of them identical; by structural similarity they are {band}." in found.verdict
    )
    assert job.told == [(number, 8) for number in range(8)]
    assert found.data["identical"] == identical


def test_tiny_pairs_are_judged_by_their_noise(tmp_path):
    tiny = photographs(4, side=6)
    images = read_set(write_set(tmp_path / "a", noisy(tiny, 80)))
    found = compare_pairs(images, read_set(write_set(tmp_path / "b", tiny)))
    assert found.data["ssim"]["mean"] is None
    assert found.data["psnr"]["band"] in found.verdict
    same = compare_pairs(images, images)
    assert (same.level, same.data["identical"]) == ("good", 4)
    assert "they are excellent" in same.verdict
