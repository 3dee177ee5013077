"""The network and the noise schedule, both in the form in which diffusers saves and loads them."""

from __future__ import annotations

from diffusers import DDPMScheduler, UNet2DModel

from core.taxonomy import CLASSES
from diffusion.config import DiffusionConfig

NULL_CLASS = len(CLASSES)
"""Label of "no class in particular", learnt from dropped labels."""


def build_unet(config: DiffusionConfig) -> UNet2DModel:
    """Return a class-conditional UNet with random weights (15.8 M parameters at the default widths)."""
    plain = len(config.widths) - 2
    return UNet2DModel(
        sample_size=config.image_size,
        in_channels=3,
        out_channels=3,
        layers_per_block=1,
        block_out_channels=config.widths,
        down_block_types=("DownBlock2D",) * plain + ("AttnDownBlock2D",) * 2,
        up_block_types=("AttnUpBlock2D",) * 2 + ("UpBlock2D",) * plain,
        attention_head_dim=config.attention_head_dim,
        norm_num_groups=config.norm_groups,
        num_class_embeds=len(CLASSES) + 1,
    )


def build_scheduler() -> DDPMScheduler:
    """Return the cosine schedule of Nichol & Dhariwal (2021) with v-prediction (Salimans & Ho, 2022)."""
    return DDPMScheduler(
        num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction", clip_sample=True
    )
