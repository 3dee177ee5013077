"""Training, resuming and shipping a classifier on pictures whose colour gives the class away."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from classifier import train
from classifier.config import ClassifierConfig
from classifier.data import augment, random_affine, read_extra, read_splits
from classifier.metrics import balanced_accuracy
from classifier.model import normalise, predict_logits
from classifier.trainer import ClassifierTrainer
from core.dataset.labelled import lesion_hash, read_labels
from core.training.runtime import StopRequest
from tests.support.labelled_data import write_labelled_folder


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_labelled_folder(tmp_path_factory.mktemp("data"), lesions=8, size=36, val=1)


@pytest.fixture
def config() -> ClassifierConfig:
    return ClassifierConfig(
        image_size=32,
        epochs=2,
        batch_size=16,
        threads=1,
        precision="fp32",
        test_fraction=0.25,
        validation_fraction=0.25,
    )


def weights(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([t.detach().flatten().double() for t in model.state_dict().values()])


def test_three_splits_share_no_lesion_and_lose_no_image(folder: Path, config: ClassifierConfig):
    splits = read_splits(folder, config)
    names = [set(split.lesions) for split in splits]
    assert not names[0] & names[1]
    assert not (names[0] | names[1]) & names[2]
    listed = [image for image in read_labels(folder) if image.split != "val"]
    assert sum(len(split) for split in splits) == len(listed)
    assert splits[2].fingerprint == lesion_hash([i for i in listed if i.lesion_id in names[2]])


def test_images_reserved_by_the_table_are_apart(folder: Path, config: ClassifierConfig):
    extra = read_extra(folder, config)
    assert extra is not None
    assert len(extra) == 7
    assert not set(extra.lesions) & {name for split in read_splits(folder, config) for name in split.lesions}


def test_channel_statistics_are_those_of_the_pixels(folder: Path, config: ClassifierConfig):
    split = read_splits(folder, config)[0]
    mean, std = split.channel_statistics()
    values = split.pixels.numpy().astype(np.float64) / 255
    assert mean == pytest.approx(values.mean((0, 2, 3)).tolist(), abs=1e-4)
    assert std == pytest.approx(values.std((0, 2, 3)).tolist(), abs=1e-4)
    flat = normalise(split.pixels / 255, mean, std)
    assert flat.mean((0, 2, 3)).abs().max() < 1e-2


def test_views_stay_in_range_and_differ():
    pixels = torch.rand(6, 3, 16, 16)
    views = augment(pixels, torch.Generator().manual_seed(0))
    assert views.shape == pixels.shape
    assert 0 <= views.min() <= views.max() <= 1
    assert (views - augment(pixels, torch.Generator().manual_seed(1))).abs().mean() > 0.01


def test_views_are_similarities_with_bounded_scale():
    matrices = random_affine(200, torch.Generator().manual_seed(0))[:, :, :2].double()
    gram = matrices.transpose(1, 2) @ matrices
    scale = gram[:, 0, 0].sqrt()
    assert 0.8 - 1e-6 <= scale.min() < 0.85
    assert 1.1 < scale.max() <= 1.15 + 1e-6
    assert torch.allclose(gram, scale.square().view(-1, 1, 1) * torch.eye(2, dtype=torch.double), atol=1e-6)
    assert {1, -1} == set(torch.linalg.det(matrices).sign().int().tolist())


def test_learns_what_can_be_learnt(folder: Path, config: ClassifierConfig, tmp_path: Path):
    training, validation, test = read_splits(folder, config)
    trainer = ClassifierTrainer(replace(config, epochs=12), training, validation, tmp_path)
    trainer.run(StopRequest())
    logits = predict_logits(trainer.model, test.pixels, trainer.mean, trainer.std)
    assert balanced_accuracy(test.labels.numpy(), logits.argmax(1).numpy()) > 0.6


def test_resumed_run_equals_uninterrupted_run(folder: Path, config: ClassifierConfig, tmp_path: Path):
    training, validation, _ = read_splits(folder, config)
    whole = ClassifierTrainer(config, training, validation, tmp_path / "whole")
    (tmp_path / "whole").mkdir()
    whole.run(StopRequest())

    (tmp_path / "parts").mkdir()
    first = ClassifierTrainer(config, training, validation, tmp_path / "parts")
    first._finish_epoch(first._run_epoch(StopRequest()))
    second = ClassifierTrainer(config, training, validation, tmp_path / "parts")
    second.resume(tmp_path / "parts" / "last.pt")
    second.run(StopRequest())

    assert second.epoch == whole.epoch == 2
    assert second.best == whole.best
    assert torch.equal(weights(second.model), weights(whole.model))


def test_command_lines_train_and_resume(folder: Path, tmp_path: Path):
    run = tmp_path / "run"
    flags = ["--data", str(folder), "--output", str(run), "--image-size", "32", "--precision", "fp32", "--threads", "1"]
    train.main([*flags, "--epochs", "1"])
    train.main([*flags, "--epochs", "2", "--resume"])
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
