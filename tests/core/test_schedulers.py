"""The samplers against diffusers itself and against a distribution whose exact score is known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler, UniPCMultistepScheduler

from core.errors import ModelArchitectureError, UsageError
from core.generator.sampler import ImageStreams, build_scheduler, denoise
from core.models.networks import PREDECESSOR_SCHEDULER
from core.samplers import SAMPLERS
from core.schedulers import describe_scheduler

CPU = torch.device("cpu")
FAST = ("ddim", "dpmpp-2m-sde", "unipc")
STEPS = (1, 2, 3, 5, 7, 20, 50, 999, 1000)
COSINE = DDPMScheduler(**PREDECESSOR_SCHEDULER).alphas_cumprod.double().numpy()


class ExactGaussian:
    """The perfect network for independent pixels N(mean, std^2): what E[eps | x_t] or E[v | x_t] is in closed form."""

    def __init__(self, mean: float, std: float, prediction_type: str = "epsilon") -> None:
        self.mean, self.std, self.prediction_type = mean, std, prediction_type

    def __call__(self, x: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        # as the samplers do between whole timesteps: linear in sigma = sqrt((1 - a) / a)
        sigma = float(np.interp(float(timestep), np.arange(1000), np.sqrt((1 - COSINE) / COSINE)))
        a = 1 / (1 + sigma**2)
        eps = math.sqrt(1 - a) * (x - math.sqrt(a) * self.mean) / (a * self.std**2 + 1 - a)
        x0 = (x - math.sqrt(1 - a) * eps) / math.sqrt(a)
        if self.prediction_type == "v_prediction":
            return math.sqrt(a) * eps - math.sqrt(1 - a) * x0
        return x0 if self.prediction_type == "sample" else eps


def run(sampler: str, steps: int, net, *, images: int = 1, size: int = 32, config=PREDECESSOR_SCHEDULER):
    scheduler = build_scheduler(sampler, config, steps)
    streams = ImageStreams(range(images), (3, size, size))
    return list(denoise(net, scheduler, streams, CPU))


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_number_of_steps_gives_finite_images_in_range_and_distinct_descending_timesteps(sampler, steps):
    states = run(sampler, steps, ExactGaussian(0.2, 0.15), size=4)
    times = [state.timestep for state in states]
    assert len(states) == steps
    assert all(earlier > later >= 0 for earlier, later in itertools.pairwise(times))
    assert max(times) <= 999
    assert torch.isfinite(states[-1].sample).all()
    assert float(states[-1].sample.abs().max()) <= 1.0 + 1e-5
    assert all(float(state.predicted.abs().max()) <= 1.0 for state in states)


@pytest.mark.parametrize(
    ("sampler", "steps", "width"),
    [
        ("ddpm", 50, 0.12), ("ddpm", 250, 0.04), ("ddpm", 1000, 0.03),
        ("ddim", 20, 0.13), ("ddim", 50, 0.06), ("ddim", 999, 0.03), ("ddim", 1000, 0.03),
        ("dpmpp-2m-sde", 10, 0.18), ("dpmpp-2m-sde", 20, 0.04),
        ("dpmpp-2m-sde", 999, 0.03), ("dpmpp-2m-sde", 1000, 0.03),
        ("unipc", 10, 0.13), ("unipc", 20, 0.05), ("unipc", 999, 0.03), ("unipc", 1000, 0.03),
    ],
)  # fmt: skip
def test_a_gaussian_comes_out_as_it_is(sampler, steps, width):
    """With the exact score the pixels are N(0.1, 0.3^2); with few steps a solver loses some of the width."""
    pixels = run(sampler, steps, ExactGaussian(0.1, 0.3), images=2, size=64)[-1].sample
    assert float(pixels.mean()) == pytest.approx(0.1, abs=0.015)
    assert float(pixels.std()) == pytest.approx(0.3, rel=width)


def test_the_default_loses_less_variety_in_20_steps_than_the_legacy_setting_in_50():
    default, legacy = (
        float(run(sampler, steps, ExactGaussian(0.1, 0.3), images=2, size=64)[-1].sample.std())
        for sampler, steps in (("dpmpp-2m-sde", 20), ("ddpm", 50))
    )
    assert abs(default - 0.3) < abs(legacy - 0.3) / 2


@pytest.mark.parametrize("prediction_type", ["v_prediction", "sample"])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_prediction_type_only_changes_what_the_network_says(sampler, prediction_type):
    plain = run(sampler, 12, ExactGaussian(0.2, 0.15))
    config = {**PREDECESSOR_SCHEDULER, "prediction_type": prediction_type}
    other = run(sampler, 12, ExactGaussian(0.2, 0.15, prediction_type), config=config)
    for a, b in zip(plain, other, strict=True):
        assert torch.allclose(a.predicted, b.predicted, atol=2e-3)
        assert torch.allclose(a.sample, b.sample, atol=2e-3)


def test_predicted_images_of_v_prediction_follow_the_formula():
    """x0 = sqrt(a) x_t - sqrt(1 - a) v (Salimans & Ho 2022), clipped."""
    config = {**PREDECESSOR_SCHEDULER, "prediction_type": "v_prediction"}
    seen = {}

    def net(x, timestep):
        seen[float(timestep)] = (x.clone(), torch.sin(x))
        return torch.sin(x)

    for sampler in SAMPLERS:
        seen.clear()
        for state in run(sampler, 7, net, size=4, config=config):
            x, v = seen[state.timestep]
            a = COSINE[int(state.timestep)]
            assert torch.equal(state.noisy, x)
            assert torch.allclose(state.predicted, (math.sqrt(a) * x - math.sqrt(1 - a) * v).clamp(-1, 1), atol=1e-5)


@pytest.mark.parametrize("sampler", FAST)
def test_a_wild_network_cannot_make_the_fast_samplers_diverge(sampler):
    for steps in (5, 20, 200):
        states = run(sampler, steps, lambda x, t: 5 * torch.tanh(x) + 3, size=8)
        assert all(float(state.sample.abs().max()) < 10 for state in states)


def wobbly(x: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
    return 0.9 * x + 0.1 * torch.cos(3 * x + float(timestep) / 300)


def reference(scheduler, seed: int = 0, size: int = 16, **step) -> torch.Tensor:
    """A plain loop over a diffusers scheduler, as its documentation would write it."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn((1, 3, size, size), generator=generator)
    for t in scheduler.timesteps:
        extra = {"generator": generator} if step.get("stochastic") else {}
        x = scheduler.step(wobbly(x, t), t, x, **extra, **step.get("arguments", {})).prev_sample
    return x


@pytest.mark.parametrize("steps", [1, 2, 20, 50, 300, 1000])
def test_ddpm_is_diffusers_own_to_the_bit(steps):
    library = DDPMScheduler(
        num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2", prediction_type="epsilon"
    )  # the predecessor's three arguments, defaults otherwise
    library.set_timesteps(steps)
    ours = run("ddpm", steps, wobbly, size=16)
    assert [state.timestep for state in ours] == library.timesteps.tolist()
    assert torch.equal(ours[-1].sample, reference(library, stochastic=True))


@pytest.mark.parametrize("steps", [2, 10, 20, 50, 1000])
def test_ddim_is_diffusers_own_where_the_steps_divide_the_timesteps(steps):
    library = DDIMScheduler(num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2", prediction_type="epsilon")
    library.set_timesteps(steps)
    ours = run("ddim", steps, wobbly, size=16)
    assert [state.timestep for state in ours] == library.timesteps.tolist()
    assert torch.allclose(ours[-1].sample, reference(library, arguments={"use_clipped_model_output": True}), atol=2e-3)


@pytest.mark.parametrize("steps", [1, 2, 5, 15, 20, 25])
def test_dpmpp_is_diffusers_own_with_thresholding_as_clamp(steps):
    library = DPMSolverMultistepScheduler(
        num_train_timesteps=1000,
        beta_schedule="squaredcos_cap_v2",
        algorithm_type="sde-dpmsolver++",
        lambda_min_clipped=-5.1,
        thresholding=True,
        sample_max_value=1.0,
    )
    library.set_timesteps(steps)
    ours = run("dpmpp-2m-sde", steps, wobbly, size=16)
    assert [state.timestep for state in ours] == library.timesteps.tolist()
    assert torch.allclose(ours[-1].sample, reference(library, stochastic=True), atol=1e-4)


@pytest.mark.parametrize("steps", [1, 3, 4, 7, 9, 19, 24])
def test_unipc_is_diffusers_own_where_its_spacing_is_exact(steps):
    library = UniPCMultistepScheduler(
        num_train_timesteps=1000,
        beta_schedule="squaredcos_cap_v2",
        timestep_spacing="leading",
        thresholding=True,
        sample_max_value=1.0,
    )
    library.set_timesteps(steps)
    ours = run("unipc", steps, wobbly, size=16)
    assert [state.timestep for state in ours] == library.timesteps.tolist()
    assert torch.allclose(ours[-1].sample, reference(library), atol=1e-4)


def test_a_packs_own_ddpm_configuration_is_followed():
    config = {**PREDECESSOR_SCHEDULER, "variance_type": "fixed_large", "timestep_spacing": "trailing", "_x": 1}
    scheduler = build_scheduler("ddpm", config, 10)
    assert scheduler.timesteps[0] == 999
    assert scheduler.config.variance_type == "fixed_large"


def test_other_samplers_take_only_what_the_model_was_trained_with():
    config = {**PREDECESSOR_SCHEDULER, "prediction_type": "v_prediction", "timestep_spacing": "trailing"}
    scheduler = build_scheduler("unipc", config, 19)
    assert scheduler.timesteps[0] == 950
    assert scheduler.config.prediction_type == "v_prediction"


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_scheduler_can_be_rebuilt_from_its_own_description(sampler):
    first = build_scheduler(sampler, {**PREDECESSOR_SCHEDULER, "prediction_type": "v_prediction"}, 20)
    description = describe_scheduler(first)
    second = build_scheduler(sampler, description, 20)
    assert torch.equal(first.timesteps, second.timesteps)
    assert describe_scheduler(second) == description
    assert description["_class_name"].endswith("Scheduler")
    assert not description["_class_name"].startswith("_")


def test_more_steps_than_the_model_has_timesteps_is_a_usage_error():
    with pytest.raises(UsageError, match="trained with 100 timesteps"):
        build_scheduler("unipc", {**PREDECESSOR_SCHEDULER, "num_train_timesteps": 100}, 101)


@pytest.mark.parametrize("change", [{"prediction_type": "score"}, {"beta_schedule": "magic"}, {"beta_schedule": 5}])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_an_unusable_configuration_is_refused_in_words(sampler, change):
    with pytest.raises(ModelArchitectureError) as refusal:
        build_scheduler(sampler, {**PREDECESSOR_SCHEDULER, **change}, 20)
    assert refusal.value.remedy


def test_one_step_of_the_default_sampler_is_the_predicted_image():
    state = run("dpmpp-2m-sde", 1, ExactGaussian(0.2, 0.15))[0]
    assert torch.allclose(state.sample, state.predicted, atol=1e-6)
    assert float(state.sample.mean()) == pytest.approx(0.2, abs=0.01)
