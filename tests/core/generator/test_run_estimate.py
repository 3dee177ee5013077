"""What is foretold is what a run then does, and a bound on what it takes."""

from __future__ import annotations

import pytest

from core.errors import DeviceError, ModelMissingError, UsageError
from core.events import Started
from core.generator import run_estimate, sampler
from core.generator.cost import bytes_on_disk
from core.generator.image_generator import ImageGenerator
from core.generator.run_estimate import TIMED, WARM_UP, estimate_run
from core.generator.sampler import make_predictor
from tests.support.tiny_models import write_tiny_pack


def size_of(folder) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_device_precision_and_batch_are_those_of_the_run(ask):
    request = ask({"MEL": 3, "NV": 1}, device="auto", precision="auto", batch_size=2)
    told = estimate_run(request)
    started = next(ImageGenerator().generate(request))
    assert isinstance(started, Started)
    assert (told.device, told.precision, told.batch_size) == (started.device, started.precision, started.batch_size)
    assert told.image_size == 16


def test_nothing_is_written_and_the_drive_is_that_of_the_folder_that_will_be(ask, tmp_path):
    told = estimate_run(ask(output=tmp_path / "not" / "yet"))
    assert not (tmp_path / "not").exists()
    assert told.free_disk is not None
    assert told.free_disk > 0


def test_the_images_take_no_more_than_is_said_and_not_much_less(ask, tmp_path):
    """Random 64-pixel pictures are the worst case of a PNG: 3 bytes a pixel; told are 1.7 for photographs."""
    models = write_tiny_pack(tmp_path / "models", image_size=64)
    request = ask({"MEL": 6}, models=models)
    told = estimate_run(request).disk
    list(ImageGenerator().generate(request))
    taken = size_of(request.output)
    assert told / 3 < taken < told * 3
    assert told == bytes_on_disk(request, 64)


def test_memory_grows_with_the_batch_and_holds_the_weights(ask, pack):
    one, eight = estimate_run(ask({"MEL": 8}, batch_size=1)).memory, estimate_run(ask({"MEL": 8}, batch_size=8)).memory
    weights = (pack / "diffusion_pytorch_model.safetensors").stat().st_size
    assert one - (eight - one) / 7 == pytest.approx(2 * weights)


def test_a_class_without_a_model_does_not_matter_unless_it_is_the_only_one(ask, checkpoint):
    assert estimate_run(ask({"MEL": 1, "NV": 1}, models=checkpoint.parent)).image_size == 128
    with pytest.raises(ModelMissingError, match="NV"):
        estimate_run(ask({"NV": 1}, models=checkpoint.parent))


def test_what_cannot_be_is_said_before_the_start(ask, monkeypatch):
    with pytest.raises(UsageError, match="hundreds of times slower"):
        estimate_run(ask(precision="fp16"))
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(DeviceError):
        estimate_run(ask(device="cuda:0"))


def test_a_drive_that_does_not_answer_is_no_error(ask, monkeypatch):
    def refuse(place):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(run_estimate.shutil, "disk_usage", refuse)
    assert estimate_run(ask()).free_disk is None


@pytest.mark.parametrize("steps", [1, 20])
def test_a_step_is_tried_out_without_a_trace(ask, tmp_path, monkeypatch, steps):
    """So many steps and no more, of images that nobody gets; where one image has too few, of several."""
    asked = []

    def count(*wanted):
        predict = make_predictor(*wanted)
        return lambda *given: asked.append(len(given[0])) or predict(*given)

    monkeypatch.setattr(sampler, "make_predictor", count)
    request = ask(output=tmp_path / "none", steps=steps, batch_size=2)
    seconds = ImageGenerator().time_step(request)
    assert 0 < seconds < 10
    assert asked == [2] * (WARM_UP + TIMED)
    assert not (tmp_path / "none").exists()


def test_a_trial_without_a_model_is_refused(ask, tmp_path):
    with pytest.raises(ModelMissingError):
        ImageGenerator().time_step(ask(models=tmp_path))
