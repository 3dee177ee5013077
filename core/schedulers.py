"""The samplers: diffusers' schedulers, set up so that they stay stable on the cosine schedule for 1 to 1000 steps.

`ddpm` is diffusers' DDPMScheduler exactly as the model's own configuration asks. The others solve the same
diffusion in fewer steps; on this schedule, whose signal-to-noise ratio almost vanishes at the start, they diverge
unless the predicted image is clipped to [-1, 1] at every step, so clipping is not optional.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.diffusers_parts import DDPMScheduler, DPMSolverMultistepScheduler, UniPCMultistepScheduler

Scheduler: TypeAlias = DDPMScheduler | DPMSolverMultistepScheduler | UniPCMultistepScheduler

PREDICTION_TYPES: Final = ("epsilon", "v_prediction", "sample")

LAMBDA_MIN: Final = -5.1
"""Smallest log signal-to-noise ratio that DPM-Solver++ starts from on a cosine schedule (diffusers documentation)."""

_SHARED: Final = (
    "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "prediction_type",
    "rescale_betas_zero_snr",
)  # fmt: skip
"""What the model was trained with; everything else in a configuration belongs to one sampler."""


def describe_scheduler(scheduler: Scheduler) -> dict[str, Any]:
    """Return a scheduler's full configuration as plain values, with the name of its diffusers class."""
    library_class = next(kind for kind in type(scheduler).__mro__ if kind.__module__.startswith("diffusers."))
    settings = {key: value for key, value in scheduler.config.items() if not key.startswith("_")}
    return {"_class_name": library_class.__name__, **settings}


class _ClippedGrid:
    """Mixed into a multistep scheduler: x0 clipped to [-1, 1], and timesteps of our own choice.

    `thresholding=True` makes diffusers call `_threshold_sample` on every predicted x0; a plain clamp is what its
    dynamic thresholding amounts to at a maximum of 1, without the quantile.
    """

    def _threshold_sample(self, sample: Tensor) -> Tensor:
        return sample.clamp(-1.0, 1.0)

    def use_grid(self, timesteps: NDArray[np.floating]) -> None:
        """Step through the given descending timesteps, which need not be whole numbers."""
        self.set_timesteps(len(timesteps))  # type: ignore[attr-defined]  # of the scheduler this is mixed into
        cumulative = self.alphas_cumprod.double().numpy()  # type: ignore[attr-defined]
        sigmas = np.interp(timesteps, np.arange(len(cumulative)), np.sqrt((1 - cumulative) / cumulative))
        self.sigmas = torch.from_numpy(np.append(sigmas, 0.0).astype(np.float32))
        whole = bool((timesteps == np.floor(timesteps)).all())
        self.timesteps = torch.from_numpy(timesteps.astype(np.int64 if whole else np.float32))
        self.set_begin_index(0)  # type: ignore[attr-defined]  # no lookup by value


class _ClippedDPMSolver(_ClippedGrid, DPMSolverMultistepScheduler):
    pass


class _ClippedUniPC(_ClippedGrid, UniPCMultistepScheduler):
    pass


def ddpm(config: Mapping[str, Any], steps: int) -> DDPMScheduler:
    """Return the scheduler of `ddpm`: diffusers' own, as the model's configuration asks."""
    known = inspect.signature(DDPMScheduler.__init__).parameters
    scheduler = DDPMScheduler(**{key: value for key, value in config.items() if key in known and value is not None})
    scheduler.set_timesteps(steps)
    if int(scheduler.timesteps.max()) >= scheduler.config.num_train_timesteps:
        raise ValueError(f"steps_offset {config.get('steps_offset')} leads beyond the last timestep")
    return scheduler


def ddim(config: Mapping[str, Any], steps: int) -> Scheduler:
    """Return the scheduler of `ddim`."""
    # DDIM is the first-order DPM-Solver++ (Lu et al. 2022, arXiv 2211.01095, section 4.1). Unlike diffusers'
    # DDIMScheduler this one looks the next timestep up, so that every number of steps ends at a clean image.
    scheduler = _ClippedDPMSolver(**_trained(config), solver_order=1, thresholding=True, timestep_spacing="leading")
    scheduler.use_grid(_leading(scheduler.config.num_train_timesteps, steps))
    return scheduler


def dpmpp_2m_sde(config: Mapping[str, Any], steps: int) -> Scheduler:
    """Return the scheduler of `dpmpp-2m-sde`."""
    scheduler = _ClippedDPMSolver(
        **_trained(config), algorithm_type="sde-dpmsolver++", thresholding=True, lambda_min_clipped=LAMBDA_MIN
    )
    usable = int((scheduler.lambda_t >= LAMBDA_MIN).sum())
    scheduler.use_grid(_whole(np.linspace(usable - 1, 0, steps + 1)[:-1]))
    return scheduler


def unipc(config: Mapping[str, Any], steps: int) -> Scheduler:
    """Return the scheduler of `unipc`."""
    scheduler = _ClippedUniPC(**_trained(config), thresholding=True, timestep_spacing="leading")
    scheduler.use_grid(_leading_open(scheduler.config.num_train_timesteps, steps))
    return scheduler


def _trained(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: config[key] for key in _SHARED if config.get(key) is not None}


def _leading(train: int, steps: int) -> NDArray[np.floating]:
    """Return 0, T/n, 2T/n ... descending: diffusers' `leading` where n divides T; one step starts in the middle."""
    return np.floor(np.arange(steps)[::-1] * train / steps) if steps > 1 else np.array([train // 2], float)


def _leading_open(train: int, steps: int) -> NDArray[np.floating]:
    """Return T/(n+1), 2T/(n+1) ... descending: `leading` of the multistep schedulers, for every n up to T."""
    return np.floor(np.arange(steps, 0, -1) * train / (steps + 1))


def _whole(timesteps: NDArray[np.floating]) -> NDArray[np.floating]:
    """Round to whole timesteps where they stay distinct; equal neighbours would divide by zero."""
    rounded = np.round(timesteps)
    return rounded if len(np.unique(rounded)) == len(rounded) else timesteps
