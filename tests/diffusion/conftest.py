"""A network, a configuration and a pool of pictures small enough for tests."""

from __future__ import annotations

import pytest
import torch

from diffusion.config import DiffusionConfig
from diffusion.data import ImagePool


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def config() -> DiffusionConfig:
    return DiffusionConfig(
        image_size=16,
        widths=(8, 16, 16),
        attention_head_dim=8,
        norm_groups=4,
        images=80,
        batch_size=8,
        learning_rate=2e-3,
        precision="fp32",
    )


@pytest.fixture
def pool() -> ImagePool:
    generator = torch.Generator().manual_seed(5)
    coarse = torch.randint(256, (8, 3, 2, 2), generator=generator, dtype=torch.uint8)
    return ImagePool.of(coarse.repeat_interleave(8, 2).repeat_interleave(8, 3), torch.arange(8) % 7, 0.5)
