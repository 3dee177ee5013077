"""What a generator costs: its size on disk and in memory, and the arithmetic of one look at an image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from core.diffusers_parts import AutoencoderKL, UNet2DModel


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of a network.

    Attributes
    ----------
    parameters
        Number of weights.
    gmac
        Thousand millions of multiply-adds of one forward pass of one image, without guidance (which doubles it).
    attention_gmac
        What of it the products of queries, keys and values take; many counts leave them out.
    bytes
        Size of the weights file.
    """

    parameters: int
    gmac: float
    attention_gmac: float
    bytes: int


def measure_cost(net: UNet2DModel, weights: Path) -> Cost:
    """Count the weights, and the multiply-adds of convolutions, matrix products and attention in one forward pass."""
    size = int(net.config.sample_size)
    reference = next(net.parameters())
    image = torch.zeros(1, int(net.config.in_channels), size, size, dtype=reference.dtype, device=reference.device)
    label = None if net.config.num_class_embeds is None else torch.zeros(1, dtype=torch.long, device=reference.device)
    timestep = torch.ones(1, device=reference.device)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(image, timestep, class_labels=label)
    parameters = sum(weight.numel() for weight in net.parameters())
    attention = sum(flops for name, flops in _by_operation(counter).items() if "attention" in name)
    return Cost(parameters, counter.get_total_flops() / 2e9, attention / 2e9, weights.stat().st_size)


def with_autoencoder(cost: Cost, net: AutoencoderKL, weights: Path) -> Cost:
    """Return the cost of a network together with that of the autoencoder that decodes what it makes.

    A forward pass stays the network's alone; a picture is decoded once.
    """
    parameters = sum(weight.numel() for weight in net.parameters())
    return replace(cost, parameters=cost.parameters + parameters, bytes=cost.bytes + weights.stat().st_size)


def _by_operation(counter: FlopCounterMode) -> dict[str, int]:
    return {str(operation): flops for operation, flops in counter.get_flop_counts()["Global"].items()}
