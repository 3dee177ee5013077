"""The loss: weights against closed forms, targets against the definition, timesteps against uniformity."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch

from diffusion.loss import diffusion_loss, min_snr_weight, signal_to_noise, stratified_timesteps
from diffusion.model import build_scheduler


def cosine_alpha_bar(t: int, total: int = 1000) -> float:
    """Closed form of the cosine schedule without its cap: f(t+1) / f(0), f(s) = cos^2((s/T + 0.008) / 1.008 * pi/2)."""

    def f(s: int) -> float:
        return math.cos((s / total + 0.008) / 1.008 * math.pi / 2) ** 2

    return f(t + 1) / f(0)


@pytest.mark.parametrize("t", [0, 1, 250, 500, 750, 990])
def test_signal_to_noise_is_that_of_the_cosine_schedule(t: int):
    alpha_bar = cosine_alpha_bar(t)
    snr = signal_to_noise(build_scheduler(), torch.tensor([t])).item()
    assert snr == pytest.approx(alpha_bar / (1 - alpha_bar), rel=2e-3)


def test_min_snr_weight_of_v_prediction():
    snr = torch.tensor([0.0, 0.25, 1.0, 5.0, 20.0, 1e6])
    expected = [0.0, 0.25 / 1.25, 0.5, 5 / 6, 5 / 21, 5 / 1000001]
    assert min_snr_weight(snr, 5.0).tolist() == pytest.approx(expected)


def test_timesteps_cover_the_range_once_a_part():
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        timesteps = stratified_timesteps(8, 1000, generator)
        assert (timesteps // 125).sort().values.tolist() == list(range(8))


def test_each_timestep_alone_is_uniform():
    generator = torch.Generator().manual_seed(0)
    first = torch.stack([stratified_timesteps(4, 10, generator)[0] for _ in range(4000)])
    counts = torch.bincount(first, minlength=10)
    assert counts.min() > 330
    assert counts.max() < 470


class Fixed(torch.nn.Module):
    """Predicts a constant, and keeps what it was shown."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, noisy: torch.Tensor, timesteps: torch.Tensor, class_labels: torch.Tensor) -> SimpleNamespace:
        self.seen = (noisy, timesteps, class_labels)
        return SimpleNamespace(sample=torch.full_like(noisy, self.value))


def test_loss_is_the_weighted_error_against_the_velocity():
    scheduler, net = build_scheduler(), Fixed(0.3)
    pixels = torch.rand(6, 3, 4, 4) * 2 - 1
    labels = torch.arange(6)
    loss = diffusion_loss(net, scheduler, pixels, labels, 5.0, torch.Generator().manual_seed(3))
    noisy, timesteps, seen_labels = net.seen
    total = 0.0
    for i, t in enumerate(timesteps.tolist()):
        a = scheduler.alphas_cumprod[t].item()
        noise = (noisy[i] - math.sqrt(a) * pixels[i]) / math.sqrt(1 - a)
        velocity = math.sqrt(a) * noise - math.sqrt(1 - a) * pixels[i]
        snr = a / (1 - a)
        total += min(snr, 5.0) / (snr + 1) * (0.3 - velocity).square().mean().item()
    assert loss.item() == pytest.approx(total / 6, rel=1e-4)
    assert seen_labels.tolist() == labels.tolist()
