"""The denoising loop: random streams by seed alone, honest states, and the predecessor's pictures."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler

from core.cache.cache_manager import CacheManager
from core.generator.model_manager import LoadedModel, ModelManager
from core.generator.sampler import (
    Drawing,
    ImageStreams,
    Settings,
    build_scheduler,
    effective_guidance,
    make_predictor,
    noise_hash,
    to_uint8,
)
from core.models.discovery import ClassModel, discover
from core.models.networks import PREDECESSOR_SCHEDULER
from core.samplers import SAMPLERS
from core.taxonomy import image_seed
from tests.support.tiny_models import predecessor_net, tiny_net, tiny_scheduler, write_tiny_pack

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def tiny(pack) -> LoadedModel:
    return ModelManager(CacheManager()).load(discover(pack).classes["BKL"], CPU, "fp32")


def draw(model: LoadedModel, seeds: list[int], batch_size: int = 1, **change) -> np.ndarray:
    settings = Settings(**{"sampler": "dpmpp-2m-sde", "steps": 4, "guidance": 1.5, "batch_size": batch_size, **change})
    images = []
    for start in range(0, len(seeds), batch_size):
        *_, last = Drawing(model, settings, seeds[start : start + batch_size]).states()
        images.append(to_uint8(last.sample))
    return np.concatenate(images)


def test_the_initial_noise_is_torchs_own_for_the_seed():
    streams = ImageStreams([5, 6], (3, 8, 8))
    for position, seed in enumerate((5, 6)):
        expected = torch.randn(1, 3, 8, 8, generator=torch.Generator("cpu").manual_seed(seed))
        assert torch.equal(streams.initial[position], expected[0])
        digest = hashlib.sha256(expected.numpy().tobytes()).hexdigest()[:16]
        assert streams.noise_hash(position) == digest == noise_hash(expected[0])


def test_the_first_melanomas_seed_and_noise_are_the_predecessors():
    seed = image_seed("MEL", 0, 42)
    assert seed == 2133561722
    streams = ImageStreams([seed], (3, 128, 128))
    first = torch.tensor([-0.2077089, 1.3968570, -1.1225755, 1.6568793])
    torch.testing.assert_close(streams.initial[0].flatten()[:4], first, rtol=0, atol=1e-5)
    if torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512"):  # others round the last bits in another way
        assert streams.noise_hash(0) == "993983709fa24198"


def test_noise_is_independent_of_the_batch():
    together = ImageStreams([1, 2, 3], (3, 4, 4))
    for position, seed in enumerate((1, 2, 3)):
        alone = ImageStreams([seed], (3, 4, 4))
        assert torch.equal(together.initial[position], alone.initial[0])


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_images_do_not_depend_on_batch_size_or_order(tiny, sampler):
    seeds = [10, 11, 12, 13, 14, 15, 16, 17]
    one = draw(tiny, seeds, 1, sampler=sampler).astype(int)
    for batch_size in (3, 8):
        assert np.abs(draw(tiny, seeds, batch_size, sampler=sampler) - one).max() <= 1
    assert np.abs(draw(tiny, seeds[::-1], 3, sampler=sampler)[::-1] - one).max() <= 1


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_at_a_fixed_batch_shape_images_are_equal_to_the_bit_wherever_they_stand(tiny, sampler):
    seeds = [10, 11, 12, 13]
    full = draw(tiny, seeds, 4, sampler=sampler)
    assert np.array_equal(full, draw(tiny, seeds, 4, sampler=sampler))
    for position, seed in enumerate(seeds):
        assert np.array_equal(full[position], draw(tiny, [seed], 4, sampler=sampler)[0])  # padded to 4
    assert np.array_equal(full[::-1], draw(tiny, seeds[::-1], 4, sampler=sampler))


def test_different_seeds_and_classes_give_different_images(tiny, pack):
    other = ModelManager(CacheManager()).load(discover(pack).classes["MEL"], CPU, "fp32")
    assert not np.array_equal(draw(tiny, [1]), draw(tiny, [2]))
    assert not np.array_equal(draw(tiny, [1]), draw(other, [1]))


def test_states_count_up_and_chain(tiny):
    states = list(Drawing(tiny, Settings("ddpm", 6, 1.0, 2), [1, 2]).states())
    assert [(state.step, state.steps) for state in states] == [(i, 6) for i in range(1, 7)]
    for before, after in itertools.pairwise(states):
        assert torch.equal(after.noisy, before.sample)
    assert all(state.sample.dtype == torch.float32 and state.sample.shape == (2, 3, 16, 16) for state in states)


def test_inference_mode_does_not_leak_to_the_consumer(tiny):
    for _ in Drawing(tiny, Settings("ddpm", 2, 1.0, 1), [1]).states():
        assert not torch.is_inference_mode_enabled()
        assert torch.is_grad_enabled()


def test_the_global_random_state_is_neither_used_nor_touched(tiny):
    torch.manual_seed(1)
    first = draw(tiny, [3])
    torch.manual_seed(2)
    before = torch.get_rng_state()
    assert np.array_equal(first, draw(tiny, [3]))
    assert torch.equal(before, torch.get_rng_state())


def test_guidance_is_the_formula_by_two_separate_passes(tiny):
    """uncond + g (cond - uncond), computed here one pass after the other."""
    net = tiny_net()
    x, t = torch.randn(3, 3, 16, 16), torch.tensor(321)
    with torch.inference_mode():
        conditional = net(x, t, class_labels=torch.tensor([4, 4, 4])).sample
        unconditional = net(x, t, class_labels=torch.tensor([7, 7, 7])).sample
        for guidance in (0.0, 0.5, 1.0, 2.0, 7.5):
            expected = unconditional + guidance * (conditional - unconditional)
            assert torch.allclose(make_predictor(tiny, guidance)(x, t), expected, atol=1e-5)
    assert not torch.allclose(conditional, unconditional, atol=1e-3)


def test_guidance_one_asks_the_network_once_and_any_other_one_doubled_batch(tiny, monkeypatch):
    sizes = []
    tiny.net.register_forward_hook(lambda module, args, output: sizes.append(len(args[0])))
    x = torch.zeros(3, 3, 16, 16)
    with torch.inference_mode():
        make_predictor(tiny, 1.0)(x, torch.tensor(5))
        make_predictor(tiny, 2.0)(x, torch.tensor(5))
    assert sizes == [3, 6]
    tiny.net._forward_hooks.clear()


def test_guidance_comes_from_the_request_then_from_the_model(tiny, tmp_path):
    assert effective_guidance(tiny, None) == 1.5
    assert effective_guidance(tiny, 3.0) == 3.0
    seven = write_tiny_pack(tmp_path / "seven", num_classes=7)
    unguided = ModelManager(CacheManager()).load(discover(seven).classes["MEL"], CPU, "fp32")
    assert effective_guidance(unguided, 3.0) == effective_guidance(unguided, None) == 1.0


def test_a_pack_matches_a_plain_diffusers_loop(tiny):
    net, scheduler = tiny_net(), tiny_scheduler()
    scheduler.set_timesteps(9)
    generator = torch.Generator().manual_seed(77)
    x = torch.randn(1, 3, 16, 16, generator=generator)
    with torch.no_grad():
        for t in scheduler.timesteps:
            x = scheduler.step(net(x, t, torch.tensor([4])).sample, t, x, generator=generator).prev_sample
    expected = ((x / 2 + 0.5).clamp(0, 1) * 255).to(torch.uint8)[0].permute(1, 2, 0).numpy().astype(int)
    assert np.abs(draw(tiny, [77], sampler="ddpm", steps=9, guidance=1.0)[0] - expected).max() <= 1


def test_the_predecessors_checkpoint_matches_a_plain_diffusers_ddpm_loop(checkpoint):
    """Random weights of the exact architecture, 128 x 128, fp32: equal to within 1 of 255."""
    net = predecessor_net()
    scheduler = DDPMScheduler(num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2", prediction_type="epsilon")
    scheduler.set_timesteps(3)
    seed = image_seed("MEL", 0, 42)
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(1, 3, 128, 128, generator=generator)
    with torch.no_grad():
        for t in scheduler.timesteps:
            x = scheduler.step(net(x, t).sample, t, x, generator=generator).prev_sample
    expected = (((x + 1) / 2).clamp(0, 1) * 255).to(torch.uint8)[0].permute(1, 2, 0).numpy()
    model = ModelManager(CacheManager()).load(ClassModel("MEL", True, checkpoint, "checkpoint"), CPU, "fp32")
    ours = draw(model, [seed], sampler="ddpm", steps=3, guidance=1.0)[0]
    assert np.abs(ours.astype(int) - expected).max() <= 1
    assert ours.std() > 5  # a picture, not a constant


def test_pixels_are_truncated_as_the_predecessor_does():
    values = torch.tensor([-2.0, -1.0, 0.0, 0.999, 1.0, 3.0]).reshape(1, 1, 6).expand(3, 1, 6)
    assert to_uint8(values)[0, :, 0].tolist() == [0, 0, 127, 254, 255, 255]
    assert to_uint8(torch.zeros(2, 3, 4, 5)).shape == (2, 4, 5, 3)


def test_bf16_stays_close_to_fp32_and_the_scheduler_computes_in_fp32(pack):
    manager, model = ModelManager(CacheManager()), discover(pack).classes["MEL"]
    images = {}
    for precision in ("fp32", "bf16"):
        loaded = manager.load(model, CPU, precision)
        *_, last = Drawing(loaded, Settings("ddpm", 10, 1.5, 1), [3]).states()
        assert last.sample.dtype == torch.float32
        images[precision] = to_uint8(last.sample).astype(int)
    assert np.abs(images["bf16"] - images["fp32"]).mean() < 3


def test_a_scheduler_is_new_for_every_batch():
    first, second = (build_scheduler("unipc", PREDECESSOR_SCHEDULER, 5) for _ in range(2))
    assert first is not second
    assert second.model_outputs == [None, None]
