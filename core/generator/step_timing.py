"""Tries out how long a denoising step takes on this machine, before a run; writes no file and keeps no image."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from statistics import median
from typing import Final

import torch

from core.conditioning import Conditioning
from core.generation import GenerationRequest
from core.generator.cost import RunEstimate
from core.generator.drawing import Drawing, Settings
from core.generator.model_manager import LoadedModel, ModelManager
from core.generator.predictor import effective_guidance
from core.generator.run_estimate import estimate_run
from core.models.discovery import discover

WARM_UP: Final = 1
"""Steps that do not count: the first one also prepares memory and kernels."""

TIMED: Final = 3

_SEED: Final = 0


def step_seconds(request: GenerationRequest, manager: ModelManager) -> float:
    """Take a few steps as a run of `request` would, and return the seconds that one takes for one image.

    Raises
    ------
    ModelRefusedError
        If no class that was asked for has a usable model.
    UsageError
        If the device or the precision is impossible here.
    """
    told = estimate_run(request)
    model = _first_model(request, manager, told)
    guidance = effective_guidance(model, request.guidance)
    settings = Settings(request.sampler, request.steps, guidance, told.batch_size)
    try:
        return (
            median(islice(_step_times(model, settings, request.conditioning), WARM_UP, WARM_UP + TIMED))
            / told.batch_size
        )
    finally:
        if model.device.type == "cuda":
            torch.cuda.empty_cache()  # what the steps took is not needed before the run


def _first_model(request: GenerationRequest, manager: ModelManager, told: RunEstimate) -> LoadedModel:
    classes = discover(request.models).classes
    chosen = next(classes[code] for code, _ in request.counts if classes[code].available)
    return manager.load(chosen, torch.device(told.device), told.precision)


def _step_times(model: LoadedModel, settings: Settings, conditioning: Conditioning) -> Iterator[float]:
    """Yield the seconds of step after step, batch after batch, without end."""
    while True:
        began = time.perf_counter()
        for state in Drawing(model, settings, [_SEED], conditioning=conditioning).states():
            state.sample.sum().item()  # a graphics card works ahead of the program; this waits for it
            yield time.perf_counter() - began
            began = time.perf_counter()
