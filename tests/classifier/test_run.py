"""A run from photographs to the exported classifier: seeds and folds, test lesions untouched, a real kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from classifier.config import ClassifierConfig
from classifier.events import Evaluated, Measured, RunStopped, SplitReady, Summarised, TrainingFinished, TrainingStarted
from classifier.learner import Learner
from classifier.run import ClassifierRun, check_leakage, plan_parts, run_name
from classifier.trained import Trained
from core.cancel import CancelToken, StopMode
from core.errors import FolderLockedError, InputRefusedError, OutOfMemoryError, OutputError
from core.events import Notice
from core.files.folder_lock import FolderLock
from core.models.classification.loading import load_network
from photographs.labelled import LabelledImage
from photographs.sources import read_dataset
from tests.classifier.training_builders import TINY, tiny, vector
from tests.support.labelled_data import write_labelled_folder
from training.run_folder import read_run_config, read_run_settings
from training.runtime import load_checkpoint, save_checkpoint
from training.settings import SettingsRefusedError

pytestmark = pytest.mark.slow


def make_run(data: Path, config: ClassifierConfig, folder: Path) -> ClassifierRun:
    photographs = read_dataset(data)
    return ClassifierRun(photographs, config, plan_parts(photographs.images, config), folder, "none")


def carry_out(run: ClassifierRun) -> list[Any]:
    return list(run.carry_out(CancelToken()))


def train_only(run: ClassifierRun) -> list[Any]:
    """Carry out a run of one training up to where it would be measured."""
    events = []
    for event in run.carry_out(CancelToken()):
        events.append(event)
        if isinstance(event, TrainingFinished):
            break
    return events


def of_kind(events: list[Any], kind: type) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def test_no_test_picture_is_opened_before_training_is_over(tmp_path):
    data = write_labelled_folder(tmp_path / "data", lesions=6, size=16, val=1)
    run = make_run(data, tiny(epochs=2), tmp_path / "run")
    held = [*run.parts[0].splits.test, *run.parts[0].splits.extra]
    hidden = {image.path: image.path.read_bytes() for image in held}
    for path in hidden:
        path.unlink()
    events = []
    for event in run.carry_out(CancelToken()):
        events.append(event)
        if isinstance(event, TrainingFinished):
            for path, content in hidden.items():
                path.write_bytes(content)
    results = json.loads((tmp_path / "run" / "test_results.json").read_text(encoding="utf-8"))
    assert results["images"] == len(run.parts[0].splits.test)
    assert events[-1].measured_on == "test"


def test_the_exported_classifier_is_the_best_epoch_and_can_be_loaded(labelled, tmp_path):
    run = make_run(labelled, tiny(epochs=6, learning_rate=1e-2, mask_weight=0), tmp_path / "run")
    events = carry_out(run)
    measured = of_kind(events, Measured)[0]
    network = load_network(measured.model)
    assert torch.allclose(vector(network.net), vector(Trained.load(run.folder).net), atol=1e-2)
    assert network.record is not None
    assert network.record.validation.balanced_accuracy == pytest.approx(measured.balanced_accuracy, abs=1e-3)
    config = read_run_config(run.folder)
    assert config["kind"] == "classifier"
    assert config["name"] == "full_training_small_cnn_aug"
    assert config["split_fingerprints"] == [run.parts[0].splits.fingerprint]
    assert ClassifierConfig.model_validate(read_run_settings(run.folder)) == run.config


def test_seeds_and_folds_have_places_of_their_own(labelled):
    images = read_dataset(labelled).images
    assert [part.place for part in plan_parts(images, tiny())] == [""]
    assert [part.place for part in plan_parts(images, tiny(folds=2))] == ["fold_0", "fold_1"]
    parts = plan_parts(images, tiny(folds=2, seeds=(1, 2)))
    assert [part.place for part in parts] == ["seed_1/fold_0", "seed_1/fold_1", "seed_2/fold_0", "seed_2/fold_1"]
    assert [(part.config.seed, part.config.seeds) for part in parts] == [(1, ())] * 2 + [(2, ())] * 2
    assert parts[0].splits == parts[2].splits


def test_a_run_of_several_seeds_stops_and_goes_on_without_repeating_what_is_finished(labelled, tmp_path):
    config = tiny(epochs=1, seeds=(1, 2))
    cancel, events = CancelToken(), []
    for event in make_run(labelled, config, tmp_path).carry_out(cancel):
        events.append(event)
        if of_kind(events, Measured) and isinstance(event, SplitReady):
            cancel.request(StopMode.NOW)
    assert [event.title for event in of_kind(events, Measured)] == ["seed_1"]
    assert not of_kind(events, Summarised)
    assert events[-1] == RunStopped(tmp_path)
    assert events[-1] == RunStopped(tmp_path)
    before = (tmp_path / "seed_1" / "test_results.json").stat().st_mtime_ns

    events = carry_out(make_run(labelled, config, tmp_path))
    assert [notice.kind for notice in of_kind(events, Notice)] == ["finished_already"]
    assert (tmp_path / "seed_1" / "test_results.json").stat().st_mtime_ns == before
    assert [event.title for event in of_kind(events, Measured)] == ["seed_2"]
    assert of_kind(events, Summarised)[0].parts == 2
    assert (tmp_path / "summary.json").exists()
    nets = [vector(Trained.load(tmp_path / place).net) for place in ("seed_1", "seed_2")]
    assert not torch.equal(*nets)


def test_folds_test_every_lesion_once_and_never_train_on_it(labelled):
    images = read_dataset(labelled).images
    parts = plan_parts(images, tiny(folds=4))
    tested = [image.lesion_id for part in parts for image in part.splits.test]
    assert sorted(set(tested)) == sorted({image.lesion_id for image in images if image.split != "val"})
    for part in parts:
        names = [{i.lesion_id for i in s} for s in (part.splits.train, part.splits.validation, part.splits.test)]
        assert not names[0] & names[1]
        assert not (names[0] | names[1]) & names[2]


def test_a_given_split_that_leaks_is_refused_unless_it_is_allowed(labelled):
    images = [
        LabelledImage(image.image_id, image.code, image.lesion_id, "train" if index % 2 else "test", image.path)
        for index, image in enumerate(read_dataset(labelled).images)
    ]
    parts = plan_parts(images, tiny(split="given"))
    with pytest.raises(InputRefusedError, match="--allow-leakage"):
        check_leakage(parts, allowed=False)
    check_leakage(parts, allowed=True)


def test_unreadable_photographs_are_named_and_left_out(tmp_path):
    data = write_labelled_folder(tmp_path / "data", lesions=12, size=16)
    run = make_run(data, tiny(epochs=1), tmp_path / "run")
    broken = run.parts[0].splits.train[0].path
    broken.write_bytes(b"no picture")
    events = train_only(run)
    (notice,) = of_kind(events, Notice)
    assert broken.name in notice.message
    assert f"1 of {len(run.parts[0].splits.train)} photographs" in notice.message
    assert of_kind(events, TrainingStarted)[0].train == len(run.parts[0].splits.train) - 1


def test_masks_are_found_beside_the_photographs(tmp_path):
    data = write_labelled_folder(tmp_path / "data", lesions=6, size=16)
    config = tiny(epochs=1, mask_weight=0.3)
    with pytest.raises(InputRefusedError, match="mask"):
        carry_out(make_run(data, config, tmp_path / "without"))
    (data / "masks").mkdir()
    for image in read_dataset(data).images:
        Image.fromarray(np.full((16, 16), 255, np.uint8)).convert("1").save(data / "masks" / f"{image.image_id}.png")
    train_only(make_run(data, config, tmp_path / "with"))
    assert not any("mask" in name for name in Trained.load(tmp_path / "with").net.state_dict())


def test_two_processes_do_not_train_in_one_folder(labelled, tmp_path):
    with FolderLock(tmp_path), pytest.raises(FolderLockedError):
        carry_out(make_run(labelled, tiny(epochs=1), tmp_path))


def test_a_refused_continuation_leaves_the_run_as_it_was(labelled, tmp_path):
    config = tiny(epochs=1, seeds=(1, 2))
    train_only(make_run(labelled, config, tmp_path))
    before = {path: path.read_bytes() for path in tmp_path.rglob("config.json")}
    with pytest.raises(SettingsRefusedError, match="learning_rate"):
        carry_out(make_run(labelled, config.model_copy(update={"learning_rate": 0.5}), tmp_path))
    assert {path: path.read_bytes() for path in tmp_path.rglob("config.json")} == before


def test_a_run_is_measured_on_the_device_of_its_last_sitting(labelled, tmp_path):
    run = make_run(labelled, tiny(epochs=1), tmp_path)
    train_only(run)
    best = load_checkpoint(tmp_path / "best.pt", torch.device("cpu"))
    best["config"]["device"] = "cuda:99"  # as if the best epoch had been reached on another machine
    save_checkpoint(tmp_path / "best.pt", best)
    assert isinstance(carry_out(run)[-1], Measured)


def test_a_folder_that_cannot_be_written_is_named(labelled, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        carry_out(make_run(labelled, tiny(), tmp_path / "file" / "run"))


def test_a_memory_that_is_too_small_is_told_with_what_to_change(labelled, tmp_path, monkeypatch):
    def allocate(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(Learner, "loss", allocate)
    with pytest.raises(OutOfMemoryError, match="batches of 16 images of 16 pixels") as refused:
        carry_out(make_run(labelled, tiny(), tmp_path))
    assert "--batch-size" in refused.value.remedy


def test_a_run_is_called_what_the_predecessor_called_it():
    assert run_name(tiny(balance="weights")) == "full_training_small_cnn_weights_aug"
    assert run_name(tiny(augmentation="none")) == "full_training_small_cnn"


def test_a_killed_run_resumes_and_ends_as_if_it_had_not_been_killed(tmp_path):
    data = write_labelled_folder(tmp_path / "data", lesions=8, size=16)
    settings = {**TINY, "epochs": 12, "mixup_alpha": 0.4, "ema_decay": 0.9, "dropout": 0.2, "threads": 1}
    config = ClassifierConfig(**settings)
    (tmp_path / "settings.json").write_text(config.model_dump_json(), encoding="utf-8")
    command = [
        sys.executable, "main.py", "train", "classifier", "--data", str(data), "--output", str(tmp_path / "run"),
        "--config", str(tmp_path / "settings.json"), "--tracker", "none", "--json",
    ]  # fmt: skip
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=root) as process:
        assert process.stdout is not None
        names: list[str] = []
        for line in process.stdout:
            names.append(json.loads(line)["event"])
            if names.count("evaluated") == 2 and names[-1] == "step":
                process.kill()
                break
        process.wait()
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "run" / "test_results.json").exists()

    torch.set_num_threads(1)
    events = train_only(make_run(data, config, tmp_path / "run"))
    train_only(make_run(data, config, tmp_path / "whole"))
    assert 0 < len(of_kind(events, Evaluated)) <= 10
    killed, whole = (Trained.load(tmp_path / name) for name in ("run", "whole"))
    assert killed.epoch == whole.epoch
    assert torch.equal(vector(killed.net), vector(whole.net))
