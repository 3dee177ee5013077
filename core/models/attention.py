"""Attention for networks with many narrow heads, which torch's fused kernel computes slowly in bf16 on CPUs."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from core.diffusers_parts import Attention, UNet2DModel

NARROW: Final = 16
"""Head widths up to this are worth the loop (the predecessor's heads are 8 wide; see benchmarks/bench_step.py)."""


class PerHeadAttention:
    """Self-attention of a UNet2DModel, one head after the other: softmax(q k^T / sqrt(d)) v.

    Only what `UNet2DModel` builds is handled: self-attention over the pixels of one feature map. The arguments after
    the feature map are part of diffusers' protocol and always None there.
    """

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """Return the attended feature map, shape (B, C, H, W) as given."""
        pixels = hidden_states.flatten(2).transpose(1, 2)
        if attn.group_norm is not None:
            pixels = attn.group_norm(hidden_states.flatten(2)).transpose(1, 2)
        query, key, value = attn.to_q(pixels), attn.to_k(pixels), attn.to_v(pixels)
        heads = [
            _attend(q, k, v, attn.scale)
            for q, k, v in zip(*(t.chunk(attn.heads, dim=-1) for t in (query, key, value)), strict=True)
        ]
        out = attn.to_out[0](torch.cat(heads, dim=-1))
        out = out.transpose(1, 2).reshape(hidden_states.shape)
        if attn.residual_connection:
            out = out + hidden_states
        return out / attn.rescale_output_factor


def _attend(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    return torch.softmax((query * scale) @ key.transpose(-1, -2), dim=-1) @ value


def use_per_head_attention(net: UNet2DModel) -> int:
    """Give every narrow-headed attention of a network the loop, and return how many there were."""
    narrow = [m for m in net.modules() if isinstance(m, Attention) and _width(m) <= NARROW]
    for module in narrow:
        module.set_processor(PerHeadAttention())
    return len(narrow)


def _width(module: Attention) -> int:
    return module.inner_dim // module.heads
