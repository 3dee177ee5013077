"""Random views stay pictures, move masks along, and blends keep probabilities."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from classifier.batches import blend, make_views, random_affine, warp


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("kind", ["dihedral", "full"])
def test_views_stay_in_range_and_differ(kind):
    pixels = torch.rand(6, 3, 16, 16)
    views = make_views(pixels, kind, generator())
    assert views.shape == pixels.shape
    assert 0 <= views.min() <= views.max() <= 1
    assert (views - make_views(pixels, kind, generator(1))).abs().mean() > 0.01
    assert torch.equal(views, make_views(pixels, kind, generator()))


def test_no_augmentation_changes_nothing_and_draws_nothing():
    pixels, random = torch.rand(2, 3, 8, 8), generator()
    assert make_views(pixels, "none", random) is pixels
    assert torch.equal(random.get_state(), generator().get_state())


def test_views_are_similarities_with_bounded_scale():
    matrices = random_affine(200, generator())[:, :, :2].double()
    gram = matrices.transpose(1, 2) @ matrices
    scale = gram[:, 0, 0].sqrt()
    assert 0.8 - 1e-6 <= scale.min() < 0.85
    assert 1.1 < scale.max() <= 1.15 + 1e-6
    assert torch.allclose(gram, scale.square().view(-1, 1, 1) * torch.eye(2, dtype=torch.double), atol=1e-6)
    assert {1, -1} == set(torch.linalg.det(matrices).sign().int().tolist())


def test_masks_move_with_the_picture_and_keep_their_values():
    layers = torch.rand(5, 5, 16, 16)
    moved = make_views(layers, "full", generator())
    expected = warp(layers, random_affine(5, generator()))
    assert torch.equal(moved[:, 3:], expected[:, 3:])
    assert not torch.allclose(moved[:, :3], expected[:, :3]), "colours were not varied"

    turned = make_views(torch.cat([layers[:, :1]] * 4, dim=1), "dihedral", generator())
    assert torch.equal(turned[:, 3], turned[:, 0])


@pytest.mark.parametrize("seed", range(5))
def test_mixup_blends_pictures_and_targets_alike(seed):
    layers, targets = torch.rand(3, 5, 4, 4), torch.eye(7)[:3]
    mixed, soft = blend(layers, targets, 0.4, 0, generator(seed))
    share = soft.diagonal()[0].item()
    others = [soft[image].clone().index_fill_(0, torch.tensor([image]), -1).argmax().item() for image in range(3)]
    for image, other in enumerate(others):
        torch.testing.assert_close(mixed[image], share * layers[image] + (1 - share) * layers[other])
        torch.testing.assert_close(soft[image], share * targets[image] + (1 - share) * targets[other])


@pytest.mark.parametrize("seed", range(8))
def test_cutmix_targets_are_the_pixels_counted_one_by_one(seed):
    layers = torch.arange(3).float().view(3, 1, 1, 1).expand(3, 1, 16, 16).clone()
    pasted, soft = blend(layers, torch.eye(7)[:3], 0, 1.0, generator(seed))
    for image in range(3):
        for label in range(7):
            share = np.mean([[float(value) == label for value in row] for row in pasted[image, 0].tolist()])
            assert soft[image, label].item() == pytest.approx(share, abs=1e-6)


def test_blends_depend_on_their_generator_alone_and_leave_the_global_one():
    layers, targets = torch.rand(4, 3, 8, 8), torch.eye(7)[:4]
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = blend(layers, targets, 0.4, 1.0, generator(5))
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(99)
    again = blend(layers, targets, 0.4, 1.0, generator(5))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], blend(layers, targets, 0.4, 1.0, generator(6))[0])


@pytest.mark.parametrize(("mixup_alpha", "cutmix_alpha"), [(0.2, 0), (0, 1.0), (0.4, 1.0)])
def test_blended_targets_sum_to_one_and_really_blend(mixup_alpha, cutmix_alpha):
    layers, targets = torch.rand(8, 3, 12, 12), torch.eye(7)[torch.arange(8) % 7]
    blends = [blend(layers, targets, mixup_alpha, cutmix_alpha, generator(seed)) for seed in range(30)]
    sums = torch.stack([soft.sum(1) for _, soft in blends])
    assert torch.allclose(sums, torch.ones_like(sums))
    assert any(((soft > 0.05) & (soft < 0.95)).any() for _, soft in blends)
    assert all((soft >= 0).all() for _, soft in blends)


def test_without_blending_nothing_is_touched():
    layers, targets = torch.rand(2, 3, 4, 4), torch.eye(7)[:2]
    assert blend(layers, targets, 0, 0, generator()) == (layers, targets)
