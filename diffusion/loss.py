"""What the network is asked to predict, and how much each timestep counts."""

from __future__ import annotations

import torch
from diffusers import DDPMScheduler, UNet2DModel
from torch import Tensor


def signal_to_noise(scheduler: DDPMScheduler, timesteps: Tensor) -> Tensor:
    """Return alpha_bar / (1 - alpha_bar) at each timestep, float32."""
    alpha_bar = scheduler.alphas_cumprod.to(timesteps.device)[timesteps].float()
    return alpha_bar / (1 - alpha_bar)


def min_snr_weight(snr: Tensor, gamma: float) -> Tensor:
    """Return the loss weight min(snr, gamma) / (snr + 1) of v-prediction (Hang et al., 2023, arXiv:2303.09556)."""
    return snr.clamp(max=gamma) / (snr + 1)


def stratified_timesteps(count: int, total: int, generator: torch.Generator) -> Tensor:
    """Return `count` timesteps, one from each of `count` equal parts of 0..total-1, in random order.

    Each one alone is uniform; together they cover the range, which lowers the variance of the loss.
    """
    offsets = (torch.arange(count) + torch.rand(count, generator=generator)) / count
    return (offsets * total).long().clamp(max=total - 1)[torch.randperm(count, generator=generator)]


def diffusion_loss(
    net: UNet2DModel,
    scheduler: DDPMScheduler,
    pixels: Tensor,
    labels: Tensor,
    gamma: float,
    generator: torch.Generator,
) -> Tensor:
    """Return the weighted mean squared error of one batch.

    Parameters
    ----------
    pixels
        (N, 3, H, W) float32 in -1..1.
    labels
        (N,) int64, 0..7.
    generator
        A CPU generator: timesteps and noise come from it alone.
    """
    timesteps = stratified_timesteps(len(pixels), scheduler.config.num_train_timesteps, generator).to(pixels.device)
    noise = torch.randn(pixels.shape, generator=generator).to(pixels.device)
    noisy = scheduler.add_noise(pixels, noise, timesteps)
    target = scheduler.get_velocity(pixels, noise, timesteps)
    prediction = net(noisy, timesteps, class_labels=labels).sample.float()
    weight = min_snr_weight(signal_to_noise(scheduler, timesteps), gamma)
    return (weight * (prediction - target).square().mean((1, 2, 3))).mean()
