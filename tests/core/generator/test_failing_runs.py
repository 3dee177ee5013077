"""What goes wrong in a run: bad models, impossible requests, no memory; nothing finished is lost by it."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import (
    DeviceError,
    ModelMissingError,
    ModelNotFiniteError,
    OutOfMemoryError,
    UsageError,
)
from core.events import Failed, ImageDone, Notice
from core.generator import run_images
from core.generator.image_generator import ImageGenerator
from core.generator.model_manager import LoadedModel
from dataset.png import read_recipe
from dataset.synthetic_dataset import SyntheticDataset
from tests.core.generator.test_image_generator import by_seed, made, of_kind
from tests.support.tiny_models import tiny_net, write_tiny_pack

pytestmark = pytest.mark.slow

# --- refusals -------------------------------------------------------------------------------------------------------


@pytest.fixture
def mixed(tmp_path) -> Path:
    """MEL and NV work, BCC is empty, DF holds NaN, the others are not there."""
    folder = tmp_path / "mixed"
    for code in ("MEL", "NV", "DF"):
        write_tiny_pack(folder / code, num_classes=None)
    (folder / "unet_BCC_best.pth").write_bytes(b"")
    net = tiny_net(num_classes=None)
    with torch.no_grad():
        net.conv_in.bias[0] = float("nan")
    net.save_pretrained(folder / "DF")
    return folder


def test_one_bad_model_does_not_stop_the_others(ask, mixed):
    request = ask({"MEL": 1, "NV": 1, "BCC": 2, "DF": 3}, models=mixed)
    events = list(ImageGenerator().generate(request))
    failed = {event.class_code: event for event in of_kind(events, Failed)}
    assert failed["BCC"].images == 2
    assert "0 bytes" in failed["BCC"].message
    assert failed["DF"].kind == "model_not_finite"
    assert all(event.remedy for event in failed.values())
    assert (events[-1].status, events[-1].written, events[-1].failed) == ("failed", 2, 5)
    assert sorted(made(request.output)) == ["MEL/ISIC_0000001.png", "NV/ISIC_0000001.png"]


def test_a_run_without_an_unavailable_class_has_failed_but_is_not_resumable(ask, mixed):
    request = ask({"MEL": 1, "BCC": 2}, models=mixed)
    finished = list(ImageGenerator().generate(request))[-1]
    assert (finished.status, finished.written, finished.failed, finished.remaining) == ("failed", 1, 2, 0)
    with SyntheticDataset.open(request.output) as dataset:
        assert dataset.unfinished() == ()


def test_a_repaired_model_is_resumed_from(ask, mixed):
    request = ask({"MEL": 1, "DF": 2}, models=mixed)
    list(ImageGenerator().generate(request))
    write_tiny_pack(mixed / "DF", num_classes=None)
    events = list(ImageGenerator().resume(request.output))
    assert (events[-1].status, events[-1].written) == ("completed", 2)


def test_nothing_available_is_an_error_and_touches_no_folder(ask, mixed):
    request = ask({"BCC": 1, "VASC": 1}, models=mixed)
    with pytest.raises(ModelMissingError) as error:
        list(ImageGenerator().generate(request))
    assert "BCC" in error.value.message
    assert "VASC" in error.value.message
    assert error.value.exit_code == 3
    assert not request.output.exists()


def test_if_every_model_is_refused_the_refusal_is_the_answer(ask, mixed):
    request = ask({"DF": 2}, models=mixed)
    with pytest.raises(ModelNotFiniteError):
        list(ImageGenerator().generate(request))
    with SyntheticDataset.open(request.output) as dataset:
        assert dataset.unfinished() == ()
        assert dataset.seeds("DF") == frozenset()


def test_an_impossible_device_or_precision_is_refused_before_anything_happens(ask):
    for change, kind in (({"device": "cuda:99"}, DeviceError), ({"precision": "fp16"}, UsageError)):
        request = ask(**change)
        with pytest.raises(kind):
            list(ImageGenerator().generate(request))
        assert not request.output.exists()


def test_guidance_for_a_model_without_null_class_is_ignored_and_said(ask, mixed):
    events = list(ImageGenerator().generate(ask({"MEL": 1}, models=mixed, guidance=3.0)))
    assert [event.kind for event in of_kind(events, Notice)] == ["guidance"]
    assert read_recipe(of_kind(events, ImageDone)[0].file).guidance == 1.0


def test_a_number_of_ddpm_steps_that_starts_too_late_is_said(ask):
    notices = of_kind(list(ImageGenerator().generate(ask({"MEL": 1}, sampler="ddpm", steps=7))), Notice)
    assert [notice.kind for notice in notices] == ["timesteps"]
    assert not of_kind(list(ImageGenerator().generate(ask({"MEL": 1}, sampler="ddpm", steps=20))), Notice)


def test_a_pack_with_an_unusable_scheduler_is_refused_and_the_others_run(ask, mixed):
    config = json.loads((mixed / "NV" / "scheduler_config.json").read_text())
    (mixed / "NV" / "scheduler_config.json").write_text(json.dumps(config | {"prediction_type": "score"}))
    events = list(ImageGenerator().generate(ask({"MEL": 1, "NV": 1}, models=mixed)))
    assert [(event.class_code, event.kind) for event in of_kind(events, Failed)] == [("NV", "model_architecture")]
    assert events[-1].written == 1


def test_too_many_steps_for_a_model_is_a_usage_error_before_anything_happens(ask, mixed):
    config = json.loads((mixed / "NV" / "scheduler_config.json").read_text())
    (mixed / "NV" / "scheduler_config.json").write_text(json.dumps(config | {"num_train_timesteps": 100}))
    request = ask({"NV": 1}, models=mixed, steps=101)
    with pytest.raises(UsageError):
        list(ImageGenerator().generate(request))
    assert not request.output.exists()


def test_images_that_come_out_as_nan_are_not_stored(ask, monkeypatch):
    real = run_images.Drawing

    class Broken(real):
        def states(self):
            for state in super().states():
                sample = state.sample.clone()
                if state.step == state.steps:
                    sample[1, 0, 0, 0] = float("nan")
                yield dataclasses.replace(state, sample=sample)

    monkeypatch.setattr(run_images, "Drawing", Broken)
    request = ask({"MEL": 3}, batch_size=3)
    events = list(ImageGenerator().generate(request))
    assert [event.kind for event in of_kind(events, Failed)] == ["not_finite"]
    assert (events[-1].written, events[-1].failed, events[-1].status) == (2, 1, "failed")
    assert len(made(request.output)) == 2


# --- memory ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_memory(monkeypatch):
    """Let networks run out of memory for more than `most` images at once, after a few steps of the batch."""

    def limit(most: int, error: type[RuntimeError] = torch.OutOfMemoryError, text: str = "CUDA out of memory.") -> None:
        real = LoadedModel.__init__
        calls = itertools.count()

        def init(self, *args, **kwargs):
            real(self, *args, **kwargs)

            def hook(module, inputs):
                if len(inputs[0]) > 2 * most and next(calls) % 3 == 2:  # doubled by guidance
                    raise error(text)

            self.net.register_forward_pre_hook(hook)

        monkeypatch.setattr(LoadedModel, "__init__", init)

    return limit


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (torch.OutOfMemoryError, "CUDA out of memory."),
        (RuntimeError, "[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_batches_are_halved_until_they_fit_and_nothing_is_lost(ask, tmp_path, small_memory, error, text):
    list(ImageGenerator().generate(ask({"MEL": 11}, output=tmp_path / "calm", batch_size=8)))
    small_memory(2, error, text)
    events = list(ImageGenerator().generate(ask({"MEL": 11}, output=tmp_path / "tight", batch_size=8)))
    assert [event.kind for event in of_kind(events, Notice)] == ["batch_halved"] * 2
    assert (events[-1].written, events[-1].status) == (11, "completed")
    assert {read_recipe(path).batch_size for path in (tmp_path / "tight").glob("*/*.png")} == {2}
    calm, tight = by_seed(tmp_path / "calm"), by_seed(tmp_path / "tight")
    assert calm.keys() == tight.keys()
    for key in calm:
        difference = np.frombuffer(calm[key], np.uint8).astype(int) - np.frombuffer(tight[key], np.uint8)
        assert np.abs(difference).max() <= 1


def test_when_not_even_one_image_fits_the_run_stays_resumable(ask, small_memory, monkeypatch):
    request = ask({"MEL": 2})
    with monkeypatch.context():
        small_memory(0)
        with pytest.raises(OutOfMemoryError) as error:
            list(ImageGenerator().generate(request))
    assert error.value.remedy
    monkeypatch.undo()
    assert list(ImageGenerator().resume(request.output))[-1].status == "completed"


def test_other_runtime_errors_are_not_taken_for_a_lack_of_memory(ask, small_memory):
    small_memory(0, RuntimeError, "mat1 and mat2 shapes cannot be multiplied")
    events = list(ImageGenerator().generate(ask({"MEL": 2})))
    assert not of_kind(events, Notice)
    (failed,) = of_kind(events, Failed)
    assert "shapes" in failed.message
    assert (events[-1].status, events[-1].failed) == ("failed", 2)
