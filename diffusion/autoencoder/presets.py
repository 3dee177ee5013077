"""Starting points for an autoencoder's settings; a file and flags win over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

PRESETS: Final[Mapping[str, Mapping[str, Any]]] = {
    "quick": {
        "name": "quick-autoencoder",
        "image_size": 64,
        "widths": (16, 32, 64, 64),
        "images": 3_000,
        "max_minutes": 8,
        "evaluate_images": 1_000,
    },
    "cpu": {"name": "isic-f8c8", "images": 100_000, "max_minutes": 240, "batch_size": 1, "learning_rate": 4e-4},
    "gpu": {
        "name": "isic-f8c8",
        "widths": (64, 128, 256, 256),
        "layers_per_block": 2,
        "images": 1_000_000,
        "batch_size": 32,
        "learning_rate": 4e-4,
        "ema_decay": 0.9995,
        "discriminator_width": 64,
        "evaluate_images": 50_000,
    },
}
"""quick: minutes on two cores. cpu: the shipped network. gpu: 20 times its computation, for a GPU."""
