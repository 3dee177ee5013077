"""Classifiers for tests: a small network trained in a second on drawn lesions, and ResNet-18s with random weights."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torchvision.models import resnet18

from core.models.classification.architectures import ARCHITECTURES
from core.taxonomy import CLASS_CODES, CLASS_INDEX

SKIN = (224, 180, 156)
COLOURS = {
    "MEL": (30, 25, 30),
    "NV": (120, 75, 50),
    "BCC": (235, 110, 140),
    "AKIEC": (200, 40, 40),
    "BKL": (180, 150, 60),
    "DF": (90, 120, 90),
    "VASC": (90, 30, 140),
}
SIDE = 32


def draw_lesion(class_code: str, seed: int = 0, side: int = SIDE) -> NDArray[np.uint8]:
    """Return a round blotch in the class's colour on skin, uint8, shape (side, side, 3)."""
    rng = np.random.default_rng([CLASS_INDEX[class_code], seed])
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    centre, radius = rng.uniform(-0.2, 0.2, 2), rng.uniform(0.35, 0.6)
    inside = (np.hypot(x - centre[0], y - centre[1]) < radius)[..., None]
    picture = np.where(inside, COLOURS[class_code], SKIN) + rng.normal(0, 6, (side, side, 3)) + rng.uniform(-12, 12, 3)
    return picture.clip(0, 255).astype(np.uint8)


def write_tiny_classifier(folder: Path, *, trained: bool = True, seed: int = 0, **record: Any) -> Path:
    """Write a classifier folder (`classifier.json`, `model.safetensors`); the gate passes it if `trained`.

    Parameters
    ----------
    record
        Replaces entries of `classifier.json`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    net = _trained(seed) if trained else _fresh("small_cnn", seed)
    save_file({name: tensor.contiguous() for name, tensor in net.state_dict().items()}, folder / "model.safetensors")
    (folder / "classifier.json").write_text(json.dumps({**_record(trained), **record}), encoding="utf-8")
    return folder


def write_random_resnet(path: Path, *, classes: int = 8, prefix: str = "model.", wrapped: bool = False) -> Path:
    """Write a `classifier.pth` with random weights in one of the predecessor's forms."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {prefix + name: tensor for name, tensor in random_resnet(classes).state_dict().items()}
    torch.save({"model_state_dict": state} if wrapped else state, path)
    return path


@functools.cache
def random_resnet(classes: int = 8, seed: int = 0) -> nn.Module:
    """Return a torchvision ResNet-18 with its own random initialisation; do not change it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return resnet18(weights=None, num_classes=classes).eval()


def _record(trained: bool) -> dict[str, Any]:
    return {
        "format": 1,
        "architecture": "small_cnn",
        "classes": list(CLASS_CODES),
        "image_size": SIDE,
        "mean": [0.7, 0.5, 0.45],
        "std": [0.2, 0.2, 0.2],
        "resize": "bilinear antialias",
        "split_hash": "0" * 64,
        "val_balanced_accuracy": 0.97,
        "val_n": 140,
        "temperature": 1.0,
        "trained_head": trained,
        "strength_p5": None,
    }


def _fresh(architecture: str, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ARCHITECTURES[architecture].build(len(CLASS_CODES))


@functools.cache
def _trained(seed: int) -> nn.Module:
    net = _fresh("small_cnn", seed)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for step in range(80):
        pixels, labels = _batch(step)
        optimizer.zero_grad()
        cross_entropy(net(pixels), labels).backward()
        optimizer.step()
    return net.eval()


def _batch(step: int) -> tuple[Tensor, Tensor]:
    pictures = [draw_lesion(code, 8 * step + i) for code in CLASS_CODES for i in range(8)]
    pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
    mean, std = torch.tensor([0.7, 0.5, 0.45]).view(3, 1, 1), 0.2
    return (pixels - mean) / std, torch.arange(len(CLASS_CODES)).repeat_interleave(8)
