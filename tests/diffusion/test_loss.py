"""The loss: weights against closed forms, targets against the definition."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch

from diffusion.config import DiffusionConfig
from diffusion.draws import Draw
from diffusion.loss import diffusion_loss, halve, min_snr_weight, signal_to_noise
from diffusion.model import build_scheduler


def cosine_alpha_bar(t: int, total: int = 1000) -> float:
    """Closed form of the cosine schedule without its cap: f(t+1) / f(0), f(s) = cos^2((s/T + 0.008) / 1.008 * pi/2)."""

    def f(s: int) -> float:
        return math.cos((s / total + 0.008) / 1.008 * math.pi / 2) ** 2

    return f(t + 1) / f(0)


@pytest.mark.parametrize("t", [0, 1, 250, 500, 750, 990])
def test_signal_to_noise_is_that_of_the_cosine_schedule(t: int, config: DiffusionConfig):
    alpha_bar = cosine_alpha_bar(t)
    snr = signal_to_noise(build_scheduler(config), torch.tensor([t])).item()
    assert snr == pytest.approx(alpha_bar / (1 - alpha_bar), rel=2e-3)


SNR = torch.tensor([0.0, 0.25, 1.0, 5.0, 20.0, 1e6])


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [
        ("v_prediction", [0.0, 0.25 / 1.25, 0.5, 5 / 6, 5 / 21, 5 / 1000001]),
        ("epsilon", [1.0, 1.0, 1.0, 1.0, 0.25, 5e-6]),
    ],
)
def test_min_snr_weight(prediction: str, expected: list[float]):
    assert min_snr_weight(SNR, 5.0, prediction).tolist() == pytest.approx(expected)
    assert min_snr_weight(SNR, None, prediction).tolist() == [1] * 6


def test_both_predictions_weigh_the_same_error_of_the_image_alike(config: DiffusionConfig):
    """An error d of the predicted image is -sqrt(snr) d of the noise and -d / sqrt(1 - alpha_bar) of the velocity."""
    t = torch.tensor([10, 300, 700, 990])
    snr = signal_to_noise(build_scheduler(config), t)
    of_noise = min_snr_weight(snr, 5.0, "epsilon") * snr
    of_velocity = min_snr_weight(snr, 5.0, "v_prediction") * (1 + snr)
    assert torch.allclose(of_noise, of_velocity, rtol=1e-4)
    assert torch.allclose(of_noise, snr.clamp(max=5), rtol=1e-4)


class Fixed(torch.nn.Module):
    """Predicts a constant, and keeps what it was shown."""

    def __init__(self, value: float, labels: int | None = 8) -> None:
        super().__init__()
        self.value, self.config = value, SimpleNamespace(num_class_embeds=labels)

    def forward(
        self, noisy: torch.Tensor, timesteps: torch.Tensor, class_labels: torch.Tensor | None
    ) -> SimpleNamespace:
        self.noisy, self.labels = noisy, class_labels
        return SimpleNamespace(sample=torch.full_like(noisy, self.value))


@pytest.mark.parametrize("prediction", ["v_prediction", "epsilon"])
def test_loss_is_the_weighted_error_against_the_target(make_config: Callable[..., DiffusionConfig], prediction: str):
    scheduler, net = build_scheduler(make_config(prediction_type=prediction)), Fixed(0.3)
    draw = Draw(torch.rand(6, 3, 4, 4) * 2 - 1, torch.arange(6), torch.arange(6) * 150, torch.randn(6, 3, 4, 4))
    losses = diffusion_loss(net, scheduler, draw, 5.0)
    for i, t in enumerate(draw.timestep.tolist()):
        a = scheduler.alphas_cumprod[t].item()
        snr = a / (1 - a)
        assert torch.allclose(net.noisy[i], math.sqrt(a) * draw.pixels[i] + math.sqrt(1 - a) * draw.noise[i], atol=1e-6)
        velocity = math.sqrt(a) * draw.noise[i] - math.sqrt(1 - a) * draw.pixels[i]
        target, divisor = (velocity, snr + 1) if prediction == "v_prediction" else (draw.noise[i], snr)
        expected = min(snr, 5.0) / divisor * (0.3 - target).square().mean().item()
        assert losses[i].item() == pytest.approx(expected, rel=1e-4)
    assert net.labels is not None
    assert net.labels.tolist() == list(range(6))


def test_a_network_without_labels_is_told_none(config: DiffusionConfig):
    net = Fixed(0.0, labels=None)
    draw = Draw(torch.zeros(1, 3, 4, 4), torch.tensor([3]), torch.tensor([5]), torch.zeros(1, 3, 4, 4))
    diffusion_loss(net, build_scheduler(config), draw, None)
    assert net.labels is None


def test_half_size_averages_pixels_and_keeps_the_noise_standard_normal():
    draw = Draw(torch.rand(4, 3, 64, 64), torch.arange(4), torch.arange(4), torch.randn(4, 3, 64, 64))
    half = halve(draw)
    assert torch.allclose(half.pixels, draw.pixels.unflatten(2, (32, 2)).unflatten(4, (32, 2)).mean((3, 5)), atol=1e-6)
    assert half.noise.var().item() == pytest.approx(1, abs=0.05)
    assert half.noise.mean().item() == pytest.approx(0, abs=0.04)
