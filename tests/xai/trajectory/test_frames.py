"""The analysed image is the image that `generate` makes and saves."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from core.errors import InputRefusedError, UsageError
from core.events import ImageDone
from core.generation import GenerationRequest
from core.generator.image_generator import ImageGenerator
from core.jobs.stream import JobStopped
from tests.support.stopping_job import StoppingJob
from tests.support.tiny_models import write_tiny_pack
from xai.trajectory.request import TrajectoryRequest
from xai.trajectory.source import Frame, Sources, draw_frames, source_of_image

STATISTICS = {"MEL": {"rgb": {"mean": [180, 120, 110], "std": [30, 35, 40]}}}


@pytest.fixture(scope="module")
def corrected_models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corrected")
    write_tiny_pack(folder / "pack")
    (folder / "color_statistics.json").write_text(json.dumps(STATISTICS), encoding="utf-8")
    return folder


def generate(folder, models, **flags):
    request = GenerationRequest((("MEL", 2),), models, folder, device="cpu", **flags)
    return [event.file for event in ImageGenerator().generate(request) if isinstance(event, ImageDone)]


@pytest.mark.parametrize("sampler", ["dpmpp-2m-sde", "ddpm", "ddim", "unipc"])
def test_the_last_frame_is_the_image_that_generate_saves(models, tmp_path, sampler):
    files = generate(tmp_path / "out", models, sampler=sampler, steps=7)
    request = TrajectoryRequest(tmp_path, models=models, sampler=sampler, steps=7, count=2, device="cpu")
    sources = Sources(request)
    for file, planned in zip(files, request.planned(), strict=True):
        frames, timesteps = draw_frames(sources.source(planned), 5)
        np.testing.assert_array_equal(frames[-1].picture, np.asarray(Image.open(file)))
        assert [frame.step for frame in frames] == [1, 6, 7]
        assert [frame.timestep for frame in frames] == [timesteps[0], timesteps[5], timesteps[6]]


@pytest.mark.parametrize("color", [True, False])
def test_what_is_explained_is_the_saved_image_after_colour_correction(corrected_models, tmp_path, color):
    file, _ = generate(tmp_path / "out", corrected_models, steps=4, color=color)
    request = TrajectoryRequest(tmp_path, models=corrected_models, steps=4, color=color, device="cpu")
    source = Sources(request).source(request.planned()[0])
    frames, _ = draw_frames(source, 1)
    assert (source.color is not None) is color
    np.testing.assert_array_equal(frames[-1].picture, np.asarray(Image.open(file)))
    plain = draw_frames(replace(source, color=None), 1)[0][-1].picture
    assert np.array_equal(plain, frames[-1].picture) is not color


def test_an_image_is_drawn_again_from_its_own_recipe(corrected_models, tmp_path):
    _, file = generate(tmp_path / "out", corrected_models, steps=5, seed=7, guidance=2.5, batch_size=3)
    source = source_of_image(file, TrajectoryRequest(tmp_path, image=file, device="cpu"))
    frames, _ = draw_frames(source, 5)
    np.testing.assert_array_equal(frames[-1].picture, np.asarray(Image.open(file)))
    assert source.planned.index == 1
    assert source.settings.guidance == 2.5


def test_the_first_and_the_last_step_are_kept_always(make_source):
    for every, expected in ((1, [1, 2, 3, 4, 5, 6]), (4, [1, 5, 6]), (5, [1, 6]), (100, [1, 6])):
        assert [frame.step for frame in draw_frames(make_source(steps=6), every)[0]] == expected


def test_frames_hold_noise_first_and_the_prediction_in_range(make_source):
    frames, _ = draw_frames(make_source(steps=6), 1)
    assert frames[0].noisy.std() == pytest.approx(1, abs=0.15)
    assert all(np.abs(frame.predicted).max() <= 1 + 1e-6 for frame in frames)
    assert frames[0].noisy_picture.dtype == np.uint8


def test_pictures_on_the_way_are_what_the_network_took_the_image_to_become(make_source):
    source = make_source(steps=6)
    frames, _ = draw_frames(source, 1)
    for frame in frames[:-1]:
        expected = source.finish(torch.from_numpy(frame.predicted.transpose(2, 0, 1))[None])[0]
        np.testing.assert_array_equal(frame.picture, expected)
        assert not np.array_equal(frame.picture, frame.noisy_picture)


def test_noise_as_a_picture_is_black_at_minus_one_and_white_at_one():
    values = np.array([-3.0, -1.0, 0.0, 1.0, 3.0], np.float32)
    frame = Frame(1, 980.0, values, values, np.zeros(5, np.uint8))
    assert frame.noisy_picture.tolist() == [0, 0, 127, 255, 255]
    assert (frame.name, replace(frame, timestep=12.5).name) == ("980", "12.5")


def test_an_image_that_is_no_picture_is_refused(make_source):
    source = make_source(steps=2)
    for parameter in source.model.net.parameters():
        parameter.data.fill_(float("nan"))
    with pytest.raises(InputRefusedError, match="NaN or infinity"):
        draw_frames(source, 1)


def test_a_stop_is_seen(make_source):
    with pytest.raises(JobStopped):
        draw_frames(make_source(steps=6), 1, context=StoppingJob(lambda: True))


def test_more_steps_than_the_model_was_trained_with_are_refused(models, tmp_path):
    few = tmp_path / "few"
    shutil.copytree(models, few)
    file = few / "pack/scheduler/scheduler_config.json"
    file = file if file.is_file() else few / "pack/scheduler_config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**config, "num_train_timesteps": 50}), encoding="utf-8")
    request = TrajectoryRequest(tmp_path, models=few, steps=51, device="cpu")
    with pytest.raises(UsageError, match="51 steps were requested, but the model was trained with 50"):
        draw_frames(Sources(request).source(request.planned()[0]), 5)
