"""What a network's and a scheduler's configuration may say, checked before anything is built from it.

Diffusers builds what it is told: with 10^9 timesteps it fills arrays for hours, with a wide enough network it takes all
memory. The limits are far beyond every network and schedule that can draw here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError, model_validator

from core.files.reading import Schema, first_problem

MAX_LEVELS: Final = 8
MAX_TIMESTEPS: Final = 100_000
MAX_ATTENDED_SIDE: Final = 128
"""In pixels, at the level where attention is computed: its cost grows with the fourth power."""

_Side = Annotated[int, Field(ge=1, le=1024)]
_Width = Annotated[int, Field(ge=1, le=4096)]
_Colours = Annotated[int, Field(ge=3, le=3)]
_Count = Annotated[int, Field(ge=1, le=10_000)]
_Name = Annotated[str, Field(max_length=64)]
_Factor = Annotated[float, Field(gt=0, le=1000)]
_Beta = Annotated[float, Field(gt=0, lt=1)]
_Timesteps = Annotated[int, Field(ge=1, le=MAX_TIMESTEPS)]
_Levels = Field(min_length=1, max_length=MAX_LEVELS)


class NetworkConfig(Schema):
    """`config.json` of a UNet2DModel; `None` and what is left out is diffusers' default, where there is one."""

    sample_size: _Side
    in_channels: Annotated[int, Field(ge=1, le=64)] = 3
    out_channels: Annotated[int, Field(ge=1, le=64)] = 3
    center_input_sample: bool = False
    time_embedding_type: Literal["positional", "fourier", "learned"] = "positional"
    time_embedding_dim: _Count | None = None
    freq_shift: Annotated[float, Field(ge=0, le=1)] = 0
    flip_sin_to_cos: bool = True
    down_block_types: Annotated[list[_Name], _Levels]
    mid_block_type: _Name | None = None
    up_block_types: Annotated[list[_Name], _Levels]
    block_out_channels: Annotated[list[_Width], _Levels]
    layers_per_block: Annotated[int, Field(ge=1, le=16)]
    mid_block_scale_factor: _Factor = 1
    downsample_padding: Annotated[int, Field(ge=0, le=2)] = 1
    downsample_type: _Name = "conv"
    upsample_type: _Name = "conv"
    dropout: Annotated[float, Field(ge=0, le=1)] = 0
    act_fn: _Name = "silu"
    attention_head_dim: _Width | None = None
    norm_num_groups: _Width = 32
    attn_norm_num_groups: _Width | None = None
    norm_eps: Annotated[float, Field(gt=0, le=1)] = 1e-5
    resnet_time_scale_shift: _Name = "default"
    add_attention: bool = True
    class_embed_type: _Name | None = None
    num_class_embeds: _Count | None = None
    num_train_timesteps: _Timesteps | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> NetworkConfig:
        levels = len(self.block_out_channels)
        if not levels == len(self.down_block_types) == len(self.up_block_types):
            raise ValueError("block_out_channels, down_block_types and up_block_types differ in length")
        if self.sample_size % 2 ** (levels - 1):
            raise ValueError(f"sample_size {self.sample_size} cannot be halved {levels - 1} times")
        down, up = ("Attn" in "".join(names) for names in (self.down_block_types, self.up_block_types))
        if (down or up) and self._attended_side() > MAX_ATTENDED_SIDE:
            raise ValueError(f"attention over {self._attended_side()} x {self._attended_side()} pixels")
        return self

    def _attended_side(self) -> int:
        """Return the side of the largest level with attention."""
        pairs = zip(self.down_block_types, reversed(self.up_block_types), strict=True)
        first = next((level for level, names in enumerate(pairs) if "Attn" in "".join(names)), 0)
        return self.sample_size // 2**first


class AutoencoderNetworkConfig(Schema):
    """`config.json` of a convolutional AutoencoderKL, with the mean and the deviation of each latent channel."""

    in_channels: _Colours = 3
    out_channels: _Colours = 3
    down_block_types: Annotated[list[Literal["DownEncoderBlock2D"]], _Levels]
    up_block_types: Annotated[list[Literal["UpDecoderBlock2D"]], _Levels]
    block_out_channels: Annotated[list[_Width], _Levels]
    layers_per_block: Annotated[int, Field(ge=1, le=16)] = 1
    act_fn: Literal["silu"] = "silu"
    latent_channels: Annotated[int, Field(ge=1, le=64)]
    norm_num_groups: _Width = 32
    sample_size: _Side
    scaling_factor: Annotated[float, Field(ge=1, le=1)] = 1
    shift_factor: Annotated[float, Field(ge=0, le=0)] | None = None
    latents_mean: list[float]
    latents_std: list[Annotated[float, Field(gt=0)]]
    use_quant_conv: Literal[True] = True
    use_post_quant_conv: Literal[True] = True
    mid_block_add_attention: bool = True

    @model_validator(mode="after")
    def _fits_together(self) -> AutoencoderNetworkConfig:
        if not len(self.block_out_channels) == len(self.down_block_types) == len(self.up_block_types):
            raise ValueError("block_out_channels, down_block_types and up_block_types differ in length")
        if not len(self.latents_mean) == len(self.latents_std) == self.latent_channels:
            raise ValueError(f"latents_mean and latents_std must have {self.latent_channels} numbers each")
        return self


class SchedulerConfig(Schema):
    """`scheduler_config.json` of any diffusers scheduler, as far as it is used here."""

    num_train_timesteps: _Timesteps = 1000
    beta_start: _Beta = 1e-4
    beta_end: _Beta = 0.02
    beta_schedule: Literal["linear", "scaled_linear", "squaredcos_cap_v2", "laplace", "sigmoid"] = "linear"
    trained_betas: Annotated[list[_Beta], Field(min_length=1, max_length=MAX_TIMESTEPS)] | None = None
    variance_type: Literal["fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log"] = "fixed_small"
    clip_sample: bool = True
    prediction_type: Annotated[str, Field(max_length=64)] = "epsilon"
    thresholding: bool = False
    dynamic_thresholding_ratio: Annotated[float, Field(gt=0, le=1)] = 0.995
    clip_sample_range: _Factor = 1
    sample_max_value: _Factor = 1
    timestep_spacing: Literal["linspace", "leading", "trailing"] = "leading"
    steps_offset: Annotated[int, Field(ge=0, le=MAX_TIMESTEPS)] = 0
    rescale_betas_zero_snr: bool = False
    shift: _Factor = 1
    flow_shift: _Factor = 1
    use_dynamic_shifting: Literal[False] = False
    shift_terminal: Literal[None] = None
    invert_sigmas: Literal[False] = False

    @model_validator(mode="after")
    def _one_beta_for_each_timestep(self) -> SchedulerConfig:
        if self.trained_betas is not None and len(self.trained_betas) != self.num_train_timesteps:
            raise ValueError(f"{len(self.trained_betas)} trained_betas for {self.num_train_timesteps} timesteps")
        return self


class Recommended(Schema):
    """What the maker of a pack recommends to sample with."""

    sampler: _Name | None = None
    steps: Annotated[int, Field(ge=1, le=1000)] | None = None
    guidance: Annotated[float, Field(ge=0, le=50)] | None = None
    color: bool | None = None


def why_no_network(config: Mapping[str, Any]) -> str:
    """Return why no network is built from a configuration, in a few words, or "" if one may be."""
    return _problem(NetworkConfig, config)


def why_no_autoencoder(config: Mapping[str, Any]) -> str:
    """Return why no autoencoder is built from a configuration, in a few words, or "" if one may be."""
    return _problem(AutoencoderNetworkConfig, config)


def why_no_scheduler(config: Mapping[str, Any]) -> str:
    """Return why no scheduler is built from a configuration, in a few words, or "" if one may be."""
    return _problem(SchedulerConfig, {key: value for key, value in config.items() if value is not None})


def why_no_advice(recommended: object) -> str:
    """Return why what a pack recommends cannot be followed, in a few words, or "" if it can."""
    return _problem(Recommended, recommended)


def _problem(schema: type[Schema], config: object) -> str:
    try:
        schema.model_validate(config)
    except ValidationError as error:
        return first_problem(error)
    return ""
