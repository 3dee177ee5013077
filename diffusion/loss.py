"""What the network is asked to predict, and how much each timestep counts."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from core.diffusers_parts import DDPMScheduler, FlowMatchEulerDiscreteScheduler, UNet2DModel
from diffusion.draws import Draw
from diffusion.model import NoiseSchedule


def signal_to_noise(scheduler: DDPMScheduler, timesteps: Tensor) -> Tensor:
    """Return alpha_bar / (1 - alpha_bar) at each timestep, float32."""
    alpha_bar = scheduler.alphas_cumprod.to(timesteps.device)[timesteps].float()
    return alpha_bar / (1 - alpha_bar)


def min_snr_weight(snr: Tensor, gamma: float | None, prediction_type: str) -> Tensor:
    """Return the loss weight of each image (Hang et al., 2023, arXiv:2303.09556); 1 if `gamma` is None.

    min(snr, gamma) / snr for the noise and min(snr, gamma) / (snr + 1) for the velocity: in terms of the predicted
    image both are min(snr, gamma).
    """
    if gamma is None:
        return torch.ones_like(snr)
    if prediction_type == "epsilon":
        return (gamma / snr).clamp(max=1)
    return snr.clamp(max=gamma) / (snr + 1)


def halve(draw: Draw) -> Draw:
    """Return the same draws at half the side: pixels averaged, noise averaged and brought back to unit variance."""
    return draw._replace(pixels=avg_pool2d(draw.pixels, 2), noise=2 * avg_pool2d(draw.noise, 2))


def diffusion_loss(net: UNet2DModel | nn.Module, scheduler: NoiseSchedule, draw: Draw, gamma: float | None) -> Tensor:
    """Return the weighted squared error of each image of a batch, shape (N,), float32; of rectified flow not weighted.

    Parameters
    ----------
    net
        Conditional if its configuration has class embeddings; may be wrapped for several processes.
    draw
        A batch whose pixels are float32 in -1..1, on the network's device.
    """
    if isinstance(scheduler, FlowMatchEulerDiscreteScheduler):
        return flow_loss(net, scheduler, draw)
    noisy = scheduler.add_noise(draw.pixels, draw.noise, draw.timestep)
    epsilon = scheduler.config.prediction_type == "epsilon"
    target = draw.noise if epsilon else scheduler.get_velocity(draw.pixels, draw.noise, draw.timestep)
    prediction = _answer(net, noisy, draw.timestep, draw.label)
    weight = min_snr_weight(signal_to_noise(scheduler, draw.timestep), gamma, scheduler.config.prediction_type)
    return weight * (prediction - target).square().mean((1, 2, 3))


def flow_loss(net: UNet2DModel | nn.Module, scheduler: FlowMatchEulerDiscreteScheduler, draw: Draw) -> Tensor:
    """Return the squared error of the velocity of each image of a batch, shape (N,), float32.

    Rectified flow (Liu et al., 2022, arXiv:2209.03003) goes in a straight line from the image x to noise e: at share s
    of noise it is at (1 - s) x + s e, and its velocity is e - x.
    """
    share = draw.timestep.view(-1, 1, 1, 1)
    noisy = (1 - share) * draw.pixels + share * draw.noise
    prediction = _answer(net, noisy, draw.timestep * scheduler.config.num_train_timesteps, draw.label)
    return (prediction - (draw.noise - draw.pixels)).square().mean((1, 2, 3))


def _answer(net: UNet2DModel | nn.Module, noisy: Tensor, timestep: Tensor, label: Tensor) -> Tensor:
    plain: Any = getattr(net, "module", net)  # unwrapped from what several processes need
    labels = label if plain.config.num_class_embeds else None
    answer: Tensor = net(noisy, timestep, class_labels=labels).sample.float()
    return answer
