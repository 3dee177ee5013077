"""The network and the noise schedule, both in the form in which diffusers saves and loads them."""

from __future__ import annotations

from core.diffusers_parts import DDPMScheduler, UNet2DModel
from diffusion.config import DiffusionConfig


def build_unet(config: DiffusionConfig) -> UNet2DModel:
    """Return the UNet of a configuration with random weights; without labels if each class has its own."""
    has_attention = [level in config.attention for level in range(len(config.widths))]
    return UNet2DModel(
        sample_size=config.image_size,
        in_channels=3,
        out_channels=3,
        layers_per_block=config.layers_per_block,
        block_out_channels=config.widths,
        down_block_types=tuple("AttnDownBlock2D" if here else "DownBlock2D" for here in has_attention),
        up_block_types=tuple("AttnUpBlock2D" if here else "UpBlock2D" for here in reversed(has_attention)),
        attention_head_dim=config.attention_head_dim,
        norm_num_groups=config.norm_groups,
        dropout=config.dropout,
        num_class_embeds=None if config.kind == "per_class" else config.labels,
    )


def build_scheduler(config: DiffusionConfig) -> DDPMScheduler:
    """Return the noise schedule of a configuration."""
    return DDPMScheduler(
        num_train_timesteps=config.train_timesteps,
        beta_schedule=config.beta_schedule,
        prediction_type=config.prediction_type,
        clip_sample=True,
    )
