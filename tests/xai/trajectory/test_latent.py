"""Trajectories and Time-SHAP of models that generate latent images: everything that is shown is decoded."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.generation import PlannedImage
from core.generator.sampler import ImageStreams, build_scheduler
from core.samplers import SAMPLERS
from core.taxonomy import image_seed
from tests.support.tiny_latents import write_tiny_latent_pack
from xai.explain import get_classifier
from xai.trajectory.coalitions import CoalitionTree, make_actions, root, split_steps
from xai.trajectory.request import TrajectoryRequest
from xai.trajectory.source import Sources, draw_frames
from xai.trajectory.target import make_target
from xai.trajectory.time_shap import time_shap

CPU = torch.device("cpu")


@pytest.fixture(scope="module", params=[True, False], ids=["flow", "velocity"])
def latent(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("latent_models")
    write_tiny_latent_pack(folder / "pack", flow=request.param)
    return folder


@pytest.fixture
def source_of(latent, tmp_path):
    def make(sampler="dpmpp-2m-sde", steps=4):
        request = TrajectoryRequest(tmp_path, models=latent, device="cpu", sampler=sampler, steps=steps)
        return Sources(request).source(PlannedImage("MEL", 0, image_seed("MEL", 0, 42)))

    return make


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_frames_are_pictures(source_of, sampler):
    source = source_of(sampler)
    frames, timesteps = draw_frames(source, 1)
    assert len(frames) == len(timesteps) == 4
    for frame in frames:
        assert frame.noisy.shape == frame.predicted.shape == frame.picture.shape == (16, 16, 3)
        assert frame.picture.dtype == np.uint8
    first, last = (source.model.pictures(state) for state in _ends(source))
    assert np.allclose(frames[0].noisy, first[0].movedim(0, -1), atol=1e-5)
    assert np.array_equal(frames[-1].picture, source.finish(_ends(source)[1])[0])
    assert last.shape == (1, 3, 16, 16)


def _ends(source):
    states = list(source.drawing().states())
    return states[0].noisy, states[-1].sample


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("neutral", ["null", "hold"])
def test_the_coalition_of_all_steps_is_the_image(source_of, sampler, neutral):
    """Split into groups and walked branch by branch, the steps end at the image that is generated."""
    source = source_of(sampler)
    model = source.model
    scheduler = build_scheduler(sampler, model.scheduler_config, 4)
    start = root(ImageStreams([source.planned.seed], model.noise_shape), scheduler, CPU)
    actions = make_actions(model, source.settings.guidance, neutral)
    tree = CoalitionTree(start, actions, split_steps(4, 2))
    with source.circumstances():
        found = {
            coalition: samples[position, None]
            for coalitions, samples in tree.play({0, 3})
            for position, coalition in enumerate(coalitions)
        }
    assert np.array_equal(source.finish(found[3]), source.finish(_ends(source)[1]))
    assert torch.isfinite(found[0]).all()
    assert not torch.allclose(found[0], found[3])


def test_time_shap_adds_up(source_of, classifier):
    source = source_of("euler")
    played = time_shap(source, make_target(get_classifier(classifier, "cpu"), "MEL"), 2)
    assert played.picture.shape == (16, 16, 3)
    assert abs(played.efficiency_error) < 1e-5
    assert np.array_equal(played.picture, source.finish(_ends(source)[1])[0])
