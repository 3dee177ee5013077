"""Sampling that begins from images: noised to the right level, kept where it must be kept, and inverted."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from core.generator.sampler import ImageStreams, StepState, build_scheduler, denoise, initial_scale
from core.generator.start import FROM_NOISE, Start, invert, slerp, steps_left_out
from core.samplers import SAMPLERS
from core.schedulers import Scheduler, image_and_noise, noise_level

COSINE = {"num_train_timesteps": 1000, "beta_schedule": "squaredcos_cap_v2", "prediction_type": "epsilon"}
FLOW = {"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000, "shift": 2.0}
KINDS = {
    "epsilon": COSINE,
    "v": {**COSINE, "prediction_type": "v_prediction"},
    "sample": {**COSINE, "prediction_type": "sample"},
    "flow": FLOW,
}
SHAPE = (2, 4, 4)
CPU = torch.device("cpu")


class Gaussian:
    """The best predictor of images that are normally distributed around `mean` with deviation `std`, per pixel."""

    def __init__(self, scheduler: Scheduler, kind: str, mean: Tensor, std: float) -> None:
        self.scheduler, self.kind, self.mean, self.std = scheduler, kind, mean, std

    def __call__(self, sample: Tensor, timestep: Tensor) -> Tensor:
        alpha, sigma = self._level(float(timestep))
        variance = alpha**2 * self.std**2 + sigma**2
        image = self.mean + alpha * self.std**2 / variance * (sample - alpha * self.mean)
        noise = sigma / variance * (sample - alpha * self.mean)
        return {
            "epsilon": noise, "v": alpha * noise - sigma * image, "sample": image, "flow": noise - image,
        }[self.kind]  # fmt: skip

    def _level(self, timestep: float) -> tuple[float, float]:
        """Levels by definition: the share of noise of a flow, the cosine of Nichol and Dhariwal's schedule."""
        if self.kind == "flow":
            return 1 - timestep / 1000, timestep / 1000
        betas, product = [], 1.0
        products = []
        for step in range(1000):
            a, b = (math.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2 for t in (step, step + 1))
            betas.append(min(1 - b / a, 0.999))
            product *= 1 - betas[-1]
            products.append(product)
        low = int(timestep)
        high = min(low + 1, 999)
        # between whole timesteps the samplers interpolate the ratio of noise to image
        ratios = [math.sqrt((1 - products[t]) / products[t]) for t in (low, high)]
        ratio = ratios[0] + (timestep - low) * (ratios[1] - ratios[0])
        alpha = 1 / math.sqrt(1 + ratio**2)
        return alpha, alpha * ratio


def images() -> Tensor:
    return torch.rand(2, *SHAPE, generator=torch.Generator().manual_seed(5)) * 1.6 - 0.8


def run(sampler: str, kind: str, start: Start, steps: int = 20, **data: Any) -> list[StepState]:
    scheduler = build_scheduler(sampler, KINDS[kind], steps)
    predict = Gaussian(scheduler, kind, data.get("mean", torch.zeros(())), data.get("std", 0.3))
    return list(denoise(predict, scheduler, ImageStreams([1, 2], SHAPE), CPU, start))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sampler", SAMPLERS)
class TestEverySampler:
    def test_an_image_is_noised_to_the_level_of_the_first_step_that_is_made(self, sampler: str, kind: str) -> None:
        start = Start(first=12, images=images())
        first = run(sampler, kind, start)[0]
        scheduler = build_scheduler(sampler, KINDS[kind], 20)
        alpha, sigma = Gaussian(scheduler, kind, torch.zeros(()), 1)._level(float(scheduler.timesteps[12]))
        noise = ImageStreams([1, 2], SHAPE).initial
        assert first.timestep == pytest.approx(float(scheduler.timesteps[12]))
        torch.testing.assert_close(first.noisy, alpha * images() + sigma * noise, atol=1e-5, rtol=1e-5)

    def test_the_steps_that_are_made_are_counted(self, sampler: str, kind: str) -> None:
        states = run(sampler, kind, Start(first=12, images=images()))
        assert [(state.step, state.steps) for state in states] == [(step, 8) for step in range(1, 9)]

    def test_a_network_that_knows_the_image_finds_it_from_anywhere(self, sampler: str, kind: str) -> None:
        states = run(sampler, kind, Start(first=12, images=images()), mean=images(), std=0.0)
        torch.testing.assert_close(states[-1].sample, images(), atol=2e-3, rtol=0)

    def test_at_full_strength_the_image_has_no_part(self, sampler: str, kind: str) -> None:
        plain = run(sampler, kind, FROM_NOISE)
        begun = run(sampler, kind, Start(first=0, images=images()))
        assert all(torch.equal(a.sample, b.sample) for a, b in zip(plain, begun, strict=True))

    def test_less_strength_stays_nearer_to_the_image(self, sampler: str, kind: str) -> None:
        distances = []
        for left_out in (4, 10, 16, 19):
            made = run(sampler, kind, Start(first=left_out, images=images()), std=0.5)[-1].sample
            distances.append(float((made - images()).square().mean()))
        assert distances == sorted(distances, reverse=True)
        assert distances[-1] < 0.1 * distances[0]

    def test_what_is_not_painted_is_the_image_to_the_bit_and_the_rest_is_another(self, sampler: str, kind: str) -> None:
        painted = torch.zeros(2, 1, 4, 4)
        painted[:, :, 1:3, 1:3] = 1
        made = run(sampler, kind, Start(first=5, images=images(), painted=painted))[-1].sample
        outside = (painted == 0).expand_as(made)
        assert torch.equal(made[outside], images()[outside])
        assert (made[~outside] - images()[~outside]).abs().mean() > 0.05

    def test_surroundings_are_noised_to_the_level_that_the_next_step_expects(self, sampler: str, kind: str) -> None:
        states = run(sampler, kind, Start(first=5, images=images(), painted=torch.zeros(2, 1, 4, 4)))
        scheduler = build_scheduler(sampler, KINDS[kind], 20)
        noise = ImageStreams([1, 2], SHAPE).initial
        for position, state in enumerate(states[1:], start=6):
            alpha, sigma = Gaussian(scheduler, kind, torch.zeros(()), 1)._level(float(scheduler.timesteps[position]))
            torch.testing.assert_close(state.noisy, alpha * images() + sigma * noise, atol=1e-5, rtol=1e-5)

    def test_levels_and_answers_belong_together(self, sampler: str, kind: str) -> None:
        scheduler = build_scheduler(sampler, KINDS[kind], 20)
        noise = torch.randn(2, *SHAPE, generator=torch.Generator().manual_seed(1))
        for step in (0, 7, 19):
            alpha, sigma = noise_level(scheduler, step)
            sample = alpha * images() + sigma * noise
            answer = {
                "epsilon": noise, "v": alpha * noise - sigma * images(), "sample": images(), "flow": noise - images(),
            }[kind]  # fmt: skip
            image, found = image_and_noise(scheduler, answer, sample, step)
            torch.testing.assert_close(found, noise, atol=1e-3, rtol=1e-3)
            if alpha > 0.05:  # at the first level an image can hardly be told from its noise
                torch.testing.assert_close(image, images(), atol=1e-3, rtol=1e-3)
        assert noise_level(scheduler, 20) == (1.0, 0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_way_back_and_there_again_leads_to_the_image(kind: str) -> None:
    sampler, errors = ("euler" if kind == "flow" else "ddim"), []
    for steps in (25, 100):
        scheduler = build_scheduler(sampler, KINDS[kind], steps)
        predict = Gaussian(scheduler, kind, torch.zeros(()), 0.5)
        noise = invert(predict, scheduler, images(), initial_scale(scheduler))
        again = build_scheduler(sampler, KINDS[kind], steps)
        streams = ImageStreams([1, 2], SHAPE)
        streams.initial = noise
        *_, last = denoise(predict, again, streams, CPU)
        errors.append(float((last.sample - images()).abs().max()))
    assert errors[1] < 0.05
    assert errors[1] < errors[0] / 2  # of first order: a quarter of the step, about a quarter of the error


def test_of_gaussian_images_the_noise_that_is_found_is_the_image_in_units_of_their_deviation() -> None:
    scheduler = build_scheduler("euler", FLOW, 400)
    noise = invert(Gaussian(scheduler, "flow", torch.zeros(()), 0.5), scheduler, images(), 1.0)
    torch.testing.assert_close(noise, images() / 0.5, atol=0.03, rtol=0.03)


class TestSlerp:
    first, second = (torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))

    def test_the_ends_are_the_noises_to_the_bit(self) -> None:
        assert torch.equal(slerp(self.first, self.second, 0.0), self.first)
        assert torch.equal(slerp(self.first, self.second, 1.0), self.second)

    @pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
    def test_of_two_directions_at_a_right_angle_it_is_cosine_and_sine(self, share: float) -> None:
        a, b = torch.zeros(2, 8), torch.zeros(2, 8)
        a[0], b[1] = 1.0, 1.0
        wanted = math.cos(share * math.pi / 2) * a + math.sin(share * math.pi / 2) * b
        torch.testing.assert_close(slerp(a, b, share), wanted)

    def test_it_stays_noise_where_a_mean_would_not(self) -> None:
        middle = slerp(self.first, self.second, 0.5)
        assert float(middle.std()) == pytest.approx(1.0, abs=0.1)
        assert float(torch.lerp(self.first, self.second, 0.5).std()) < 0.8

    def test_equal_and_opposite_noises_give_no_division_by_zero(self) -> None:
        torch.testing.assert_close(slerp(self.first, self.first, 0.3), self.first)
        assert bool(slerp(self.first, -self.first, 0.3).isfinite().all())


@pytest.mark.parametrize(
    ("strength", "steps", "left_out"), [(1.0, 20, 0), (0.75, 20, 5), (0.5, 20, 10), (0.01, 20, 19), (0.5, 1, 0)]
)
def test_strength_is_the_share_of_the_steps_that_are_made(strength: float, steps: int, left_out: int) -> None:
    assert steps_left_out(strength, steps) == left_out
