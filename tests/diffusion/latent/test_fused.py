"""The quick passes of a UNet compute what diffusers' own do, forwards and backwards."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn.functional import silu

from diffusion.config import DiffusionConfig
from diffusion.latent.fused import fuse, normalise
from diffusion.model import build_unet


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("shifted", [True, False])
def test_normalisation_and_its_derivative(active: bool, shifted: bool):
    torch.manual_seed(0)
    x = (2 * torch.randn(3, 12, 4, 6) + 0.5).requires_grad_()
    shift = torch.randn(3, 12, requires_grad=True) if shifted else None
    norm = nn.GroupNorm(3, 12)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    inputs = [x, norm.weight, norm.bias, *([shift] if shift is not None else [])]
    plain = norm(x if shift is None else x + shift[:, :, None, None])
    plain = silu(plain) if active else plain
    direction = torch.randn_like(plain)
    ours = normalise(x, norm, shift, active=active)
    assert torch.allclose(ours, plain, atol=1e-5)
    wanted = torch.autograd.grad(plain, inputs, direction)
    found = torch.autograd.grad(ours, inputs, direction)
    for one, other in zip(found, wanted, strict=True):
        assert torch.allclose(one, other, atol=2e-5)


def test_derivative_against_differences():
    """In double precision, so that rounding hides nothing."""
    torch.manual_seed(1)
    norm = nn.GroupNorm(2, 4).double()
    x, shift = torch.randn(2, 4, 2, 2, dtype=torch.float64), torch.randn(2, 4, dtype=torch.float64)
    step, direction = 1e-3, torch.randn(2, 4, 2, 2, dtype=torch.float64)
    x.requires_grad_()
    (slope,) = torch.autograd.grad(normalise(x, norm, shift).sum(), x)
    with torch.no_grad():
        ends = [float(normalise(x + sign * step * direction, norm, shift).sum()) for sign in (1, -1)]
    assert float((slope * direction).sum()) == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-2)


def test_a_whole_network_keeps_its_values_gradients_and_names():
    config = DiffusionConfig(
        image_size=16, widths=(8, 16, 16), attention=(1, 2), attention_head_dim=8, norm_groups=4, dropout=0.0
    )
    torch.manual_seed(2)
    plain = build_unet(config, (4, 16))
    for parameter in plain.parameters():
        parameter.data.add_(0.05 * torch.randn_like(parameter))
    quick = fuse(copy.deepcopy(plain))
    x, timestep, label = torch.randn(2, 4, 16, 16), torch.tensor([3.0, 700.0]), torch.tensor([1, 7])
    answers = [net(x, timestep, class_labels=label).sample for net in (plain, quick)]
    assert torch.allclose(*answers, atol=1e-5)
    for answer in answers:
        answer.square().mean().backward()
    assert list(plain.state_dict()) == list(quick.state_dict())
    for (name, one), other in zip(plain.named_parameters(), quick.parameters(), strict=True):
        assert torch.allclose(one.grad, other.grad, atol=1e-6 + 1e-4 * float(one.grad.abs().max())), name
