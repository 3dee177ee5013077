"""Group normalisation whose backward pass does not waste the processor.

torch's own, in bf16 and with channels last, takes ten times as long backwards as forwards on a CPU (measured with
2.15), more than all convolutions of an autoencoder together. This one computes the same derivative with two matrix
products and two passes over the values.
"""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import Tensor, nn

Net = TypeVar("Net", bound=nn.Module)


class FastGroupNorm(nn.GroupNorm):
    """`torch.nn.GroupNorm` with another backward pass; the state dict and the forward values are the same."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (N, C, H, W)."""
        result: Tensor = _GroupNorm.apply(input, self.weight, self.bias, self.num_groups, self.eps)
        return result


class _GroupNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, groups: int, eps: float) -> Tensor:
        count, channels, height, width = x.shape
        # weights stay fp32 beside bf16 values: mean and deviation would be rounded to the weights' format
        y, mean, rstd = torch.native_group_norm(x, weight, bias, count, channels, height * width, groups, eps)
        ctx.save_for_backward(x, weight, mean, rstd)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        x, weight, mean, rstd = ctx.saved_tensors
        gradient = gradients[0]
        count, channels = x.shape[:2]
        groups = mean.shape[1]
        size = x[0].numel() // groups
        sums = _over_space(gradient)
        mean, rstd = (t.float().repeat_interleave(channels // groups, 1) for t in (mean, rstd))
        by_scale = (_over_space(gradient * x) - mean * sums) * rstd

        def in_group(values: Tensor) -> Tensor:
            means = (values * weight).view(count, groups, -1).sum(2) / size
            return means.repeat_interleave(channels // groups, 1)

        slope = -rstd.square() * in_group(by_scale)
        offset = -rstd * in_group(sums) - slope * mean
        scale, slope, offset = (t.to(x.dtype).view(count, channels, 1, 1) for t in (rstd * weight, slope, offset))
        by_input = torch.addcmul(torch.addcmul(offset, gradient, scale), x, slope)
        return by_input, by_scale.sum(0), sums.sum(0), None, None


def _over_space(values: Tensor) -> Tensor:
    """Return the sums over height and width of (N, C, H, W), float32 (N, C); a matrix product is the quickest."""
    flat = values.permute(0, 2, 3, 1).flatten(1, 2)
    ones = torch.ones(1, 1, 1, dtype=flat.dtype, device=flat.device).expand(len(flat), 1, flat.shape[1])
    return torch.bmm(ones, flat).float().squeeze(1)


def quicken(net: Net) -> Net:
    """Give every group normalisation of a network on a CPU this backward pass, in place; return the network."""
    for module in net.modules():
        if type(module) is nn.GroupNorm:
            module.__class__ = FastGroupNorm
    return net
