"""A network, a configuration and photographs small enough for tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.cancel import CancelToken, StopMode
from diffusion.config import DiffusionConfig
from diffusion.data import TrainingData
from diffusion.draws import ImageSet
from diffusion.evaluation import Evaluator
from diffusion.model import build_scheduler
from diffusion.processes import start_processes
from diffusion.trainer import DiffusionTrainer
from measures.features import PIXELS
from photographs.splits import Leakage

TINY: dict[str, Any] = {
    "image_size": 16,
    "widths": (8, 16, 16),
    "attention": (2,),
    "attention_head_dim": 8,
    "norm_groups": 4,
    "images": 80,
    "batch_size": 8,
    "learning_rate": 2e-3,
    "precision": "fp32",
    "device": "cpu",
    "tracker": "none",
    "evaluate_images": 10**6,
    "samples_per_class": 4,
    "sample_steps": 2,
}


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make_config() -> Callable[..., DiffusionConfig]:
    return lambda **changes: DiffusionConfig.model_validate({**TINY, **changes})


@pytest.fixture
def config(make_config: Callable[..., DiffusionConfig]) -> DiffusionConfig:
    return make_config()


def rings(seed: int = 5, count: int = 8) -> ImageSet:
    """Return pictures that look the same however they are turned: a coloured square on a coloured ground."""
    generator = torch.Generator().manual_seed(seed)
    colours = torch.randint(30, 225, (count, 2, 3), generator=generator, dtype=torch.uint8)
    inside = torch.zeros(16, 16, dtype=torch.bool)
    inside[4:12, 4:12] = True
    pixels = torch.where(inside, colours[:, 0, :, None, None], colours[:, 1, :, None, None])
    return ImageSet(pixels, torch.arange(count) % 7)


@pytest.fixture
def data() -> TrainingData:
    train, validation = rings(), rings(seed=6, count=4)
    names = tuple(tuple(f"{part}{i}" for i in range(n)) for part, n in (("t", 8), ("v", 4)))
    counts = {"train": {}, "validation": {}, "test": {}}
    leakage = Leakage(4, 0, 0.0, True)
    return TrainingData(Path("photos"), train, validation, (names[0], names[1]), leakage, "f00d", "none", counts, ())


@pytest.fixture
def make_trainer(data: TrainingData, tmp_path: Path) -> Callable[..., DiffusionTrainer]:
    def make(config: DiffusionConfig, output: Path = tmp_path, **images: ImageSet) -> DiffusionTrainer:
        accelerator, device = start_processes(config)
        shown = TrainingData(**{**vars(data), **images})
        evaluator = Evaluator(config, build_scheduler(config), shown.validation, device, "fp32", PIXELS)
        return DiffusionTrainer(config, shown, output, accelerator, device, evaluator=evaluator)

    return make


def no_export(*_: object) -> None:
    """Write no model."""


def run(trainer: DiffusionTrainer, until: int | None = None) -> list[Any]:
    """Train to the end, or stop after so many images as a signal would; return the events."""
    cancel, events = CancelToken(), []
    for event in trainer.run(cancel, no_export):
        events.append(event)
        if until is not None and trainer.images_seen >= until:
            cancel.request(StopMode.NOW)
    return events


def parameters(net: torch.nn.Module) -> torch.Tensor:
    """Return all parameters in a row."""
    return torch.cat([p.detach().flatten() for p in net.parameters()])
