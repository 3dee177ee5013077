"""What the tests of training share: tiny settings, the splits of a labelled folder, weights as one vector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from classifier.batches import Batch
from classifier.config import ClassifierConfig
from classifier.data import Split
from classifier.learner import Learner, Start
from core.models.classification.architectures import ARCHITECTURES
from photographs.labelled import LabelledImage
from photographs.sources import read_dataset
from photographs.splits import Splits, split_by_lesion

TINY: dict[str, Any] = {
    "architecture": "small_cnn",
    "image_size": 16,
    "epochs": 3,
    "batch_size": 16,
    "precision": "fp32",
    "device": "cpu",
    "test_fraction": 0.25,
    "validation_fraction": 0.25,
}


def tiny(**changes: Any) -> ClassifierConfig:
    """Return settings that train in well under a second."""
    return ClassifierConfig(**{**TINY, **changes})


def splits_of(folder: Path, config: ClassifierConfig) -> Splits:
    """Return the splits that these settings make of a labelled folder."""
    return split_by_lesion(
        read_dataset(folder).images,
        test_fraction=config.test_fraction,
        validation_fraction=config.validation_fraction,
    )


def read(images: tuple[LabelledImage, ...], config: ClassifierConfig) -> Split:
    """Read the pixels of a split."""
    return Split.read(images, config.image_size)


def make_learner(config: ClassifierConfig, weights: torch.Tensor | None = None) -> Learner:
    """Return a learner whose network has random weights, whatever the settings say about pretrained ones."""
    torch.manual_seed(0)
    net = ARCHITECTURES[config.architecture].build(7)
    return Learner(config, Start(net, (0.5,) * 3, (0.25,) * 3, ""), weights, torch.device("cpu"))


def batch(count: int = 4, size: int = 32, masks: torch.Tensor | None = None) -> Batch:
    """Return a batch of noise with one class each."""
    pixels = torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1))
    return Batch(pixels, torch.eye(7)[torch.arange(count) % 7], masks)


def vector(model: nn.Module) -> torch.Tensor:
    """Return all weights and buffers as one vector."""
    return torch.cat([tensor.detach().flatten().double() for tensor in model.state_dict().values()])
