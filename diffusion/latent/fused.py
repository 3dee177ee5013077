"""The forward and backward pass of a UNet2DModel in bf16 on a CPU, with fewer passes over memory than diffusers' own.

Convolutions are quickest with channels last, but torch's group normalisation then takes ten times as long as they do
(measured with 2.15 on a processor with AMX). Here normalisation, the time embedding before it and the activation after
it are one operation with a derivative of its own, upsampling repeats pixels without changing the layout, and attention
is two matrix products. Weights, names and results stay those of diffusers, up to rounding.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn
from torch.nn.functional import silu

from core.diffusers_parts import Attention, UNet2DModel

_PARTS: Final = 8
"""Partial sums in which a feature map is added up, so that rounding each of them to bf16 does no harm."""


class FusedResnetBlock(ResnetBlock2D):  # type: ignore[misc]  # diffusers has no annotations
    """`ResnetBlock2D` as UNet2DModel builds it: time embedding added, no resampling, SiLU."""

    def forward(self, input_tensor: Tensor, temb: Tensor, *_: Any, **__: Any) -> Tensor:
        """Return the block's output for (N, C, H, W) and its time embedding (N, T)."""
        hidden = self.conv1(normalise(input_tensor, self.norm1))
        hidden = normalise(hidden, self.norm2, self.time_emb_proj(silu(temb)))
        hidden = self.conv2(self.dropout(hidden))
        shortcut = input_tensor if self.conv_shortcut is None else self.conv_shortcut(input_tensor)
        result: Tensor = shortcut + hidden
        return result


class FusedUpsample(Upsample2D):  # type: ignore[misc]
    """`Upsample2D` with a convolution, to twice the side."""

    def forward(self, hidden_states: Tensor, *_: Any, **__: Any) -> Tensor:
        """Return (N, C, 2 H, 2 W)."""
        count, channels, height, width = hidden_states.shape
        pixels = hidden_states.permute(0, 2, 3, 1)[:, :, None, :, None]
        larger = pixels.expand(count, height, 2, width, 2, channels).reshape(count, 2 * height, 2 * width, channels)
        result: Tensor = self.conv(larger.permute(0, 3, 1, 2))
        return result


class FusedNorm(nn.GroupNorm):
    """A group normalisation with the SiLU that follows it."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise and activate (N, C, H, W)."""
        return normalise(input, self)


class FusedAttention:
    """Self-attention over the pixels of one feature map, as a processor of diffusers."""

    def __call__(
        self, attn: Attention, hidden_states: Tensor, temb: Tensor | None = None, *_: Any, **__: Any
    ) -> Tensor:
        """Return the attended feature map, shape (N, C, H, W) as given."""
        count, channels, height, width = hidden_states.shape
        heads, length = attn.heads, height * width
        pixels = normalise(hidden_states, attn.group_norm, active=False).permute(0, 2, 3, 1)
        pixels = pixels.reshape(count, length, channels)

        def by_head(values: Tensor) -> Tensor:
            return values.view(count, length, heads, -1).transpose(1, 2).reshape(count * heads, length, -1)

        query, key, value = (by_head(project(pixels)) for project in (attn.to_q, attn.to_k, attn.to_v))
        weights = torch.softmax(torch.bmm(query * attn.scale, key.transpose(1, 2)), dim=-1)
        seen = torch.bmm(weights.to(value.dtype), value).view(count, heads, length, -1).transpose(1, 2)
        out = attn.to_out[0](seen.reshape(count, length, channels)).view(count, height, width, channels)
        result: Tensor = (out.permute(0, 3, 1, 2) + hidden_states) / attn.rescale_output_factor
        return result


def fuse(net: UNet2DModel) -> UNet2DModel:
    """Give a network of `build_unet` these passes, in place, its weights with channels last; return it."""
    for module in net.modules():
        if type(module) is ResnetBlock2D:
            module.__class__ = FusedResnetBlock
        elif type(module) is Upsample2D:
            module.__class__ = FusedUpsample
        elif type(module) is Attention:
            module.set_processor(FusedAttention())
    net.conv_norm_out.__class__ = FusedNorm
    net.conv_act = nn.Identity()
    return net.to(memory_format=torch.channels_last)


def normalise(x: Tensor, norm: nn.GroupNorm, shift: Tensor | None = None, *, active: bool = True) -> Tensor:
    """Return silu(norm(x + shift)), or the same without SiLU.

    Parameters
    ----------
    x
        (N, C, H, W), quickest with channels last.
    shift
        (N, C), the same for all pixels.
    """
    result: Tensor = _Normalise.apply(x, shift, norm.weight, norm.bias, norm.num_groups, norm.eps, active)
    return result


class _Normalise(torch.autograd.Function):
    """silu(scale * x + offset) for each image and channel, both numbers from the sums of x and of its square."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, shift: Tensor | None, weight: Tensor, bias: Tensor, groups: int, eps: float, active: bool
    ) -> Tensor:
        pixels, size = _pixels(x), x.shape[2] * x.shape[3]
        sums, squares = _over_space(pixels), _over_space(pixels * pixels)
        if shift is not None:
            own = shift.float()
            squares, sums = squares + 2 * own * sums + size * own * own, sums + size * own
        mean = _in_group(sums, groups) / size
        variance = (_in_group(squares, groups) / size - mean * mean).clamp(min=0)
        deviation = torch.rsqrt(variance + eps)  # its reciprocal
        scale = deviation * weight.float()
        mean = mean if shift is None else mean - shift.float()
        offset = bias.float() - mean * scale
        ctx.save_for_backward(pixels, weight, mean, deviation, scale, offset)
        ctx.about = groups, active, shift is not None
        result = _affine(pixels, scale, offset)
        return _image(silu(result) if active else result, x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        pixels, weight, mean, deviation, scale, offset = ctx.saved_tensors
        groups, active, has_shift = ctx.about
        gradient, size = _pixels(gradients[0]).to(pixels.dtype), pixels.shape[1]
        if active:
            gradient = torch.ops.aten.silu_backward(gradient, _affine(pixels, scale, offset))
        by_bias = _over_space(gradient)
        by_weight = deviation * (_over_space(gradient * pixels) - mean * by_bias)
        own = weight.float()
        slope = -deviation.square() * _in_group(by_weight * own, groups) / size
        rest = -deviation * _in_group(by_bias * own, groups) / size - slope * mean
        by_input = torch.addcmul(_affine(pixels, slope, rest), gradient, scale[:, None].to(pixels.dtype))
        by_shift = _over_space(by_input).to(pixels.dtype) if has_shift else None
        return _image(by_input, gradients[0]), by_shift, by_weight.sum(0), by_bias.sum(0), None, None, None


def _pixels(x: Tensor) -> Tensor:
    """Return (N, C, H, W) as (N, H W, C); no copy with channels last."""
    return x.permute(0, 2, 3, 1).reshape(len(x), -1, x.shape[1])


def _image(pixels: Tensor, like: Tensor) -> Tensor:
    count, channels, height, width = like.shape
    return pixels.view(count, height, width, channels).permute(0, 3, 1, 2)


def _affine(pixels: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
    return torch.addcmul(offset[:, None].to(pixels.dtype), pixels, scale[:, None].to(pixels.dtype))


def _over_space(pixels: Tensor) -> Tensor:
    """Return the sums over the pixels of (N, P, C), float32 (N, C)."""
    parts = _PARTS if pixels.shape[1] % _PARTS == 0 else 1
    return pixels.reshape(len(pixels), parts, -1, pixels.shape[2]).sum(2).float().sum(1)


def _in_group(values: Tensor, groups: int) -> Tensor:
    """Return the mean over the channels of each group of (N, C), for each channel of it."""
    count, channels = values.shape
    return values.view(count, groups, -1).mean(2).repeat_interleave(channels // groups, 1)
