"""The space in which a network draws: pixels, or the latent images of an autoencoder; how either becomes a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from core.diffusers_parts import AutoencoderKL
from core.models.autoencoder import decode


@dataclass(frozen=True, slots=True, eq=False)
class LatentSpace:
    """An autoencoder ready to decode.

    Attributes
    ----------
    net
        On the device and in the number format of the network that draws.
    sketch
        What `sketched` computes with: weights (3, C) and bias (3,) for the colours of a latent pixel; None decodes.
    """

    net: AutoencoderKL
    sketch: tuple[Tensor, Tensor] | None = None

    @property
    def factor(self) -> int:
        """Pixels of a picture along one latent pixel."""
        return int(2 ** (len(self.net.config.block_out_channels) - 1))

    @torch.inference_mode()
    def pictures(self, latents: Tensor) -> Tensor:
        """Return the pictures (N, 3, H, W), float32, about -1..1, of latent images (N, C, h, w).

        They are decoded one by one: in another batch the last bits would differ.
        """
        reference = next(self.net.parameters())
        each = latents.to(reference).contiguous(memory_format=torch.channels_last).split(1)
        return torch.cat([decode(self.net, one).float() for one in each])

    def sketched(self, latents: Tensor) -> Tensor:
        """Return roughly the same pictures at hardly any cost: the colours of each latent pixel, smoothly enlarged."""
        if self.sketch is None:
            return self.pictures(latents)
        weight, bias = (tensor.to(latents) for tensor in self.sketch)
        colours = torch.einsum("rc,nchw->nrhw", weight, latents) + bias.view(1, 3, 1, 1)
        return interpolate(colours, scale_factor=self.factor, mode="bilinear", align_corners=False)


def fit_sketch(latents: Tensor, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Return the weights (3, C) and bias (3,) that best tell the mean colours below each latent pixel, least squares.

    Parameters
    ----------
    latents
        (N, C, h, w).
    pictures
        (N, 3, H, W) of floats.
    """
    colours = interpolate(pictures, size=latents.shape[-2:], mode="area").movedim(1, -1).reshape(-1, 3).double()
    values = latents.movedim(1, -1).reshape(-1, latents.shape[1]).double()
    values = torch.cat([values, torch.ones_like(values[:, :1])], dim=1)
    solved = torch.linalg.lstsq(values, colours).solution.float()
    return solved[:-1].T.contiguous(), solved[-1]


def sketch_to_json(sketch: tuple[Tensor, Tensor]) -> dict[str, Any]:
    """Return a sketch as a pack's `isicgui.json` keeps it."""
    weight, bias = sketch
    return {"weight": weight.tolist(), "bias": bias.tolist()}


def sketch_from_json(data: Mapping[str, Any] | None, channels: int) -> tuple[Tensor, Tensor] | None:
    """Return a sketch from a pack, or None if there is none or it is of another number of channels."""
    try:
        weight, bias = (torch.tensor(data[name], dtype=torch.float32) for name in ("weight", "bias"))  # type: ignore[index]
    except (TypeError, KeyError, ValueError):
        return None
    usable = (
        weight.shape == (3, channels) and bias.shape == (3,) and bool(weight.isfinite().all() and bias.isfinite().all())
    )
    return (weight, bias) if usable else None
