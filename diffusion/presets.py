"""Named starting points of a training run: plain values, so that the command line knows them without a library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

PREDECESSOR_NETWORK: Final[Mapping[str, Any]] = {
    "image_size": 128,
    "widths": (64, 128, 256, 256),
    "layers_per_block": 2,
    "attention": (2,),
    "attention_head_dim": 8,
    "norm_groups": 32,
    "prediction_type": "epsilon",
    "beta_schedule": "squaredcos_cap_v2",
    "train_timesteps": 1000,
}
"""What every reader of `unet_<CLASS>_best.pth` takes for granted; kind = per_class can have no other network."""

_STARTER: Final[Mapping[str, Any]] = {
    "name": "isic7-128",
    "image_size": 128,
    "widths": (32, 64, 96, 128, 192, 256),
    "attention": (4, 5),
    "attention_head_dim": 64,
}

PRESETS: Final[Mapping[str, Mapping[str, Any]]] = {
    "quick": {
        "name": "quick",
        "image_size": 64,
        "widths": (32, 64, 96, 128),
        "attention": (3,),
        "attention_head_dim": 32,
        "images": 12_000,
        "max_minutes": 10,
        "learning_rate": 6e-4,
        "ema_decay": 0.998,
        "evaluate_images": 4_000,
        "samples_per_class": 8,
    },
    "starter": {
        **_STARTER,
        "images": 300_000,
        "half_size_share": 0.25,
        "evaluate_images": 20_000,
        "samples_per_class": 12,
    },
    "gpu": {
        **_STARTER,
        "widths": (64, 64, 128, 192, 256),
        "attention": (3, 4),
        "images": 2_000_000,
        "batch_size": 64,
        "dropout": 0.1,
        "ema_decay": 0.9999,
        "augmentation": 0.15,
        "evaluate_images": 100_000,
        "samples_per_class": 64,
        "workers": 4,
    },
    "predecessor": {
        **PREDECESSOR_NETWORK,
        "kind": "per_class",
        "name": "predecessor",
        "images": 25_000,
        "class_limit": 500,
        "batch_size": 2,
        "learning_rate": 1e-4,
        "warm_up": 0.0,
        "final_rate": 1.0,
        "weight_decay": 0.0,
        "gradient_clip": None,
        "ema_decay": 0.0,
        "label_dropout": 0.0,
        "min_snr_gamma": None,
        "evaluate_images": 25_000,
        "samples_per_class": 24,
    },
}
"""quick: minutes on a CPU. starter: the shipped network, on a CPU. gpu: 11 GMAC and 15.6 M parameters, for a GPU.
predecessor: the recipe of the original program without its augmentation, which coloured what it trained on."""


_LATENT: Final[Mapping[str, Any]] = {
    "image_size": 128,
    "widths": (128, 192),
    "attention": (1,),
    "attention_head_dim": 64,
    "prediction_type": "flow",
    "batch_size": 128,
    "learning_rate": 5e-4,
    "decay_share": 0.2,
    "final_rate": 0.02,
    "ema_decay": 0.9995,
}

LATENT_PRESETS: Final[Mapping[str, Mapping[str, Any]]] = {
    "quick": {
        **_LATENT,
        "name": "quick",
        "widths": (64, 128),
        "images": 60_000,
        "max_minutes": 10,
        "batch_size": 64,
        "evaluate_images": 20_000,
        "samples_per_class": 8,
    },
    "starter": {
        **_LATENT,
        "name": "isic7-latent",
        "images": 1_000_000,
        "evaluate_images": 50_000,
        "samples_per_class": 12,
    },
    "gpu": {
        **_LATENT,
        "name": "isic7-latent",
        "widths": (192, 320, 384),
        "attention": (1, 2),
        "images": 10_000_000,
        "batch_size": 256,
        "dropout": 0.1,
        "ema_decay": 0.9999,
        "evaluate_images": 500_000,
        "samples_per_class": 64,
        "workers": 4,
    },
}
"""The same with --latent: quick is minutes on a CPU, starter the shipped network (0.73 GMAC, 7.4 M parameters)."""


def one_network_a_class(preset: Mapping[str, Any]) -> dict[str, Any]:
    """Return a preset with one network for each class, which is ISICGenerator's, in place of its own network."""
    without = {"dropout": 0.0, "label_dropout": 0.0, "augmentation": 0.0, "guidance": 1.0}
    return {**preset, **PREDECESSOR_NETWORK, **without, "kind": "per_class"}
