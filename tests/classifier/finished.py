"""Small splits and barely trained networks, so that the end of a run can be tested without the run."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from classifier.config import ClassifierConfig
from classifier.data import Split
from classifier.trained import Trained
from core.models.classification.architectures import ARCHITECTURES
from core.models.classification.loading import Triple
from core.taxonomy import CLASS_CODES
from tests.support.tiny_classifier import draw_lesion

SIDE = 16
MEAN: Triple = (0.7, 0.5, 0.45)
STD: Triple = (0.2, 0.2, 0.2)


@functools.cache
def make_split(name: str, lesions: int = 4, views: int = 2, classes: tuple[str, ...] = CLASS_CODES) -> Split:
    """Return drawn lesions of the named classes, each with several pictures."""
    salt = sum(map(ord, name)) * 1000
    rows = [(code, lesion, view) for code in classes for lesion in range(lesions) for view in range(views)]
    pictures = [draw_lesion(code, salt + 10 * lesion + view, SIDE) for code, lesion, view in rows]
    return Split(
        torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2).copy()),
        torch.tensor([CLASS_CODES.index(code) for code, _, _ in rows]),
        tuple(f"{name}-{code}-{lesion}" for code, lesion, _ in rows),
        tuple(f"{name}-{code}-{lesion}-{view}" for code, lesion, view in rows),
        f"fingerprint of {name}",
    )


def empty_split() -> Split:
    """Return a split without images."""
    return Split(torch.zeros((0, 3, SIDE, SIDE), dtype=torch.uint8), torch.zeros(0, dtype=torch.int64), (), (), "none")


@functools.cache
def make_trained(architecture: str = "small_cnn", seed: int = 0, steps: int = 40) -> Trained:
    """Return a network that has seen the drawn lesions a few times."""
    config = ClassifierConfig(architecture=architecture, image_size=SIDE, seed=seed, device="cpu")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = ARCHITECTURES[architecture].build(len(CLASS_CODES))
    split = make_split(f"train {seed}", lesions=6)
    inputs = (split.pixels / 255 - torch.tensor(MEAN).view(3, 1, 1)) / 0.2
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for _ in range(steps):
        optimizer.zero_grad()
        cross_entropy(net(inputs), split.labels).backward()
        optimizer.step()
    return Trained(config, net.eval(), MEAN, STD, 3, 1234, 3723.4, 0.81, "from random weights")


def write_history(folder: Path) -> None:
    """Write a history with a hole, as an interrupted run leaves it."""
    rows = [
        "images,epoch,lr,loss,val_loss,f1_score",
        "84,1,0.1,2.0,2.1,0.2",
        "168,2,0.1,1.5,,0.4",
        "252,3,0.1,1.1,1.6,",
    ]
    (folder / "training_history.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
