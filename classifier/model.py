"""The network: a ResNet-18 with one logit for each class, fed with normalised RGB."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models import resnet18

from core.taxonomy import CLASSES


def build_classifier() -> nn.Module:
    """Return a torchvision ResNet-18 with a seven-way head and random weights."""
    model: nn.Module = resnet18(weights=None, num_classes=len(CLASSES))
    return model


def normalise(pixels: Tensor, mean: list[float], std: list[float]) -> Tensor:
    """Map (N, 3, H, W) on the 0..1 scale to zero mean and unit variance for each channel."""
    shape = (1, 3, 1, 1)
    return (pixels - pixels.new_tensor(mean).view(shape)) / pixels.new_tensor(std).view(shape)


@torch.inference_mode()
def predict_logits(
    model: nn.Module, pixels: Tensor, mean: list[float], std: list[float], batch_size: int = 64
) -> Tensor:
    """Return float32 logits (N, 7) of uint8 pixels (N, 3, H, W), on the CPU, in evaluation mode."""
    model.eval()
    device = next(model.parameters()).device
    batches = (normalise(batch.to(device) / 255, mean, std) for batch in pixels.split(batch_size))
    return torch.cat([model(batch).float().cpu() for batch in batches])
