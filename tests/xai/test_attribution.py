"""Integrated Gradients against closed forms, a slow obvious re-implementation, and its own definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from core.jobs.stream import JobStopped
from core.models.classification.loading import Preprocessing, to_tensor
from tests.support.stopping_job import StoppingJob
from xai import attribution
from xai.attribution import FIRST_STEPS, LAST_STEPS, chunk_size, integrated_gradients
from xai.baselines import BASELINES, make_baselines


def picture(seed=0, height=9, width=7):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def conv_net(seed=0, activation=nn.Tanh):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), activation(), nn.Conv2d(6, 6, 3, padding=1), activation(), nn.Flatten(),
        nn.LazyLinear(4),
    ).eval()  # fmt: skip


def scaled(net, index, factor=30.0):
    return lambda pixels: factor * net(pixels)[:, index]


def test_a_linear_model_gets_its_weights_times_the_difference():
    weights, image, baseline = torch.randn(3, 9, 7), picture(1), picture(2)
    found = integrated_gradients(lambda x: (x * weights).sum((1, 2, 3)) + 5, image, [baseline])
    expected = (weights * (image - baseline)[0]).permute(1, 2, 0)
    np.testing.assert_allclose(found.values, expected.numpy(), atol=1e-6)
    assert found.values.dtype == np.float32
    assert found.values.shape == (9, 7, 3)
    assert found.steps == FIRST_STEPS
    assert found.score - found.baseline_score == pytest.approx(float(expected.sum()), abs=1e-4)


def test_a_product_of_two_pixels_is_shared_as_the_definition_says():
    # f = x0 * x1 from baseline b: the integral of the gradient along the line is (x0-b0)(x1+b1)/2 and its mirror image.
    image, baseline = torch.zeros(1, 3, 1, 2), torch.zeros(1, 3, 1, 2)
    image[0, 0, 0], baseline[0, 0, 0] = torch.tensor([0.9, 0.8]), torch.tensor([0.1, 0.3])
    found = integrated_gradients(lambda x: 10 * x[:, 0, 0, 0] * x[:, 0, 0, 1], image, [baseline])
    assert found.values[0, :, 0] == pytest.approx([10 * 0.8 * 1.1 / 2, 10 * 0.5 * 1.0 / 2], abs=1e-5)


def slow_integrated_gradients(score, image, baseline, steps=2000):
    total = torch.zeros_like(image)
    for step in range(steps):
        point = (baseline + (step + 0.5) / steps * (image - baseline)).detach().requires_grad_()
        score(point).backward()
        total += point.grad
    return (total / steps * (image - baseline))[0].permute(1, 2, 0).numpy()


def test_agrees_with_a_slow_midpoint_sum():
    image, baseline = picture(3, 5, 4), picture(4, 5, 4)
    net = conv_net()
    score = scaled(net, 2)
    score(image)
    expected = slow_integrated_gradients(score, image, baseline)
    np.testing.assert_allclose(integrated_gradients(score, image, [baseline]).values, expected, atol=1e-3)


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("activation", [nn.Tanh, nn.ReLU])
def test_completeness_for_every_baseline(name, activation):
    pixels = (picture(5, 12, 10)[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    net = conv_net(1, activation)
    score = scaled(net, 0)
    baselines = [to_tensor(b) for b in make_baselines(name, pixels)]
    found = integrated_gradients(score, to_tensor(pixels), baselines)
    with torch.no_grad():
        difference = score(to_tensor(pixels)).item() - np.mean([score(b).item() for b in baselines])
    assert found.score - found.baseline_score == pytest.approx(difference, rel=1e-4)
    assert found.values.sum() == pytest.approx(difference, rel=0.01)
    assert found.relative_delta < 0.01
    assert found.delta == pytest.approx(found.values.sum() - difference, abs=1e-3)


def test_the_resize_is_part_of_what_is_explained():
    # A linear score of the resized, normalised picture: the attribution must live on the picture's own pixels.
    preprocessing, image, baseline = Preprocessing(4, (0.5, 0.4, 0.3), (0.2, 0.2, 0.2)), picture(1), picture(2)
    found = integrated_gradients(lambda x: preprocessing(x).sum((1, 2, 3)), image, [baseline])
    assert found.values.shape == (9, 7, 3)
    expected = (preprocessing(image) - preprocessing(baseline)).sum().item()
    assert found.values.sum() == pytest.approx(expected, rel=1e-4)
    assert (found.values != 0).all()


def test_every_forward_input_lies_on_the_straight_line():
    image, baseline, seen = picture(6), picture(7), []
    net = conv_net()

    def score(pixels):
        seen.append(pixels.detach().clone())
        return scaled(net, 1)(pixels)

    found = integrated_gradients(score, image, [baseline], chunk=5)
    points = torch.cat(seen)
    direction = (image - baseline).flatten()
    offsets = (points - baseline).flatten(1)
    alphas = offsets @ direction / (direction @ direction)
    assert torch.allclose(offsets, alphas[:, None] * direction, atol=1e-5)
    assert alphas.min() >= -1e-6
    assert alphas.max() <= 1 + 1e-6
    assert len(points) == 2 + found.steps, "the two ends and each step once"
    assert len(alphas.mul(1e4).round().unique()) == found.steps + 2, "all different points"
    assert max(len(batch) for batch in seen) == 5


@pytest.mark.parametrize("chunk", [1, 5, 31, 32, 100])
def test_chunks_do_not_change_the_result(chunk):
    image, baseline, net = picture(6), picture(7), conv_net()
    whole = integrated_gradients(scaled(net, 1), image, [baseline], chunk=512)
    parts = integrated_gradients(scaled(net, 1), image, [baseline], chunk=chunk)
    np.testing.assert_allclose(parts.values, whole.values, atol=1e-5)


def kinked(pixels):
    """A score with a sharp bend between baseline and image, which few quadrature points miss."""
    return 50 * torch.relu(pixels.sum((1, 2, 3)) - 181.4)


def test_steps_double_until_the_sum_is_right():
    image, baseline = torch.full((1, 3, 9, 7), 0.97), torch.zeros(1, 3, 9, 7)
    found = integrated_gradients(kinked, image, [baseline])
    assert found.steps in (64, 128, 256, 512)
    assert found.relative_delta < 0.01 or found.steps == LAST_STEPS
    capped = integrated_gradients(kinked, image, [baseline], last_steps=FIRST_STEPS)
    assert capped.steps == FIRST_STEPS
    assert capped.relative_delta > 0.01


def test_a_tiny_difference_is_not_divided_by():
    image = picture(1)
    found = integrated_gradients(lambda x: 1e-3 * x.sum((1, 2, 3)), image, [image * 0.99])
    assert found.relative_delta is None
    assert found.steps == FIRST_STEPS


def test_values_that_are_no_numbers_end_at_once():
    found = integrated_gradients(lambda x: x.sum((1, 2, 3)) * float("nan"), picture(1), [picture(2)])
    assert found.steps == FIRST_STEPS
    assert np.isnan(found.values).all()
    assert found.relative_delta is None or np.isnan(found.relative_delta)


def test_several_baselines_give_the_mean():
    image, baselines, net = picture(1), [picture(2), picture(3)], conv_net()
    parts = [integrated_gradients(scaled(net, 0), image, [b]) for b in baselines]
    both = integrated_gradients(scaled(net, 0), image, baselines)
    np.testing.assert_allclose(both.values, (parts[0].values + parts[1].values) / 2, atol=1e-6)
    assert both.baseline_score == pytest.approx((parts[0].baseline_score + parts[1].baseline_score) / 2)


@pytest.mark.parametrize("after", [0, 1, 3])
def test_stops_before_the_next_forward_pass(after):
    calls = []

    def score(pixels):
        calls.append(len(pixels))
        return pixels.sum((1, 2, 3))

    with pytest.raises(JobStopped):
        integrated_gradients(score, picture(1), [picture(2)], chunk=4, context=StoppingJob(lambda: len(calls) >= after))
    assert len(calls) == after


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_leaves_no_trace(mode):
    image, baseline, net = picture(1), picture(2), conv_net()
    net(image)
    net.requires_grad_(False)
    before = image.clone(), baseline.clone()
    with mode():
        enabled = torch.is_grad_enabled()
        integrated_gradients(scaled(net, 0), image, [baseline])
        assert torch.is_grad_enabled() == enabled
    assert torch.equal(image, before[0])
    assert torch.equal(baseline, before[1])
    assert image.grad is None
    assert not image.requires_grad
    assert all(p.grad is None and not p.requires_grad for p in net.parameters())
    assert not any(m._forward_hooks or m._backward_hooks or m._forward_pre_hooks for m in net.modules())


def test_steps_double_and_end_at_the_limit():
    sizes = []

    def score(pixels):
        sizes.append(len(pixels))
        return kinked(pixels)

    image, baseline = torch.full((1, 3, 9, 7), 0.97), torch.zeros(1, 3, 9, 7)
    found = integrated_gradients(score, image, [baseline], last_steps=70, chunk=1000)
    assert sizes == [1, 1, 32, 64, 70]
    assert found.steps == 70


@pytest.mark.parametrize(("difference", "divided"), [(0.12, True), (0.08, False), (-0.12, True), (-0.08, False)])
def test_a_tenth_of_a_logit_is_worth_dividing_by(difference, divided):
    image, baseline = torch.ones(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    found = integrated_gradients(lambda x: difference * x.mean((1, 2, 3)), image, [baseline])
    assert (found.relative_delta is not None) == divided


@pytest.mark.parametrize(("shape", "pictures"), [((1, 1), 16), ((128, 128), 16), ((300, 300), 11), ((1024, 1024), 1)])
def test_large_pictures_go_through_in_small_batches(shape, pictures):
    assert chunk_size(torch.empty(1, 3, *shape)) == pictures


def test_a_delta_of_exactly_the_bound_is_not_converged(monkeypatch):
    image, baseline = torch.full((1, 3, 9, 7), 0.97), torch.zeros(1, 3, 9, 7)
    first = integrated_gradients(kinked, image, [baseline], last_steps=FIRST_STEPS)
    monkeypatch.setattr(attribution, "CONVERGED", first.relative_delta)
    assert integrated_gradients(kinked, image, [baseline]).steps > FIRST_STEPS
    monkeypatch.setattr(attribution, "CONVERGED", np.nextafter(first.relative_delta, 1))
    assert integrated_gradients(kinked, image, [baseline]).steps == FIRST_STEPS
