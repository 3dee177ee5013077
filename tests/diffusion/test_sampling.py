"""Samples in memory are what the product's generator draws from the same seeds."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.cache.cache_manager import CacheManager
from core.generator.model_manager import ModelManager
from core.generator.sampler import Drawing, Settings, to_uint8
from core.models.discovery import discover
from diffusion.evaluation import SampleSettings, draw_samples
from tests.support.tiny_models import tiny_net, tiny_scheduler, write_tiny_pack

SETTINGS = SampleSettings(steps=3, guidance=2.0, batch_size=2)


def draw(label: int, seeds: list[int], settings: SampleSettings = SETTINGS) -> torch.Tensor:
    return draw_samples(tiny_net(), tiny_scheduler().config, label, seeds, null_label=7, settings=settings)


def test_equal_the_generator_on_the_same_pack(tmp_path: Path):
    pack = write_tiny_pack(tmp_path / "pack")
    model = ModelManager(CacheManager()).load(discover(pack).classes["BCC"], torch.device("cpu"), "fp32")
    *_, last = Drawing(model, Settings("dpmpp-2m-sde", 3, 2.0, 2), [5, 6]).states()
    expected = torch.from_numpy(to_uint8(last.sample)).permute(0, 3, 1, 2)
    assert torch.equal(draw(2, [5, 6]), expected)


def test_an_image_depends_on_its_own_seed_alone():
    together = draw(0, [1, 2, 3])
    assert together.shape == (3, 3, 16, 16)
    assert together.dtype == torch.uint8
    assert (together[2:].int() - draw(0, [3]).int()).abs().max() <= 1  # a batch of another shape rounds differently
    assert not torch.equal(together[0], together[1])


def test_class_and_guidance_matter():
    plain = SampleSettings(steps=3, batch_size=2)
    assert not torch.equal(draw(0, [1]), draw(1, [1]))
    assert not torch.equal(draw(0, [1]), draw(0, [1], plain))


def test_without_a_null_class_guidance_is_ignored():
    def unguided(guidance: float) -> torch.Tensor:
        settings = SampleSettings(steps=3, guidance=guidance)
        return draw_samples(tiny_net(num_classes=7), tiny_scheduler().config, 1, [1], settings=settings)

    assert torch.equal(unguided(3.0), unguided(1.0))


def test_samples_an_unconditional_network():
    assert draw_samples(
        tiny_net(num_classes=None), tiny_scheduler().config, None, [1], settings=SampleSettings(steps=2)
    ).shape == (1, 3, 16, 16)


@pytest.mark.parametrize("sampler", ["ddim", "unipc", "ddpm"])
def test_knows_every_sampler(sampler: str):
    assert draw(0, [1], SampleSettings(sampler=sampler, steps=2)).shape == (1, 3, 16, 16)
