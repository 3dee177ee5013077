"""The network and the noise schedule, both in the form in which diffusers saves and loads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from core.diffusers_parts import DDPMScheduler, FlowMatchEulerDiscreteScheduler, UNet2DModel
from core.errors import UsageError
from core.message import Message
from core.schedulers import is_flow
from diffusion.config import DiffusionConfig

NoiseSchedule: TypeAlias = DDPMScheduler | FlowMatchEulerDiscreteScheduler

LATENT_RANGE: Final = 6.0
"""Largest value of a latent image that is sampled; channels have mean 0 and deviation 1."""


def build_unet(config: DiffusionConfig, shape: tuple[int, int] | None = None) -> UNet2DModel:
    """Return the UNet of a configuration with random weights; without labels if each class has its own.

    Parameters
    ----------
    shape
        Channels and side of latent images; those of the photographs if None.

    Raises
    ------
    UsageError
        If the levels of the network halve the side more often than it can be halved.
    """
    channels, side = shape or (3, config.image_size)
    if side % 2 ** (len(config.widths) - 1):
        raise UsageError(
            Message(
                "A latent image of {side} x {side} cannot be halved {detail} times.",
                side=side,
                detail=len(config.widths) - 1,
            ),
            remedy=Message("Give widths fewer levels."),
        )
    has_attention = [level in config.attention for level in range(len(config.widths))]
    return UNet2DModel(
        sample_size=side,
        in_channels=channels,
        out_channels=channels,
        layers_per_block=config.layers_per_block,
        block_out_channels=config.widths,
        down_block_types=tuple("AttnDownBlock2D" if here else "DownBlock2D" for here in has_attention),
        up_block_types=tuple("AttnUpBlock2D" if here else "UpBlock2D" for here in reversed(has_attention)),
        attention_head_dim=config.attention_head_dim,
        norm_num_groups=config.norm_groups,
        dropout=config.dropout,
        num_class_embeds=None if config.kind == "per_class" else config.labels,
    )


def noise_schedule(config: Mapping[str, Any]) -> NoiseSchedule:
    """Return the noise schedule that a pack's scheduler configuration describes."""
    kind = FlowMatchEulerDiscreteScheduler if is_flow(config) else DDPMScheduler
    made: NoiseSchedule = kind.from_config(dict(config))
    return made


def build_scheduler(config: DiffusionConfig) -> NoiseSchedule:
    """Return the noise schedule of a configuration."""
    if config.prediction_type == "flow":
        return FlowMatchEulerDiscreteScheduler(num_train_timesteps=config.train_timesteps, shift=config.time_shift)
    return DDPMScheduler(
        num_train_timesteps=config.train_timesteps,
        beta_schedule=config.beta_schedule,
        prediction_type=config.prediction_type,
        clip_sample=True,
        clip_sample_range=1.0 if config.autoencoder is None else LATENT_RANGE,
    )
