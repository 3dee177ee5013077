"""The samplers on a rectified flow whose velocity is known exactly: that of a Gaussian."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from torch import Tensor

from core.generator.sampler import ImageStreams, build_scheduler, denoise
from core.samplers import SAMPLERS
from core.schedulers import describe_scheduler

MEAN, DEVIATION = 0.7, 0.4
CPU = torch.device("cpu")


def exact(noisy: Tensor, timestep: Tensor) -> Tensor:
    """Return E[noise - image | x] where images are N(MEAN, DEVIATION^2) and x = (1 - s) image + s noise."""
    share = float(timestep) / 1000
    variance = (1 - share) ** 2 * DEVIATION**2 + share**2
    beyond = (noisy - (1 - share) * MEAN) / variance
    return share * beyond - (MEAN + (1 - share) * DEVIATION**2 * beyond)


def config(shift: float = 1.0) -> dict[str, object]:
    return {"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000, "shift": shift}


def samples(sampler: str, steps: int, shift: float = 1.0, count: int = 16) -> Tensor:
    streams = ImageStreams(list(range(count)), (4, 16, 16))
    for state in denoise(exact, build_scheduler(sampler, config(shift), steps), streams, CPU):
        last = state
    return last.sample


@pytest.mark.parametrize("shift", [1.0, 2.0])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_many_steps_give_the_gaussian(sampler: str, shift: float):
    found = samples(sampler, 400, shift)
    assert float(found.mean()) == pytest.approx(MEAN, abs=0.01)
    assert float(found.std()) == pytest.approx(DEVIATION, rel=0.03)


@pytest.mark.parametrize(("sampler", "order"), [("euler", 1), ("heun", 2)])
def test_the_error_falls_with_the_order_of_the_solver(sampler: str, order: int):
    """The probability flow takes the noise e to MEAN + DEVIATION e; twice the steps, 2 or 4 times less error."""
    noise = ImageStreams(list(range(4)), (4, 16, 16)).initial
    truth = MEAN + DEVIATION * noise
    errors = [float((samples(sampler, steps, count=4) - truth).abs().mean()) for steps in (40, 80)]
    assert errors[0] / errors[1] == pytest.approx(2**order, rel=0.15)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 2, 3, 20, 1000])
def test_any_number_of_steps_is_finite(sampler: str, steps: int):
    scheduler = build_scheduler(sampler, config(3.0), steps)
    assert len(scheduler.timesteps) == steps
    assert (scheduler.timesteps.diff() < 0).all()
    streams = ImageStreams([1], (4, 4, 4))
    assert all(torch.isfinite(state.sample).all() for state in denoise(exact, scheduler, streams, CPU))


def test_one_step_is_the_mean():
    """From pure noise the velocity leads to the mean of all images."""
    for sampler in SAMPLERS:
        assert samples(sampler, 1).sub(MEAN).abs().max() < 1e-3


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_euler_is_that_of_diffusers(shift: float):
    theirs = FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=shift)
    theirs.set_timesteps(sigmas=np.linspace(1, 1 / 7, 7))
    x = ImageStreams([3], (4, 8, 8)).initial
    for timestep in theirs.timesteps:
        x = theirs.step(exact(x, timestep), timestep, x).prev_sample
    streams = ImageStreams([3], (4, 8, 8))
    for state in denoise(exact, build_scheduler("euler", config(shift), 7), streams, CPU):
        last = state
    assert torch.equal(last.sample, x)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_recorded_scheduler_is_built_again(sampler: str):
    """What a recipe records leads to the same timesteps and shares of noise."""
    first = build_scheduler(sampler, config(2.5), 6)
    again = build_scheduler(sampler, describe_scheduler(first), 6)
    assert torch.equal(first.timesteps, again.timesteps)
    assert torch.equal(first.sigmas, again.sigmas)


def test_heun_of_other_models_has_second_order():
    """On the cosine schedule, with the exact noise of the same Gaussian."""
    from diffusers import DDPMScheduler

    cumulative = DDPMScheduler(beta_schedule="squaredcos_cap_v2").alphas_cumprod
    mean, deviation = 0.1, 0.1

    def noise_of(noisy: Tensor, timestep: Tensor) -> Tensor:
        signal = cumulative[int(timestep)]
        variance = signal * deviation**2 + 1 - signal
        return (1 - signal).sqrt() * (noisy - signal.sqrt() * mean) / variance

    settings = {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "epsilon"}
    found = {}
    for sampler in ("heun", "ddim"):
        for state in denoise(noise_of, build_scheduler(sampler, settings, 50), ImageStreams([0, 1], (3, 16, 16)), CPU):
            last = state
        found[sampler] = abs(float(last.sample.std()) - deviation)
    assert found["heun"] < 0.5 * found["ddim"]
