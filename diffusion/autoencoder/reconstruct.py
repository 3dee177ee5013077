"""Photographs through an autoencoder and back."""

from __future__ import annotations

from typing import Final

import torch
from PIL import Image
from torch import Tensor

from core.diffusers_parts import AutoencoderKL
from core.models.networks import decode_natural
from core.precision import Precision
from diffusion.autoencoder.statistics import latent_means
from diffusion.evaluation import autocast
from measures.pictures import tile

COLUMNS: Final = 8


def reconstruct(net: AutoencoderKL, pixels: Tensor, precision: Precision = "fp32") -> Tensor:
    """Return what is decoded from the posterior's mean of pictures (N, 3, H, W); both uint8, on the CPU."""
    made = []
    for latents in latent_means(net, pixels, precision):
        with torch.no_grad(), autocast(latents.device, precision):
            pictures = decode_natural(net, latents)
        made.append(((pictures.float() + 1) * 127.5).round().clamp(0, 255).byte().cpu())
    return torch.cat(made)


def reconstruction_sheet(pixels: Tensor, made: Tensor) -> Image.Image:
    """Return a picture in which each row of photographs has its reconstructions in the row below."""
    rows = [row for pair in zip(pixels.split(COLUMNS), made.split(COLUMNS), strict=True) for row in pair]
    return tile(torch.cat(rows), COLUMNS)
