"""Maps that know where the evidence is, and maps that do not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from xai.explanation import ExplanationCancelled
from xai.faithfulness import MAX_SIDE, Faithfulness, Measure, measure_faithfulness

SIDE = 32
PATCH = (slice(6, 14), slice(18, 28))


def logits(pixels: Tensor) -> Tensor:
    """Class 1 is how much brighter the patch is than the picture's edge."""
    patch = pixels[:, :, PATCH[0], PATCH[1]].mean((1, 2, 3))
    return torch.stack([torch.zeros_like(patch), 8 * (patch - pixels[:, :, 0].mean((1, 2)))], dim=1)


@pytest.fixture
def image() -> Tensor:
    generator = torch.Generator().manual_seed(1)
    picture = 0.3 + 0.05 * torch.rand(1, 3, SIDE, SIDE, generator=generator)
    picture[:, :, PATCH[0], PATCH[1]] += 0.5
    return picture


def oracle() -> np.ndarray:
    values = np.zeros((SIDE, SIDE, 3))
    values[PATCH] = 1.0
    return values + 0.001 * np.random.default_rng(0).random((SIDE, SIDE, 3))


def smooth_noise(seed: int) -> np.ndarray:
    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(SIDE, SIDE)), 2.5, mode="wrap")


def by_key(found: Faithfulness) -> dict[str, Measure]:
    return {measure.key: measure for measure in found.measures}


def test_the_map_that_is_right_passes_all_three(image: Tensor) -> None:
    found = by_key(measure_faithfulness(logits, 1, image, oracle()))
    assert all(found[key].passed is True for key in ("deletion", "insertion", "road"))
    assert found["deletion"].value < found["deletion"].control
    assert found["insertion"].value > found["insertion"].control
    assert found["road"].value > found["road"].control


def test_the_map_that_says_the_opposite_fails_all_three(image: Tensor) -> None:
    found = by_key(measure_faithfulness(logits, 1, image, -oracle()))
    assert [found[key].passed for key in ("deletion", "insertion", "road")] == [False] * 3


def test_maps_that_know_nothing_do_not_differ_from_their_control(image: Tensor) -> None:
    """The mean over many of them of value - control is within three standard errors of 0, for each measure."""
    gaps: dict[str, list[float]] = {"deletion": [], "insertion": [], "road": []}
    for seed in range(14):
        found = by_key(measure_faithfulness(logits, 1, image, smooth_noise(seed), seed=seed))
        for key, kept in gaps.items():
            kept.append(found[key].value - found[key].control)
    for kept in gaps.values():
        assert abs(np.mean(kept)) < 3 * np.std(kept, ddof=1) / np.sqrt(len(kept))


def test_the_end_points_of_the_curves_are_the_picture_itself(image: Tensor) -> None:
    """With a constant logit, whatever is done, all areas are that constant and no map is better than another."""

    def constant(pixels: Tensor) -> Tensor:
        return torch.full((len(pixels), 2), 1.5)

    found = by_key(measure_faithfulness(constant, 1, image, oracle()))
    assert found["deletion"].value == pytest.approx(1.5)
    assert found["insertion"].value == pytest.approx(1.5)
    assert found["road"].value == 0
    assert not any(found[key].passed for key in ("deletion", "insertion", "road"))


def test_the_share_inside_the_lesion_by_hand(image: Tensor) -> None:
    values = np.zeros((SIDE, SIDE))
    values[0, :4] = [3, -2, 1, 4]  # magnitudes count: 3 of 10 lie inside
    mask = np.zeros((SIDE, SIDE), bool)
    mask[0, 0] = mask[20:24, 20:24] = True
    lesion = by_key(measure_faithfulness(logits, 1, image, values, mask=mask))["lesion"]
    assert lesion.value == pytest.approx(0.3)
    assert lesion.control == pytest.approx(17 / SIDE**2)
    assert lesion.passed is True
    assert "30%" in lesion.words
    assert "2% of the area" in lesion.words


def test_a_dark_corner_is_told(image: Tensor) -> None:
    image = image.clone()
    image[:, :, :8, :8] = 0.01
    values = np.zeros((SIDE, SIDE))
    values[:8, :4], values[20, 20] = 1, 32
    found = by_key(measure_faithfulness(logits, 1, image, values))["corner"]
    assert found.value == pytest.approx(0.5)
    assert found.control == pytest.approx(1 / 16)
    assert found.passed is None


def test_the_same_seed_gives_the_same_numbers_and_nothing_is_changed(image: Tensor) -> None:
    values, before = oracle(), image.clone()
    kept = values.copy()
    first, second = (measure_faithfulness(logits, 1, image, values, seed=7).measures for _ in range(2))
    assert first == second
    assert torch.equal(image, before)
    np.testing.assert_array_equal(values, kept)


def test_a_large_picture_is_tested_at_a_smaller_size() -> None:
    sizes = set()

    def watching(pixels: Tensor) -> Tensor:
        sizes.add(pixels.shape[2:])
        return pixels.mean((2, 3))

    big = torch.rand(1, 3, 2 * MAX_SIDE, MAX_SIDE, generator=torch.Generator().manual_seed(0))
    measure_faithfulness(watching, 0, big, np.random.default_rng(0).random((2 * MAX_SIDE, MAX_SIDE)))
    assert sizes == {(MAX_SIDE, MAX_SIDE // 2)}


def test_it_can_be_cancelled_before_any_forward_pass(image: Tensor) -> None:
    calls = iter(range(100))
    with pytest.raises(ExplanationCancelled):
        measure_faithfulness(logits, 1, image, oracle(), should_stop=lambda: next(calls) == 2)
    assert next(calls) == 3


def test_plain_json(image: Tensor) -> None:
    import json

    data = json.loads(json.dumps(measure_faithfulness(logits, 1, image, oracle()).to_json(), allow_nan=False))
    assert [measure["key"] for measure in data["measures"]] == ["deletion", "insertion", "road"]
    assert set(data["measures"][0]) >= {"title", "value", "control", "control_sd", "better", "passed", "words"}
