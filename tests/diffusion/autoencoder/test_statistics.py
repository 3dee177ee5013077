"""Latent statistics against numpy over everything at once, and the one rule of normalisation against its formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.models.networks import decode, encode, natural, normalised
from diffusion.autoencoder.config import AutoencoderConfig
from diffusion.autoencoder.model import build_autoencoder
from diffusion.autoencoder.statistics import measure_latents, statistics_of
from tests.diffusion.autoencoder.conftest import photographs


def test_batches_of_any_size_give_the_numbers_of_all_values_at_once():
    latents = torch.randn(11, 3, 4, 5, generator=torch.Generator().manual_seed(1)) * 2 + torch.tensor(
        [0.0, 1e4, -3.0]
    ).view(1, 3, 1, 1)
    found = statistics_of(part for part in latents.split([1, 5, 3, 2]))
    everything = latents.double().numpy()
    assert np.allclose(found.mean, everything.mean((0, 2, 3)), rtol=1e-12)
    assert np.allclose(found.std, everything.std((0, 2, 3)), rtol=1e-9)


def test_constant_channels_have_no_deviation():
    assert statistics_of(iter([torch.full((2, 1, 3, 3), 5.0)] * 3)) == ((5.0,), (0.0,))


def test_statistics_are_those_of_the_posteriors_mean(config: AutoencoderConfig):
    net, pixels = build_autoencoder(config).eval(), photographs(9).pixels
    with torch.no_grad():
        means = net.encode(pixels.float() / 127.5 - 1).latent_dist.mode().double().numpy()
    found = measure_latents(net, pixels, "fp32")
    assert np.allclose(found.mean, means.mean((0, 2, 3)), atol=1e-6)
    assert np.allclose(found.std, means.std((0, 2, 3)), atol=1e-6)


def test_at_most_so_many_photographs_are_measured(config: AutoencoderConfig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("diffusion.autoencoder.statistics.MOST", 4)
    net, pixels = build_autoencoder(config).eval(), photographs(9).pixels
    assert measure_latents(net, pixels, "fp32") == measure_latents(net, pixels[::3], "fp32")


def test_normalised_latents_have_mean_0_and_deviation_1_and_decode_as_they_were(config: AutoencoderConfig):
    net, pixels = build_autoencoder(config).eval(), photographs(9).pixels
    found = measure_latents(net, pixels, "fp32")
    net.register_to_config(latents_mean=list(found.mean), latents_std=list(found.std))
    pictures = pixels.float() / 127.5 - 1
    with torch.no_grad():
        latents = encode(net, pictures)
        raw = net.encode(pictures).latent_dist.mode()
        assert torch.allclose(decode(net, latents), net.decode(raw).sample, atol=1e-5)
    assert torch.allclose(latents.mean((0, 2, 3)), torch.zeros(2), atol=1e-5)
    assert torch.allclose(latents.std((0, 2, 3), correction=0), torch.ones(2), atol=1e-4)
    by_hand = (raw - torch.tensor(found.mean).view(1, 2, 1, 1)) / torch.tensor(found.std).view(1, 2, 1, 1)
    assert torch.allclose(normalised(net, raw), by_hand, atol=1e-5)
    assert torch.allclose(natural(net, normalised(net, raw)), raw, atol=1e-5)
