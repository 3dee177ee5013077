"""A latent pack that the tests make for themselves: a random autoencoder of two levels and a random network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDPMScheduler, FlowMatchEulerDiscreteScheduler, UNet2DModel

from core.taxonomy import CLASS_CODES

MEAN, STD = [0.5, -1.0, 0.25, 2.0], [0.5, 2.0, 1.0, 0.75]


def write_tiny_autoencoder(folder: Path, *, seed: int = 0, **changes: Any) -> Path:
    """Write an autoencoder from 16 x 16 pixels to 4 channels of 8 x 8, and return its folder."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            block_out_channels=(4, 8),
            layers_per_block=1,
            latent_channels=4,
            norm_num_groups=2,
            sample_size=16,
            scaling_factor=1.0,
            mid_block_add_attention=False,
        )
    net.register_to_config(latents_mean=MEAN, latents_std=STD)
    net.save_pretrained(folder)
    if changes:
        path = folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}), encoding="utf-8")
    return folder


def write_tiny_latent_pack(folder: Path, *, flow: bool = True, seed: int = 0, sketch: Any = None) -> Path:
    """Write a pack in the layout of a pipeline, and return its folder."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = UNet2DModel(
            sample_size=8,
            in_channels=4,
            out_channels=4,
            layers_per_block=1,
            block_out_channels=(8, 16),
            down_block_types=("DownBlock2D", "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", "UpBlock2D"),
            attention_head_dim=8,
            norm_num_groups=4,
            num_class_embeds=8,
        )
    net.save_pretrained(folder / "unet")
    schedule = (
        FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=1.5)
        if flow
        else DDPMScheduler(beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction", clip_sample_range=6.0)
    )
    schedule.save_pretrained(folder / "scheduler")
    write_tiny_autoencoder(folder / "vae", seed=seed)
    about = {
        "format": 1,
        "name": folder.name,
        "classes": list(CLASS_CODES),
        "null_class": 7,
        "recommended": {"sampler": "euler", "steps": 5, "guidance": 1.5, "color": False},
    }
    (folder / "isicgui.json").write_text(json.dumps(about if sketch is None else {**about, "sketch": sketch}))
    return folder
