"""Heads that were never trained are recognised; heads that were trained, even briefly, are not accused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from xai.classifier import probe_pictures, untrained_by_answers, untrained_by_weights


def fresh(classes=7, seed=0, features=512):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Linear(features, classes).requires_grad_(False)


def trained(steps, optimizer="Adam", rate=1e-3, classes=8, seed=0, **options):
    head = fresh(classes, seed).requires_grad_(True)
    generator = torch.Generator().manual_seed(seed)
    centres = torch.rand(classes, 512, generator=generator)
    tool = getattr(torch.optim, optimizer)(head.parameters(), lr=rate, **options)
    for _ in range(steps):
        labels = torch.randint(classes, (32,), generator=generator)
        features = centres[labels] + 0.3 * torch.rand(32, 512, generator=generator)
        tool.zero_grad()
        cross_entropy(head(features), labels).backward()
        tool.step()
    return head.requires_grad_(False)


@pytest.mark.parametrize("classes", [2, 7, 8, 1000])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_a_fresh_head_is_always_recognised(classes, dtype):
    for seed in range(60 if classes < 1000 else 5):
        head = fresh(classes, seed).to(dtype)
        assert untrained_by_weights(head.weight, head.bias) is not None, seed


@pytest.mark.parametrize("initialise", [nn.init.xavier_uniform_, nn.init.kaiming_uniform_])
def test_other_uniform_initial_weights(initialise):
    for seed in range(30):
        head = fresh(7, seed)
        initialise(head.weight, generator=torch.Generator().manual_seed(seed))
        assert untrained_by_weights(head.weight, head.bias) is not None


def test_a_bias_of_exactly_zero_is_an_initial_value():
    head = fresh()
    nn.init.normal_(head.weight, std=0.3)
    nn.init.zeros_(head.bias)
    assert "bias" in untrained_by_weights(head.weight, head.bias)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(
    ("steps", "optimizer", "options"),
    [
        (3, "Adam", {"rate": 1e-3}),
        (20, "Adam", {"rate": 1e-4}),
        (30, "SGD", {"rate": 1e-2, "momentum": 0.9}),
        (300, "AdamW", {"rate": 1e-3, "weight_decay": 0.05}),
    ],
)
def test_a_few_steps_of_training_are_enough_to_be_believed(steps, optimizer, options, seed):
    head = trained(steps, optimizer, seed=seed, **options)
    assert untrained_by_weights(head.weight, head.bias) is None


def test_half_precision_does_not_hide_or_fake_training():
    head = trained(20).half()
    assert untrained_by_weights(head.weight, head.bias) is None


def test_answers_that_are_all_alike():
    assert untrained_by_answers(lambda pixels: torch.zeros(len(pixels), 7)) is not None
    noise = torch.randn(12, 7, generator=torch.Generator().manual_seed(0))
    assert untrained_by_answers(lambda pixels: 0.1 * noise) is not None
    assert untrained_by_answers(lambda pixels: 2 * noise) is None


def test_probe_pictures_are_varied_and_always_the_same():
    pictures = probe_pictures()
    assert pictures.shape == (12, 3, 96, 96)
    assert pictures.dtype == torch.float32
    assert 0 <= pictures.min() < pictures.max() <= 1
    assert torch.equal(pictures, probe_pictures())
    assert pictures.mean((2, 3)).std(0).min() > 0.1


def test_probe_pictures_pixel_by_pixel():
    """They belong to the procedure whose results are kept: another picture would be another procedure."""
    rng = np.random.default_rng(0)
    for picture in probe_pictures().double().numpy():
        ground, colour = rng.uniform(0, 1, 3), rng.uniform(0, 1, 3)
        centre, radii = rng.uniform(-0.4, 0.4, 2), rng.uniform(0.2, 0.8, 2)
        noise = rng.normal(0, 0.05, (3, 96, 96))
        for row, column in ((0, 0), (95, 95), (48, 48), (40, 60), (70, 20)):
            x, y = column * 2 / 95 - 1, row * 2 / 95 - 1
            distance = ((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2
            inside = 1 / (1 + np.exp(8 * (distance - 1)))
            expected = ground + (colour - ground) * inside + noise[:, row, column]
            np.testing.assert_allclose(picture[:, row, column], expected.clip(0, 1), atol=1e-6)
