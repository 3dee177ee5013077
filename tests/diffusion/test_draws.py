"""Draws: the same for the same number, shared out without loss, and as often as the settings say."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
import torch

from diffusion.config import DiffusionConfig
from diffusion.draws import Draws, FixedDraws, ImageSet, Positions, even_timestep

MANY = 2000


@pytest.fixture
def images() -> ImageSet:
    generator = torch.Generator().manual_seed(5)
    labels = torch.tensor([0] * 90 + [1] * 10)
    return ImageSet(torch.randint(256, (100, 3, 8, 8), generator=generator, dtype=torch.uint8), labels)


@pytest.fixture
def make(make_config: Callable[..., DiffusionConfig], images: ImageSet) -> Callable[..., Draws]:
    return lambda **changes: Draws(images, make_config(image_size=8, classes="MEL,NV", **changes))


def same(a: tuple[torch.Tensor, ...], b: tuple[torch.Tensor, ...]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def views(pixels: torch.Tensor) -> Iterator[torch.Tensor]:
    for quarter, mirrored in itertools.product(range(4), (False, True)):
        turned = torch.rot90(pixels, quarter, (-2, -1))
        yield turned.flip(-1) if mirrored else turned


def test_a_draw_depends_on_nothing_but_seed_and_number(make: Callable[..., Draws]):
    forward, backward = make(), make()
    expected = [forward[k] for k in range(20)]
    torch.rand(100)
    assert all(same(backward[k], expected[k]) for k in reversed(range(20)))
    assert not same(make(seed=43)[0], expected[0])
    assert not any(torch.equal(a.noise, b.noise) for a, b in itertools.combinations(expected, 2))


def test_numbers_far_away_work_too(make: Callable[..., Draws]):
    assert same(make()[10**12], make()[10**12])


def test_classes_come_by_the_square_root_of_their_count(make: Callable[..., Draws]):
    draws = make(label_dropout=0)
    share = sum(int(draws[k].label) == 0 for k in range(MANY)) / MANY
    assert share == pytest.approx(0.75, abs=0.04)  # four standard errors


def test_a_tenth_of_the_labels_is_dropped(make: Callable[..., Draws]):
    draws = make()
    share = sum(int(draws[k].label) == 2 for k in range(MANY)) / MANY
    assert share == pytest.approx(0.1, abs=0.027)


def test_pictures_are_only_turned_and_all_views_come(make: Callable[..., Draws], images: ImageSet):
    draws, seen = make(), set()
    catalogue = {view.numpy().tobytes(): (i, n) for i, p in enumerate(images.pixels) for n, view in enumerate(views(p))}
    for k in range(400):
        seen.add(catalogue[draws[k].pixels.numpy().tobytes()][1])
    assert seen == set(range(8))


def test_noise_is_standard_normal_and_unrelated_between_neighbours(make: Callable[..., Draws]):
    noise = torch.stack([make()[k].noise.flatten() for k in range(200)])
    assert noise.mean().item() == pytest.approx(0, abs=4 / noise.numel() ** 0.5)
    assert noise.var().item() == pytest.approx(1, abs=0.03)
    assert (noise[:-1] * noise[1:]).mean().item() == pytest.approx(0, abs=4 / noise[1:].numel() ** 0.5)


def test_timesteps_of_any_batch_cover_the_range():
    for first in (0, 13, 10**9):
        steps = sorted(even_timestep(12345, first + k, 1000) for k in range(16))
        gaps = [b - a for a, b in itertools.pairwise([steps[-1] - 1000, *steps])]
        assert max(gaps) <= 2.7 * 1000 / 16  # independent ones leave gaps of 3.4 times their share on average


def test_timesteps_are_uniform():
    counts = torch.bincount(torch.tensor([even_timestep(7, k, 10) for k in range(1000)]), minlength=10)
    assert counts.min() >= 98
    assert counts.max() <= 102


@pytest.mark.parametrize(("processes", "parts"), [(1, 1), (2, 1), (1, 4), (2, 2)])
def test_processes_and_parts_share_a_batch_out(processes: int, parts: int):
    """Together they draw every number once, batch after batch."""
    ranks = [iter(Positions(24, 8, rank, processes, parts)) for rank in range(processes)]
    for batch in range(3):
        drawn = [number for rank in ranks for _ in range(parts) for number in next(rank)]
        assert sorted(drawn) == list(range(24 + 8 * batch, 32 + 8 * batch))


def test_augmented_pictures_have_labels_of_their_own_and_no_others_change(make: Callable[..., Draws], images: ImageSet):
    draws, plain = make(augmentation=0.3), make()
    catalogue = {view.numpy().tobytes() for p in images.pixels for view in views(p)}
    augmented = 0
    for k in range(500):
        own, twin = draws[k], plain[k]
        is_augmented = int(own.label) >= 3
        augmented += is_augmented
        assert int(own.label) == int(twin.label) + 3 * is_augmented
        assert is_augmented or torch.equal(own.pixels, twin.pixels)
        assert is_augmented or own.pixels.numpy().tobytes() in catalogue
    assert augmented / 500 == pytest.approx(0.3, abs=0.083)


def test_augmentation_changes_pictures_within_bounds(make: Callable[..., Draws]):
    draws, plain = make(augmentation=0.999), make()
    changes = [(draws[k].pixels.float() - plain[k].pixels.float()).mean((1, 2)).abs().max() for k in range(50)]
    assert max(changes) < 255 * 0.45
    assert sum(change > 2 for change in changes) > 40


def test_fixed_draws_show_every_picture_once_upright(make_config: Callable[..., DiffusionConfig], images: ImageSet):
    fixed = FixedDraws(images, make_config(image_size=8))
    assert len(fixed) == 100
    assert same(fixed[17], fixed[17])
    assert torch.equal(fixed[17].pixels, images.pixels[17])
    assert int(fixed[95].label) == 1
