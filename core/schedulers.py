"""The samplers: diffusers' schedulers, set up so that they stay stable on the cosine schedule for 1 to 1000 steps.

`ddpm` is diffusers' DDPMScheduler exactly as the model's own configuration asks. The others solve the same
diffusion in fewer steps; on this schedule, whose signal-to-noise ratio almost vanishes at the start, they diverge
unless the predicted image is clipped to [-1, 1] at every step, so clipping is not optional. Latent images have a range
of their own (`clip_sample_range`).

Models of rectified flow (Liu et al., 2022, arXiv:2209.03003) predict the velocity on the straight line from image to
noise, are well conditioned all along it, and need no clipping. Every sampler takes them, too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.diffusers_parts import (
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
    UniPCMultistepScheduler,
)

Scheduler: TypeAlias = (
    DDPMScheduler | DPMSolverMultistepScheduler | UniPCMultistepScheduler | FlowMatchEulerDiscreteScheduler
)

Predict: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""(x_t, timestep) -> the network's raw prediction."""

FLOW: Final = "flow_prediction"
PREDICTION_TYPES: Final = ("epsilon", "v_prediction", "sample", FLOW)

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


def is_flow(config: Mapping[str, Any]) -> bool:
    """Whether a scheduler's configuration is that of a model of rectified flow."""
    return str(config.get("_class_name", "")).startswith("FlowMatch") or config.get("prediction_type") == FLOW


def clip_range(config: Mapping[str, Any]) -> float:
    """Return the largest value of a predicted image; 1 for pixels."""
    return float(config.get("clip_sample_range") or config.get("sample_max_value") or 1.0)


def noise_level(scheduler: Scheduler, step: int) -> tuple[float, float]:
    """Return what an image and noise are multiplied by before a step: ``x_t = alpha * x_0 + sigma * noise``.

    Parameters
    ----------
    scheduler
        With its timesteps set.
    step
        Number of steps that are done, 0 to all of them; after all of them it is 1 and 0.
    """
    if step == len(scheduler.timesteps):
        return 1.0, 0.0
    if isinstance(scheduler, DDPMScheduler):
        cumulative = float(scheduler.alphas_cumprod[int(scheduler.timesteps[step])])
        return cumulative**0.5, (1 - cumulative) ** 0.5
    sigma = float(scheduler.sigmas[step])
    if is_flow(scheduler.config):
        return 1 - sigma, sigma
    alpha = (1 + sigma**2) ** -0.5  # here sigma is the ratio of the two
    return alpha, alpha * sigma


def image_and_noise(scheduler: Scheduler, answer: Tensor, sample: Tensor, step: int) -> tuple[Tensor, Tensor]:
    """Return the image and the noise that a network's answer means for x_t before a step; the image is not clipped."""
    (alpha, sigma), kind = noise_level(scheduler, step), scheduler.config.prediction_type
    if is_flow(scheduler.config):
        return sample - sigma * answer, sample + alpha * answer
    if kind == "epsilon":
        return (sample - sigma * answer) / alpha, answer
    image = answer if kind == "sample" else alpha * sample - sigma * answer
    return image, (sample - alpha * image) / sigma


class _ClippedGrid:
    """Mixed into a multistep scheduler: x0 clipped to its range, and timesteps of our own choice.

    `thresholding=True` makes diffusers call `_threshold_sample` on every predicted x0; a plain clamp is what its
    dynamic thresholding amounts to at a maximum of 1, without the quantile.
    """

    def _threshold_sample(self, sample: Tensor) -> Tensor:
        largest = float(self.config.sample_max_value)  # type: ignore[attr-defined]
        return sample.clamp(-largest, largest)

    def use_grid(self, timesteps: NDArray[np.floating]) -> None:
        """Step through the given descending timesteps, which need not be whole numbers."""
        self.set_timesteps(len(timesteps))  # type: ignore[attr-defined]  # of the scheduler this is mixed into
        cumulative = self.alphas_cumprod.double().numpy()  # type: ignore[attr-defined]
        sigmas = np.interp(timesteps, np.arange(len(cumulative)), np.sqrt((1 - cumulative) / cumulative))
        self.sigmas = torch.from_numpy(np.append(sigmas, 0.0).astype(np.float32))
        whole = bool((timesteps == np.floor(timesteps)).all())
        self.timesteps = torch.from_numpy(timesteps.astype(np.int64 if whole else np.float32))
        self.set_begin_index(0)  # type: ignore[attr-defined]  # no lookup by value

    def use_shares(self, shares: NDArray[np.floating]) -> None:
        """Step through the given descending shares of noise of a rectified flow."""
        self.set_timesteps(len(shares))  # type: ignore[attr-defined]
        self.sigmas = torch.from_numpy(np.append(shares, 0.0).astype(np.float32))
        train = self.config.num_train_timesteps  # type: ignore[attr-defined]
        self.timesteps = torch.from_numpy((shares * train).astype(np.float32))
        self.set_begin_index(0)  # type: ignore[attr-defined]


class _ClippedDPMSolver(_ClippedGrid, DPMSolverMultistepScheduler):
    pass


class _ClippedUniPC(_ClippedGrid, UniPCMultistepScheduler):
    pass


class FlowEuler(FlowMatchEulerDiscreteScheduler):
    """Euler's method for the equation of a rectified flow, step by step as diffusers takes them."""

    def advance(self, predict: Predict, timestep: Tensor, noisy: Tensor) -> tuple[Tensor, Tensor]:
        """Take one step and return what it leads to, and the image that was predicted."""
        here, _ = self._shares()
        velocity, image = self._ask(predict, timestep, noisy, here)
        return self.step(velocity, timestep, noisy).prev_sample, image

    def _shares(self) -> tuple[Tensor, Tensor]:
        """Return the shares of noise at which the next step begins and ends."""
        position = (self.begin_index or 0) if self.step_index is None else self.step_index
        return self.sigmas[position], self.sigmas[position + 1]

    def _ask(self, predict: Predict, timestep: Tensor, noisy: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
        """Return the velocity and the image at a point; whoever predicts images in its place is understood too."""
        answer = predict(noisy, timestep)
        if self.config.prediction_type == "sample":
            return (noisy - answer) / share, answer
        return answer, noisy - share * answer


class FlowHeun(FlowEuler):
    """Heun's method: Euler's step, then the mean of the slopes at both of its ends; the last step stays Euler's."""

    def advance(self, predict: Predict, timestep: Tensor, noisy: Tensor) -> tuple[Tensor, Tensor]:
        """Take one step and return what it leads to, and the image that was predicted at its beginning."""
        here, there = self._shares()
        velocity, image = self._ask(predict, timestep, noisy, here)
        if there > 0:
            tried = noisy + (there - here) * velocity
            slope, _ = self._ask(predict, there * self.config.num_train_timesteps, tried, there)
            velocity = (velocity + slope) / 2
        return self.step(velocity, timestep, noisy).prev_sample, image


class ClippedHeun(DDPMScheduler):
    """Heun's method for all other models, in the variables of Karras et al. (2022): x / alpha against sigma / alpha.

    There the slope is the predicted noise; the predicted image is clipped before the noise is taken from it.
    """

    def advance(self, predict: Predict, timestep: Tensor, noisy: Tensor) -> tuple[Tensor, Tensor]:
        """Take one step and return what it leads to, and the image that was predicted at its beginning."""
        alpha, sigma = self._level(timestep)
        image, noise = self._ask(predict, timestep, noisy, alpha, sigma)
        position = int((self.timesteps == timestep).nonzero()[0])
        if position == len(self.timesteps) - 1:
            return image, image
        after = self.timesteps[position + 1]
        next_alpha, next_sigma = self._level(after)
        tried = next_alpha * image + next_sigma * noise
        _, slope = self._ask(predict, after, tried, next_alpha, next_sigma)
        change = (next_sigma / next_alpha - sigma / alpha) * (slope - noise) / 2
        return tried + next_alpha * change, image

    def _level(self, timestep: Tensor) -> tuple[Tensor, Tensor]:
        cumulative = self.alphas_cumprod[int(timestep)]
        return cumulative.sqrt(), (1 - cumulative).sqrt()

    def _ask(
        self, predict: Predict, timestep: Tensor, noisy: Tensor, alpha: Tensor, sigma: Tensor
    ) -> tuple[Tensor, Tensor]:
        answer, kind = predict(noisy, timestep), self.config.prediction_type
        if kind == "epsilon":
            image = (noisy - sigma * answer) / alpha
        else:
            image = answer if kind == "sample" else alpha * noisy - sigma * answer
        largest = float(self.config.clip_sample_range)
        image = image.clamp(-largest, largest)
        return image, (noisy - alpha * image) / sigma


def euler(config: Mapping[str, Any], steps: int) -> Scheduler:
    """Return the scheduler of `euler`."""
    return _of_flow(FlowEuler, config, steps) if is_flow(config) else ddim(config, steps)


def heun(config: Mapping[str, Any], steps: int) -> Scheduler:
    """Return the scheduler of `heun`."""
    if is_flow(config):
        return _of_flow(FlowHeun, config, steps)
    trained = {key: config[key] for key in _SHARED if config.get(key) is not None}
    scheduler = ClippedHeun(**trained, clip_sample_range=clip_range(config))
    scheduler.set_timesteps(timesteps=_leading(scheduler.config.num_train_timesteps, steps).astype(np.int64).tolist())
    return scheduler


_F = TypeVar("_F", bound=FlowEuler)


def _of_flow(kind: type[_F], config: Mapping[str, Any], steps: int) -> _F:
    scheduler = kind(num_train_timesteps=config.get("num_train_timesteps") or 1000, shift=_shift(config))
    scheduler.register_to_config(prediction_type=FLOW)
    scheduler.set_timesteps(sigmas=_even(steps).tolist())
    scheduler.set_begin_index(0)
    return scheduler


def _shift(config: Mapping[str, Any]) -> float:
    return float(config.get("shift") or config.get("flow_shift") or 1.0)


def _even(steps: int) -> NDArray[np.floating]:
    """Return 1, 1 - 1/n ... 1/n: the shares of noise of a rectified flow, before they are shifted."""
    return np.linspace(1, 1 / steps, steps)


def _shifted(config: Mapping[str, Any], steps: int) -> NDArray[np.floating]:
    """Return the shares of noise of the multistep solvers, which divide by the share of the image at the first."""
    shares, shift = _even(steps), _shift(config)
    return np.minimum(shift * shares / (1 + (shift - 1) * shares), 1 - 1e-6)


def ddpm(config: Mapping[str, Any], steps: int) -> Scheduler:
    """Return the scheduler of `ddpm`: diffusers' own, as the model's configuration asks.

    Of a rectified flow it is the first-order stochastic solver, which is the same ancestral sampling.
    """
    if is_flow(config):
        flowing = {**_flowing(config), "algorithm_type": "sde-dpmsolver++", "solver_order": 1}
        return _on_shares(_ClippedDPMSolver(**flowing), config, steps)
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
    if is_flow(config):
        return _on_shares(_ClippedDPMSolver(**_flowing(config), solver_order=1), config, steps)
    scheduler = _ClippedDPMSolver(**_trained(config), solver_order=1, thresholding=True, timestep_spacing="leading")
    scheduler.use_grid(_leading(scheduler.config.num_train_timesteps, steps))
    return scheduler


def dpmpp_2m_sde(config: Mapping[str, Any], steps: int) -> Scheduler:
    """Return the scheduler of `dpmpp-2m-sde`."""
    if is_flow(config):
        return _on_shares(_ClippedDPMSolver(**_flowing(config), algorithm_type="sde-dpmsolver++"), config, steps)
    scheduler = _ClippedDPMSolver(
        **_trained(config), algorithm_type="sde-dpmsolver++", thresholding=True, lambda_min_clipped=LAMBDA_MIN
    )
    usable = int((scheduler.lambda_t >= LAMBDA_MIN).sum())
    scheduler.use_grid(_whole(np.linspace(usable - 1, 0, steps + 1)[:-1]))
    return scheduler


def unipc(config: Mapping[str, Any], steps: int) -> Scheduler:
    """Return the scheduler of `unipc`."""
    if is_flow(config):
        return _on_shares(_ClippedUniPC(**_flowing(config)), config, steps)
    scheduler = _ClippedUniPC(**_trained(config), thresholding=True, timestep_spacing="leading")
    scheduler.use_grid(_leading_open(scheduler.config.num_train_timesteps, steps))
    return scheduler


def _trained(config: Mapping[str, Any]) -> dict[str, Any]:
    known = {key: config[key] for key in _SHARED if config.get(key) is not None}
    return {**known, "sample_max_value": clip_range(config)}


def _flowing(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "num_train_timesteps": config.get("num_train_timesteps") or 1000,
        "prediction_type": FLOW,
        "use_flow_sigmas": True,
        "flow_shift": _shift(config),
    }


_S = TypeVar("_S", bound=_ClippedGrid)


def _on_shares(scheduler: _S, config: Mapping[str, Any], steps: int) -> _S:
    scheduler.use_shares(_shifted(config, steps))
    return scheduler


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
