"""Multiply-adds, counted by hand and by the network."""

from __future__ import annotations

from pathlib import Path

import pytest
from diffusers import UNet2DModel

from diffusion.judgement import measure_cost


def test_equals_a_count_by_hand(tmp_path: Path):
    weights = tmp_path / "weights"
    weights.write_bytes(b"12345")
    net = UNet2DModel(
        sample_size=8, layers_per_block=1, block_out_channels=(4,), down_block_types=("DownBlock2D",),
        up_block_types=("UpBlock2D",), norm_num_groups=2, attention_head_dim=2,
    )  # fmt: skip
    pixels, time = 64, 16
    block = lambda inside: 9 * (inside * 4 + 4 * 4) * pixels + time * 4  # noqa: E731  two convolutions, one time projection
    convolutions = 9 * 3 * 4 * pixels + 9 * 4 * 3 * pixels  # first and last
    down, middle, up = block(4), 2 * block(4), 2 * (block(8) + 8 * 4 * pixels)
    attention = 2 * pixels * pixels * 4
    projections = 4 * 4 * 4 * pixels
    time_embedding = 4 * time + time * time
    cost = measure_cost(net, weights)
    assert cost.attention_gmac == pytest.approx(attention / 1e9)
    total = convolutions + down + middle + up + attention + projections + time_embedding
    assert cost.gmac == pytest.approx(total / 1e9)
    assert cost.parameters == sum(p.numel() for p in net.parameters())
    assert cost.bytes == 5
