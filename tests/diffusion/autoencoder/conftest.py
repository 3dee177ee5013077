"""An autoencoder, settings and photographs small enough for tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from diffusion.autoencoder.config import AutoencoderConfig
from diffusion.autoencoder.data import PictureData
from diffusion.draws import ImageSet
from photographs.splits import Leakage

TINY: dict[str, Any] = {
    "image_size": 16,
    "latent_channels": 2,
    "widths": (8, 8),
    "norm_groups": 4,
    "images": 24,
    "batch_size": 4,
    "learning_rate": 2e-3,
    "perceptual_weight": 0.0,
    "discriminator_width": 4,
    "precision": "fp32",
    "device": "cpu",
    "tracker": "none",
    "evaluate_images": 10**6,
}


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make_config() -> Callable[..., AutoencoderConfig]:
    return lambda **changes: AutoencoderConfig.model_validate({**TINY, **changes})


@pytest.fixture
def config(make_config: Callable[..., AutoencoderConfig]) -> AutoencoderConfig:
    return make_config()


def photographs(count: int = 12, seed: int = 0, side: int = 16) -> ImageSet:
    """Return noise pictures, each of its own brightness."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randint(0, 40, (count, 3, side, side), generator=generator)
    return ImageSet((noise + 15 * torch.arange(count).view(-1, 1, 1, 1)).to(torch.uint8), torch.arange(count) % 3)


@pytest.fixture
def data() -> PictureData:
    counts = {"train": {"MEL": 12}, "validation": {"MEL": 4}, "test": {}}
    return PictureData(
        Path("photos"), photographs(), photographs(4, seed=1), (), Leakage(4, 0, 0.0, True), "f00d", "none", "", counts,
        (),
    )  # fmt: skip


def parameters(net: torch.nn.Module) -> torch.Tensor:
    """Return all parameters in a row."""
    return torch.cat([p.detach().flatten() for p in net.parameters()])
