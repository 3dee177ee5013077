"""The quick group normalisation computes torch's values and torch's derivatives."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from diffusion.autoencoder.norm import FastGroupNorm, quicken


def tensors(dtype: torch.dtype, layout: torch.memory_format) -> tuple[torch.Tensor, torch.Tensor, nn.GroupNorm]:
    generator = torch.Generator().manual_seed(0)
    x = (3 * torch.randn(3, 12, 5, 7, generator=generator) + 1).to(dtype).to(memory_format=layout)
    gradient = torch.randn(3, 12, 5, 7, generator=generator).to(dtype).to(memory_format=layout)
    norm = nn.GroupNorm(4, 12)
    with torch.no_grad():
        norm.weight.copy_(torch.randn(12, generator=generator))
        norm.bias.copy_(torch.randn(12, generator=generator))
    return x, gradient, norm


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-5), (torch.bfloat16, 3e-2)])
def test_values_and_derivatives_are_torchs(layout: torch.memory_format, dtype: torch.dtype, tolerance: float):
    x, gradient, norm = tensors(dtype, layout)
    quick = copy.deepcopy(norm)
    quicken(nn.Sequential(quick))
    assert type(quick) is FastGroupNorm
    exact = x.float().clone().requires_grad_()  # torch's derivative in single precision is what both are held to
    norm(exact).backward(gradient.float())
    own = x.clone().requires_grad_()
    made = quick(own)
    made.backward(gradient)
    assert made.dtype == dtype
    pairs = [(made, norm(exact)), (own.grad, exact.grad), (quick.weight.grad, norm.weight.grad)]
    for found, expected in [*pairs, (quick.bias.grad, norm.bias.grad)]:
        assert found is not None
        assert expected is not None
        assert (found.float() - expected).abs().max() <= tolerance * expected.abs().max()


def test_forward_values_are_torchs_to_the_bit_beside_fp32_weights():
    x, _, norm = tensors(torch.bfloat16, torch.channels_last)
    expected = norm(x)
    assert torch.equal(quicken(nn.Sequential(norm))(x), expected)


def test_numeric_derivatives():
    x, _, norm = tensors(torch.float32, torch.channels_last)
    quicken(nn.Sequential(norm))
    x = x[:1, :, :2, :2].contiguous().requires_grad_()
    weights = torch.randn(x.shape, generator=torch.Generator().manual_seed(2))
    (norm(x) * weights).sum().backward()
    assert x.grad is not None
    step = 1e-2
    for place in [(0, 0, 0, 0), (0, 7, 1, 0), (0, 11, 1, 1)]:
        up, down = x.detach().clone(), x.detach().clone()
        up[place] += step
        down[place] -= step
        slope = ((norm(up) - norm(down)) * weights).sum() / (2 * step)
        assert x.grad[place].item() == pytest.approx(slope.item(), abs=2e-3)
