"""Attention head by head gives what torch's fused kernel gives."""

from __future__ import annotations

import pytest
import torch
from diffusers.models.attention_processor import Attention

from core.models.networks import PerHeadAttention, use_per_head_attention
from tests.support.tiny_models import tiny_net


@pytest.mark.parametrize("groups", [None, 4])
@pytest.mark.parametrize("residual", [False, True])
def test_the_loop_over_heads_is_attention(groups, residual):
    torch.manual_seed(0)
    module = Attention(
        32,
        heads=4,
        dim_head=8,
        norm_num_groups=groups,
        residual_connection=residual,
        bias=True,
        rescale_output_factor=2,
    ).eval()
    x = torch.randn(2, 32, 6, 5)
    with torch.no_grad():
        expected = module(x)
        module.set_processor(PerHeadAttention())
        assert torch.allclose(module(x), expected, atol=1e-5)


def test_a_whole_network_gives_the_same_with_the_loop():
    x, label = torch.randn(2, 3, 16, 16), torch.tensor([1, 2])
    net = tiny_net()
    with torch.no_grad():
        expected = net(x, 10, label).sample
        assert use_per_head_attention(net) > 0
        assert torch.allclose(net(x, 10, label).sample, expected, atol=1e-5)


def test_wide_heads_keep_torchs_kernel():
    net = tiny_net()
    wide = [module for module in net.modules() if isinstance(module, Attention)]
    for module in wide:
        module.heads, module.inner_dim = 1, 64
    assert use_per_head_attention(net) == 0
