"""A classifier that looks at one patch: the index finds a map that points at it, and none that does not."""

import numpy as np
import pytest
import torch

from core.jobs.stream import JobStopped
from tests.support.stopping_job import StoppingJob
from tests.xai.trajectory.builders import linear_target, patch_weights
from xai.statistics import compare_pairs
from xai.trajectory.shift import INTERVENTIONS, Shift, measure_shifts, top_and_bottom
from xai.trajectory.target import Target

SIDE = 32
HERE = (slice(4, 14), slice(5, 15))


def picture_of(seed):
    """Broad stripes with a little noise, alike everywhere."""
    rng = np.random.default_rng(seed)
    stripes = np.where((np.arange(SIDE) + seed) // 3 % 2, 80, 180)[None, :, None]
    return (stripes + rng.normal(0, 6, (SIDE, SIDE, 3))).clip(0, 255).astype(np.uint8)


def map_of(rows, columns):
    values = np.random.default_rng(3).random((SIDE, SIDE)) * 0.01
    values[rows, columns] += 1
    return values


@pytest.fixture
def target():
    """A classifier that sees how rough one patch is: all four interventions change that."""

    def logits(pixels):
        patch = pixels[:, :, HERE[0], HERE[1]]
        roughness = (patch[..., 1:] - patch[..., :-1]).abs().mean(dim=(1, 2, 3))
        return torch.stack([10 * roughness, -roughness], dim=1)

    return Target(0, logits)


def shifts_of(target, pictures, values):
    regions = top_and_bottom(values)
    return [measure_shifts(target, picture, *regions, seed=seed, draws=20) for seed, picture in enumerate(pictures)]


@pytest.mark.parametrize("name", INTERVENTIONS)
def test_a_planted_causal_patch_is_found(target, name):
    found = shifts_of(target, [picture_of(seed) for seed in range(12)], map_of(*HERE))
    for contrast in ("csi", "control"):
        result = compare_pairs([getattr(shifts[name], contrast) for shifts in found], np.zeros(12))
        assert result.low > 0
        assert result.wilcoxon_p < 0.001
    unmoved = [value for shifts in found for value in shifts[name].bottom]  # it does not look there
    np.testing.assert_allclose(unmoved, 0, atol=1e-5)


@pytest.mark.parametrize("name", INTERVENTIONS)
def test_a_map_that_points_elsewhere_has_no_effect(target, name):
    found = shifts_of(target, [picture_of(seed) for seed in range(12)], map_of(slice(20, 30), slice(20, 30)))
    np.testing.assert_allclose([shifts[name].mean_top for shifts in found], 0, atol=1e-5)
    assert np.mean([shifts[name].control for shifts in found]) < 0


def test_the_formula_on_a_picture_worked_out_by_hand():
    """F is the mean of the upper left quarter: painting it in its median moves F by mean minus median."""
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[:4, :4] = 51
    picture[0, 0] = 255
    values = np.full((8, 8), 0.5)
    values[:2, :3], values[7] = 1, 0  # area: 6 of 64 pixels
    top, bottom = top_and_bottom(values)
    found = measure_shifts(linear_target(patch_weights(8, slice(0, 4), slice(0, 4))), picture, top, bottom)["const"]
    moved = (1.0 - 0.2) / 16
    assert found.top == pytest.approx([moved], abs=1e-6)
    assert found.bottom == pytest.approx([0.0], abs=1e-6)
    assert found.csi == pytest.approx(moved, abs=1e-6)


def test_index_and_control_are_means_of_absolute_values():
    shift = Shift(top=(1.0, -3.0), bottom=(-0.5,), rivals=(1.0, -1.0, 0.25, -0.75))
    assert shift.csi == pytest.approx(2.0 - 0.5)
    assert shift.control == pytest.approx(2.0 - 0.75)
    assert shift.to_json()["dF_top"] == [1.0, -3.0]


def test_there_are_twenty_rivals_and_measuring_again_gives_the_same(target):
    regions = top_and_bottom(map_of(*HERE))
    first, second = (measure_shifts(target, picture_of(0), *regions, seed=4) for _ in range(2))
    assert first == second
    assert all(len(shift.rivals) == 20 for shift in first.values())
    assert measure_shifts(target, picture_of(0), *regions, seed=5) != first


def test_a_stop_is_seen(target):
    with pytest.raises(JobStopped):
        measure_shifts(target, picture_of(0), *top_and_bottom(map_of(*HERE)), context=StoppingJob(lambda: True))
