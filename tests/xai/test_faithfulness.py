"""Maps that know where the evidence is, and maps that do not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from core.jobs.stream import JobStopped
from tests.support.stopping_job import StoppingJob
from xai.faithfulness import MAX_SIDE, Faithfulness, Measure, _Curves, _passed, _Score, measure_faithfulness

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
    with pytest.raises(JobStopped):
        measure_faithfulness(logits, 1, image, oracle(), context=StoppingJob(lambda: next(calls) == 2))
    assert next(calls) == 3


def test_plain_json(image: Tensor) -> None:
    import json

    data = json.loads(json.dumps(measure_faithfulness(logits, 1, image, oracle()).to_json(), allow_nan=False))
    assert [measure["key"] for measure in data["measures"]] == ["deletion", "insertion", "road"]
    assert set(data["measures"][0]) >= {"title", "value", "control", "control_sd", "better", "passed", "words"}


class Watched:
    """The logits, and everything that they were asked about: pictures (n, H, W, 3) and answers (n,) of each batch."""

    def __init__(self) -> None:
        self.pictures: list[np.ndarray] = []
        self.answers: list[np.ndarray] = []

    def __call__(self, pixels: Tensor) -> Tensor:
        answer = logits(pixels)
        self.pictures.append(pixels.permute(0, 2, 3, 1).numpy())
        self.answers.append(answer[:, 1].double().numpy())
        return answer


def area(curve: np.ndarray) -> float:
    """Under eleven points from 0 to 1, by trapezoids."""
    return float((curve.sum() - (curve[0] + curve[-1]) / 2) / 10)


def test_every_number_by_hand_from_what_the_classifier_answered(image: Tensor) -> None:
    watched = Watched()
    found = by_key(measure_faithfulness(watched, 1, image, smooth_noise(3), seed=5))
    own, moved, random = watched.answers[:3], watched.answers[3:15], watched.answers[15:]
    assert [len(batch) for batch in watched.answers] == 5 * [11, 11, 9] + [11, 11]
    roads = [(least - out[1:10]).mean() / 2 for out, _, least in zip(*[iter([*own, *moved])] * 3, strict=True)]
    for place, key in enumerate(("deletion", "insertion")):
        controls = [area(curve) for curve in moved[place::3]]
        assert found[key].value == pytest.approx(area(own[place]))
        assert found[key].control == pytest.approx(np.mean(controls))
        assert found[key].control_sd == pytest.approx(np.std(controls, ddof=1))
        assert found[key].random_order == pytest.approx(area(random[place]))
    assert found["road"].value == pytest.approx(roads[0])
    assert found["road"].control == pytest.approx(np.mean(roads[1:]))
    assert found["road"].random_order is None


def test_which_pixels_are_taken_out_and_put_in(image: Tensor) -> None:
    watched, values = Watched(), smooth_noise(3)
    measure_faithfulness(watched, 1, image, values)
    whole = image[0].permute(1, 2, 0).numpy()
    ranks = np.empty(SIDE * SIDE, int)
    ranks[np.argsort(-values.ravel())] = np.arange(SIDE * SIDE)
    ranks = ranks.reshape(SIDE, SIDE)
    out, into, least = watched.pictures[:3]
    for step in range(11):
        first = ranks < round(step / 10 * SIDE * SIDE)
        np.testing.assert_array_equal((out[step] != whole).any(axis=2), first)
        np.testing.assert_array_equal(into[step][first], whole[first])
        assert (into[step] != whole).any(axis=2).sum() >= 0.99 * (~first).sum()
    for step in range(1, 10):
        last = ranks >= SIDE * SIDE - round(step / 10 * SIDE * SIDE)
        np.testing.assert_array_equal((least[step - 1] != whole).any(axis=2), last)


def test_insertion_begins_with_the_picture_blurred_by_a_tenth_of_its_side(image: Tensor) -> None:
    watched = Watched()
    measure_faithfulness(watched, 1, image, oracle())
    sigma = 0.1 * SIDE
    blurred = [ndimage.gaussian_filter(c, sigma, mode="mirror", truncate=7 / sigma) for c in image[0].numpy()]
    np.testing.assert_allclose(watched.pictures[1][0], np.stack(blurred, axis=2), atol=1e-5)


@pytest.mark.parametrize(
    ("value", "controls", "chance", "better", "expected"),
    [
        (3.0, [1.0, 2.0], 2.5, "higher", True),
        (3.0, [1.0, 2.0], 3.0, "higher", None),
        (2.0, [1.0, 2.0], None, "higher", None),
        (1.5, [1.0, 2.0], None, "higher", False),
        (2.5, [1.0, 2.0], 9.0, "higher", False),
        (0.5, [1.0, 2.0], 0.9, "lower", True),
        (1.2, [1.0, 2.0], None, "lower", None),
        (1.5, [1.0, 2.0], None, "lower", False),
    ],
)
def test_a_map_passes_if_it_beats_every_control_and_fails_if_not_even_their_mean(
    value: float, controls: list[float], chance: float | None, better: str, expected: bool | None
) -> None:
    assert _passed(value, controls, chance, better) is expected


@pytest.mark.parametrize("shape", [(1, 4 * MAX_SIDE), (4 * MAX_SIDE, 1)])
def test_of_a_strip_one_pixel_of_its_short_side_is_left(shape: tuple[int, int]) -> None:
    sizes = set()

    def watching(pixels: Tensor) -> Tensor:
        sizes.add(pixels.shape[2:])
        return pixels.mean((2, 3))

    strip = torch.rand(1, 3, *shape, generator=torch.Generator().manual_seed(0))
    measure_faithfulness(watching, 0, strip, np.random.default_rng(0).random(shape))
    assert sizes == {tuple(min(side, MAX_SIDE) for side in shape)}


def test_of_a_map_of_zeros_no_share_lies_anywhere(image: Tensor) -> None:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[:4] = True
    found = by_key(measure_faithfulness(logits, 1, image, np.zeros((SIDE, SIDE)), mask=mask))["lesion"]
    assert found.value == 0
    assert found.passed is False


@pytest.mark.parametrize(("side", "least", "most"), [(24, 6, 18), (25, 6, 19), (1, 0, 0)])
def test_the_map_in_the_wrong_place_is_moved_by_a_quarter_to_three_quarters(side: int, least: int, most: int) -> None:
    image = torch.zeros(1, 3, side, side)
    values = np.zeros((side, side))
    values[0, 0] = 1
    curves = _Curves(_Score(logits, 1, lambda: False), image, values, np.random.default_rng(0))
    places = np.array([np.argwhere(curves._moved())[0] for _ in range(3000)])
    shifts = {*range(least, most + 1)}
    expected = shifts | {(shift - 1) % side for shift in shifts}  # mirrored, the first pixel is the last one
    assert set(places[:, 0]) == set(places[:, 1]) == expected
