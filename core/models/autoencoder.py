"""Autoencoders of latent packs: read safely, and the one rule by which their latents are normalised.

A denoiser works on ``(z - latents_mean) / latents_std``, the numbers being those of `config.json`, one for each
channel; its result is decoded as ``z * latents_std + latents_mean``. `scaling_factor` is 1 and `shift_factor` absent,
so nothing else is ever multiplied or added; an autoencoder of another habit is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from core.diffusers_parts import AutoencoderKL
from core.errors import ModelArchitectureError, ModelMissingError
from core.message import Message
from core.models.checkpoint import empty_net, fill, read_state
from core.models.config_schema import why_no_autoencoder
from core.models.weights_file import read_json

CONFIG_FILE: Final = "config.json"
WEIGHTS_FILE: Final = "diffusion_pytorch_model.safetensors"


def read_autoencoder(folder: Path, dtype: torch.dtype = torch.float32) -> AutoencoderKL:
    """Return the autoencoder in a folder that diffusers wrote, on the CPU, frozen and in evaluation mode.

    Raises
    ------
    ModelRefusedError
        One of its subclasses: there is none, its files are damaged, or it is of a kind that is not used here.
    """
    config_file, weights = folder / CONFIG_FILE, folder / WEIGHTS_FILE
    if not (config_file.is_file() and weights.is_file()):
        raise ModelMissingError(
            Message("There is no autoencoder in {folder}.", folder=folder),
            remedy=Message("Name a folder with {config} and {weights}.", config=CONFIG_FILE, weights=WEIGHTS_FILE),
            path=folder,
        )
    try:
        config = read_json(config_file)
    except ValueError as error:
        raise _refused(folder, str(error.args[0])) from error
    kind = config.get("_class_name", "AutoencoderKL")
    why = f"it is a {str(kind)[:60]}" if kind != "AutoencoderKL" else why_no_autoencoder(config)
    if why:
        raise _refused(folder, why)
    return fill(empty_net(AutoencoderKL, config, weights), read_state(weights), dtype, weights)


def normalised(net: AutoencoderKL, latents: Tensor) -> Tensor:
    """Return latents (N, C, h, w) as denoisers see them: mean 0 and deviation 1 in each channel."""
    mean, std = _statistics(net, latents)
    return (latents - mean) / std


def natural(net: AutoencoderKL, latents: Tensor) -> Tensor:
    """Undo `normalised`: what the decoder takes."""
    mean, std = _statistics(net, latents)
    return latents * std + mean


def encode(net: AutoencoderKL, pictures: Tensor) -> Tensor:
    """Return the normalised latents (N, C, h, w) of pictures (N, 3, H, W) in -1..1: the posterior's mean."""
    return normalised(net, moments_of(net, pictures).chunk(2, dim=1)[0].float())


def decode(net: AutoencoderKL, latents: Tensor) -> Tensor:
    """Return the pictures (N, 3, H, W), about -1..1, of normalised latents (N, C, h, w)."""
    return decode_natural(net, natural(net, latents))


def moments_of(net: AutoencoderKL, pictures: Tensor) -> Tensor:
    """Return the posterior's mean and log variance (N, 2 C, h, w) of pictures; not normalised."""
    moments: Tensor = net.quant_conv(net.encoder(pictures))
    return moments


def decode_natural(net: AutoencoderKL, latents: Tensor) -> Tensor:
    """Return the pictures of latents that are not normalised."""
    pictures: Tensor = net.decoder(net.post_quant_conv(latents))
    return pictures


def _statistics(net: AutoencoderKL, like: Tensor) -> tuple[Tensor, Tensor]:
    mean, std = (like.new_tensor(net.config[name]).view(1, -1, 1, 1) for name in ("latents_mean", "latents_std"))
    return mean, std


def _refused(folder: Path, why: str) -> ModelArchitectureError:
    return ModelArchitectureError(
        Message("The autoencoder in {folder} cannot be used: {why}.", folder=folder, why=why),
        remedy=Message("Use one that 'train autoencoder' wrote."),
        path=folder,
    )
