"""Copies of training images: found in whatever guise, and not found where there are none."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.errors import InputRefusedError
from measures.features import PIXELS, Extractor
from measures.memorisation import Memorisation, judge_memorisation
from measures.memorisation_files import COLUMNS, Names, save_memorisation
from measures.neighbours import all_views, nearest, view
from tests.measures.photographs import photographs, recompressed, shifted, turned


@pytest.fixture(scope="module")
def train() -> np.ndarray:
    return photographs(120, seed=1)


@pytest.fixture(scope="module")
def held_out() -> np.ndarray:
    return photographs(120, seed=2)


@pytest.fixture(scope="module")
def random_features() -> Extractor:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = torch.nn.Sequential(
            torch.nn.AvgPool2d(4), torch.nn.Conv2d(3, 16, 3, stride=2), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(4)
        )
    return Extractor("random", lambda pixels: net(pixels).flatten(1))


# Half the side of the product's images, so a shift by 1 pixel is one by 2 there.
GUISES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "exact": lambda images: images,
    "turned and mirrored": lambda images: turned(images, seed=5),
    "recompressed": recompressed,
    "shifted": lambda images: shifted(images, seed=6, most=1),
    "all at once": lambda images: turned(recompressed(shifted(images, seed=7, most=1)), seed=8),
}


@pytest.mark.parametrize("guise", GUISES)
def test_finds_planted_copies(guise: str, train: np.ndarray, held_out: np.ndarray):
    copies = GUISES[guise](train[:20])
    result = judge_memorisation(np.concatenate([copies, photographs(20, seed=3)]), train, held_out)
    found = {pair.sample: pair.train for pair in result.pairs if pair.flagged}
    assert sum(found.get(i) == i for i in range(20)) >= 19
    assert sum(i >= 20 for i in found) <= 3
    assert result.low > 0.25


def test_finds_five_percent_of_copies_in_two_spaces(train, held_out, random_features):
    samples = np.concatenate([photographs(38, seed=3), turned(train[7:9], seed=1)])
    result = judge_memorisation(samples, train, held_out, random_features)
    assert {pair.sample for pair in result.pairs[:2]} == {38, 39}
    assert all(pair.flagged for pair in result.pairs[:2])
    assert {(pair.sample, pair.train) for pair in result.pairs[:2]} == {(38, 7), (39, 8)}
    assert result.spaces == (PIXELS.name, "random")


def test_about_one_percent_of_innocent_photographs_is_flagged(train, held_out, random_features):
    result = judge_memorisation(photographs(200, seed=4), train, held_out, random_features)
    assert result.flagged / result.n == pytest.approx(0.01, abs=0.025)
    assert result.low <= 0 <= result.high
    assert result.excess == pytest.approx(result.flagged / 200 - 0.01)


def test_false_alarms_are_one_percent_on_average():
    # pure noise is drawn quickly enough to be drawn repeatedly
    points = Extractor("points", lambda pixels: pixels[:, :, 0].flatten(1))
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(15):
        pools = [rng.integers(0, 256, (n, 3, 2, 2), dtype=np.uint8) for n in (100, 40, 100)]
        result = judge_memorisation(*pools, points)
        shares.append(result.flagged / result.n)
    assert np.mean(shares) == pytest.approx(0.01, abs=3 * np.std(shares) / np.sqrt(15))


def test_few_held_out_photographs_raise_what_is_expected(train, held_out):
    result = judge_memorisation(photographs(30, seed=3), train, held_out[:19])
    assert result.expected == pytest.approx(1 / 20)


@pytest.mark.parametrize(("samples", "training", "others"), [(0, 20, 5), (5, 9, 5), (5, 20, 0)])
def test_refuses_too_little(samples: int, training: int, others: int, train: np.ndarray):
    with pytest.raises(InputRefusedError, match="Copy detection is not possible"):
        judge_memorisation(train[:samples], train[:training], train[:others])


@pytest.mark.parametrize("guise", ["exact", "turned and mirrored"])
def test_copies_are_found_although_held_out_photographs_are_in_training(guise: str, train, held_out, random_features):
    """Photographs on both sides had a distance of zero, and so had the threshold: nothing was below it."""
    both = np.concatenate([GUISES[guise](train[:20]), held_out[:40]])
    result = judge_memorisation(train[30:40], train, both, random_features)
    assert result.flagged == 10
    assert (result.left_out, result.held_out) == (20, 40)
    assert result.threshold > 0
    assert result.expected == pytest.approx(1 / 41)
    assert all(20 <= pair.held_out < 60 for pair in result.pairs), "numbers of the photographs that were given"
    alone = judge_memorisation(train[30:40], train, held_out[:40], random_features)
    assert alone.threshold == result.threshold


def test_refuses_where_all_held_out_photographs_are_in_training(train):
    with pytest.raises(InputRefusedError, match="0 held-out"):
        judge_memorisation(train[30:40], train, train[:20])


def test_the_eight_views_are_eight_and_a_group():
    image = torch.arange(27, dtype=torch.uint8).view(1, 3, 3, 3)
    views = {view(image, number).numpy().tobytes() for number in range(8)}
    assert len(views) == 8
    assert {view(view(image, 6), number).numpy().tobytes() for number in range(8)} == views


def test_nearest_equals_the_obvious_search(train, held_out):
    queries, reference = all_views(held_out[:6], PIXELS), PIXELS(train[:70])
    found = nearest(queries, reference)
    for i in range(6):
        distances = [min(np.linalg.norm(queries[v, i] - row) for v in range(8)) for row in reference]
        assert found.index[i] == np.argmin(distances)
        assert found.distance[i] == pytest.approx(min(distances))
        assert found.relative[i] == pytest.approx(min(distances) / np.mean(sorted(distances)[:50]))


def test_writes_numbers_table_and_picture(train, held_out, tmp_path: Path):
    samples = np.concatenate([turned(train[3:5], seed=2), photographs(8, seed=3)])
    result = judge_memorisation(samples, train, held_out)
    names = Names([f"s{i}" for i in range(10)], [f"t{i}" for i in range(120)], [f"h{i}" for i in range(120)])
    save_memorisation(result, tmp_path, samples, train, names, closest=8)
    numbers = json.loads((tmp_path / "memorisation.json").read_text(encoding="utf-8"))
    assert numbers["flagged"] == result.flagged >= 2
    assert "pairs" not in numbers
    with (tmp_path / "memorisation_pairs.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    assert {(row["synthetic"], row["nearest_train"], row["flagged"]) for row in rows[:2]} == {
        ("s0", "t3", "1"),
        ("s1", "t4", "1"),
    }
    assert len(rows) == 10
    _check_picture(tmp_path / "memorisation_pairs.png", result, samples)


def _check_picture(path: Path, result: Memorisation, samples: np.ndarray) -> None:
    with Image.open(path) as picture:
        sheet = np.asarray(picture)
    assert sheet.shape == (128, 12 * 64, 3)
    first, its_copy = sheet[:64, :64], sheet[:64, 64:128]
    assert (first == samples[result.pairs[0].sample].transpose(1, 2, 0)).all()
    assert (first == its_copy).all(), "the training image is turned as the sample is"
    assert (sheet[64:, 4 * 64 :] == 255).all(), "eight pairs, the rest of the second row is empty"


def test_fewer_samples_than_a_row(train, held_out, tmp_path: Path):
    samples = photographs(2, seed=3)
    save_memorisation(judge_memorisation(samples, train, held_out), tmp_path, samples, train)
    with Image.open(tmp_path / "memorisation_pairs.png") as picture:
        assert picture.size == (4 * 64, 64)


def noise(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 3, 8, 8), dtype=np.uint8)


def test_the_most_suspicious_of_99_photographs_is_just_not_flagged():
    """The first percentile of 99 is the least of them; who is as near as that is no nearer than a photograph."""
    held_out = noise(99, 2)
    result = judge_memorisation(held_out, noise(20, 1), held_out)
    assert result.pairs[0].score == result.threshold
    assert (result.flagged, result.n, result.held_out, result.train) == (0, 99, 99, 20)
    assert result.expected == pytest.approx(1 / 100)
    assert judge_memorisation(held_out, noise(20, 1), held_out[:98]).expected == pytest.approx(1 / 99)
    assert judge_memorisation(held_out, noise(20, 1), noise(150, 3)).expected == 0.01


def test_what_is_said_of_each_pair_is_what_was_measured(random_features):
    samples, train, held_out = (photographs(count, seed=seed) for count, seed in ((7, 1), (12, 2), (15, 3)))
    result = judge_memorisation(samples, train, held_out, random_features)
    spaces = {PIXELS.name: PIXELS, "random": random_features}
    near = {name: nearest(all_views(samples, one), one(train)) for name, one in spaces.items()}
    seen = {name: nearest(all_views(held_out, one), one(train)).relative for name, one in spaces.items()}
    scores = {name: near[name].relative / np.quantile(seen[name], 0.01) for name in spaces}
    assert [pair.score for pair in result.pairs] == pytest.approx(sorted(np.minimum(*scores.values())))
    for pair in result.pairs:
        name = min(spaces, key=lambda name: scores[name][pair.sample])
        one, row = spaces[name], pair.sample
        unseen = nearest(all_views(samples, one), one(held_out)).index
        assert (pair.space, pair.train, pair.held_out) == (name, near[name].index[row], unseen[row])
        assert pair.relative_distance == pytest.approx(near[name].relative[row])
        assert pair.flagged is bool(pair.score < result.threshold)


def test_ten_training_images_one_sample_and_one_photograph_are_enough():
    assert judge_memorisation(noise(1, 0), noise(10, 1), noise(1, 2)).n == 1


def test_pixels_are_looked_at_once_even_where_they_are_the_features():
    assert judge_memorisation(noise(2, 0), noise(10, 1), noise(4, 2), PIXELS).spaces == (PIXELS.name,)


def test_photographs_that_are_all_training_images_are_none():
    flat = np.full((12, 3, 8, 8), 7, np.uint8)
    with pytest.raises(InputRefusedError, match="12 training images and 0 held-out images"):
        judge_memorisation(noise(2, 0), flat, flat[:4])


def test_a_photograph_in_training_is_left_out_and_the_others_keep_their_numbers():
    samples, train, held_out = noise(9, 0), noise(20, 1), noise(14, 2)
    both = np.concatenate([held_out[:5], train[3:4, :, ::-1], held_out[5:], np.rot90(train[7:8], 1, (2, 3))])
    found, expected = (judge_memorisation(samples, train, photographs) for photographs in (both, held_out))
    assert (found.left_out, expected.left_out, found.held_out) == (2, 0, 14)
    assert found.threshold == expected.threshold
    for one, other in zip(found.pairs, expected.pairs, strict=True):
        assert one == replace(other, held_out=other.held_out + (other.held_out >= 5))


def test_the_table_without_names_has_places_and_six_digits(tmp_path: Path):
    samples, train = noise(30, 0), noise(12, 1)
    result = judge_memorisation(samples, train, noise(20, 2))
    save_memorisation(result, tmp_path / "new" / "folder", samples, train)
    with (tmp_path / "new" / "folder" / "memorisation_pairs.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row, pair in zip(rows, result.pairs, strict=True):
        assert row == {
            "synthetic": str(pair.sample), "nearest_train": str(pair.train), "nearest_heldout": str(pair.held_out),
            "relative_distance": f"{pair.relative_distance:.6g}", "flagged": str(int(pair.flagged)),
        }  # fmt: skip
    with Image.open(tmp_path / "new" / "folder" / "memorisation_pairs.png") as picture:
        assert picture.size == (12 * 8, 4 * 8), "24 pairs, six in a row"
    save_memorisation(result, tmp_path, samples, train, closest=7)
    with Image.open(tmp_path / "memorisation_pairs.png") as picture:
        assert picture.size == (12 * 8, 2 * 8)
    numbers = json.loads((tmp_path / "memorisation.json").read_text(encoding="utf-8"))
    assert numbers == {
        "excess": result.excess, "low": result.low, "high": result.high, "flagged": result.flagged, "n": 30,
        "expected": result.expected, "threshold": result.threshold, "train": 12, "held_out": 20,
        "spaces": [PIXELS.name], "left_out": 0,
    }  # fmt: skip
