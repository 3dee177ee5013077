"""Each part of the loss against its formula."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from core.models.classification.loading import load_network
from diffusion.autoencoder.losses import PerceptualLoss, charbonnier, discriminator_loss, divergence, scaled_to
from tests.support.tiny_classifier import write_tiny_classifier


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_divergence_is_torchs_for_normal_distributions():
    mean, logvar = noise(4, 3), noise(4, 3, seed=1)
    expected = kl_divergence(Normal(mean, (0.5 * logvar).exp()), Normal(0.0, 1.0)).mean()
    assert torch.allclose(divergence(mean, logvar), expected)
    assert divergence(torch.zeros(2), torch.zeros(2)) == 0


def test_charbonnier_is_the_absolute_difference_but_at_its_tip():
    a = torch.zeros(1000, dtype=torch.float64)
    assert charbonnier(a, a).item() == pytest.approx(0, abs=1e-12)
    assert charbonnier(a + 0.5, a).item() == pytest.approx(0.5, abs=2e-3)
    assert charbonnier(a + 1e-4, a).item() == pytest.approx(1e-8 / 2e-3, rel=0.01)


def test_hinge_loss_by_hand():
    verdicts = {1.0: torch.tensor([[2.0, 0.5]]), -1.0: torch.tensor([[-3.0, 0.25]])}

    class Known(nn.Module):
        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            return verdicts[float(pictures)]

    found = discriminator_loss(Known(), torch.tensor(1.0), torch.tensor(-1.0))
    assert found.item() == pytest.approx(((0 + 0.5) / 2 + (0 + 1.25) / 2) / 2)


def test_a_gradient_gets_the_length_asked_for_and_keeps_its_direction():
    gradient, reference = noise(2, 3), noise(2, 3, seed=1)
    scaled = scaled_to(gradient, reference, 0.25)
    assert scaled.norm().item() == pytest.approx(0.25 * reference.norm().item(), rel=1e-5)
    assert torch.cosine_similarity(scaled.flatten(), gradient.flatten(), dim=0).item() == pytest.approx(1.0)


def test_perceptual_distance_is_that_of_unit_features_and_its_gradient_leads_home(tmp_path: Path):
    network = load_network(write_tiny_classifier(tmp_path / "c", trained=False))
    loss = PerceptualLoss(network)
    wanted, made = noise(3, 3, 32, 32).clamp(-1, 1), noise(3, 3, 32, 32, seed=1).clamp(-1, 1).requires_grad_()
    assert loss(wanted, wanted) == 0

    first, second = network.net.get_submodule("conv0"), network.net.get_submodule("conv1")
    expected = []
    for picture in (made, wanted):
        pixels = ((picture + 1) / 2 - torch.tensor([0.7, 0.5, 0.45]).view(1, 3, 1, 1)) / 0.2
        one = first(pixels)
        expected.append([maps / maps.norm(dim=1, keepdim=True) for maps in (one, second(one.relu()))])
    by_hand = [(a - b).square().sum(1).mean() for a, b in zip(*expected, strict=True)]
    assert loss(made, wanted).item() == pytest.approx(sum(by_hand).item() / 2, rel=1e-4)
    assert torch.allclose(loss.each(made, wanted).mean(), loss(made, wanted))

    (gradient,) = torch.autograd.grad(loss(made, wanted), made)
    assert loss(made - 0.1 * gradient / gradient.norm(), wanted) < loss(made, wanted)


def test_two_losses_of_one_classifier_do_not_disturb_each_other(tmp_path: Path):
    network = load_network(write_tiny_classifier(tmp_path / "c", trained=False))
    shown = noise(1, 3, 32, 32)
    once = PerceptualLoss(network).features(shown)
    again = PerceptualLoss(network).features(shown)
    assert [maps.shape for maps in once] == [maps.shape for maps in again]


def test_the_last_stage_is_not_computed(tmp_path: Path):
    """It would cost a quarter of a ResNet's time, and hardly sees texture."""
    network = load_network(write_tiny_classifier(tmp_path / "c", trained=False))
    loss = PerceptualLoss(network)
    seen: list[object] = []
    loss._network.net.get_submodule("conv2").register_forward_hook(lambda *parts: seen.append(parts))
    assert len(loss.features(noise(1, 3, 32, 32))) == 2
    assert not seen
