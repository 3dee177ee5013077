"""The training loop: it learns, keeps the best epoch, stops at any step, and goes on to the very bit."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from classifier.config import ClassifierConfig
from classifier.data import Split
from classifier.events import Evaluated, TrainingFinished, TrainingStarted, TrainingStep
from classifier.model import predict_logits
from classifier.scores import balanced_accuracy
from classifier.trained import Trained
from classifier.trainer import COLUMNS, ClassifierTrainer
from core.cancel import CancelToken, StopMode
from core.errors import ModelNotFiniteError
from core.models.safe_weights import sha256_of
from tests.classifier.training_builders import read, splits_of, tiny, vector
from training.runtime import load_checkpoint
from training.settings import SettingsRefusedError
from training.trackers import read_log

pytestmark = pytest.mark.slow

Splits = tuple[Split, Split]
# Everything whose state a continuation must restore: dropout, blends, average, plateau, masks.
THOROUGH: dict[str, Any] = {
    "dropout": 0.3,
    "mixup_alpha": 0.4,
    "cutmix_alpha": 1.0,
    "ema_decay": 0.9,
    "schedule": "plateau",
    "mask_weight": 0.3,
}


@pytest.fixture(scope="module")
def data(labelled) -> Splits:
    splits = splits_of(labelled, tiny())
    return read(splits.train, tiny()), read(splits.validation, tiny())


def trainer_of(config: ClassifierConfig, data: Splits, folder: Path, **options: Any) -> ClassifierTrainer:
    if config.mask_weight:
        layers = torch.randint(256, (len(data[0]), 2, 16, 16), generator=torch.Generator().manual_seed(3))
        options["masks"] = layers.to(torch.uint8)
    return ClassifierTrainer(config, *data, folder, **options)


def run(trainer: ClassifierTrainer, steps: int | None = None) -> list[Any]:
    """Run to the end, or until that many steps of this sitting are done."""
    cancel, events = CancelToken(), []
    for event in trainer.run(cancel):
        events.append(event)
        if steps is not None and sum(isinstance(e, TrainingStep) for e in events) >= steps:
            cancel.request(StopMode.NOW)
    return events


def states(folder: Path) -> dict[str, Any]:
    """Return the last checkpoint without the wall clock."""
    state = load_checkpoint(folder / "last.pt", torch.device("cpu"))
    return {name: value for name, value in state.items() if name != "seconds"}


def assert_same(one: Any, other: Any, where: str = "") -> None:
    assert type(one) is type(other), where
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            assert_same(one[key], other[key], f"{where}/{key}")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), where
        for index, pair in enumerate(zip(one, other, strict=True)):
            assert_same(*pair, f"{where}/{index}")
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one, other), where
    else:
        assert one == other, where


def test_eight_images_are_learnt_by_heart(tmp_path):
    rng = np.random.default_rng(0)
    pixels = torch.from_numpy(rng.integers(0, 256, (8, 3, 16, 16), dtype=np.uint8))
    names = tuple(map(str, range(8)))
    split = Split(pixels, torch.tensor([0, 1, 2, 3, 4, 5, 6, 0]), names, names, "")
    config = tiny(
        architecture="simple_cnn",
        epochs=60,
        batch_size=8,
        augmentation="none",
        balance="none",
        label_smoothing=0.0,
        weight_decay=0.0,
        learning_rate=5e-3,
    )
    events = run(trainer_of(config, (split, split), tmp_path))
    assert events[-1].best == 1.0
    losses = [event.loss for event in events if isinstance(event, TrainingStep)]
    assert losses[0] > 1.5
    assert losses[-1] < 0.05


def test_what_can_be_learnt_is_learnt_on_lesions_never_seen(data, labelled, tmp_path):
    config = tiny(epochs=12, learning_rate=1e-2, ema_decay=0.9)
    events = run(trainer_of(config, data, tmp_path))
    test = read(splits_of(labelled, config).test, config)
    best = Trained.load(tmp_path)
    predicted = predict_logits(best.net, test.pixels, best.mean, best.std).argmax(1)
    assert balanced_accuracy(test.labels.numpy(), predicted.numpy()) > 0.6
    assert best.best == events[-1].best == max(e.val_balanced_accuracy for e in events if isinstance(e, Evaluated))
    assert best.config == config
    assert best.origin == "from random weights"
    measured = predict_logits(best.net, data[1].pixels, best.mean, best.std).argmax(1)
    assert balanced_accuracy(data[1].labels.numpy(), measured.numpy()) == pytest.approx(best.best)


def test_events_and_files_tell_the_same_story(data, tmp_path):
    events = run(trainer_of(tiny(), data, tmp_path, tracker="none"))
    assert isinstance(events[0], TrainingStarted)
    assert events[0].train == len(data[0])
    assert isinstance(events[-1], TrainingFinished)
    assert events[-1].status == "completed"
    epochs = [event for event in events if isinstance(event, Evaluated)]
    rows = read_log(tmp_path / "log.jsonl")
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert [row["images"] for row in rows] == [len(data[0]) * n for n in (1, 2, 3)]
    assert [row["val_balanced_accuracy"] for row in rows] == [event.val_balanced_accuracy for event in epochs]
    with (tmp_path / "training_history.csv").open(encoding="utf-8", newline="") as stream:
        table = list(csv.DictReader(stream))
    assert list(table[0]) == ["epoch", *COLUMNS]
    assert [float(row["loss"]) for row in table] == [row["loss"] for row in rows]
    history = json.loads((tmp_path / "training_history.json").read_text(encoding="utf-8"))
    assert history["val_loss"] == [row["val_loss"] for row in rows]
    assert set(history) >= {
        "loss",
        "accuracy",
        "val_f1_score",
        "lr",
        "training_time_seconds",
        "training_time_formatted",
    }


@pytest.mark.parametrize("steps", [1, 3, 5])
def test_a_run_stopped_at_any_step_goes_on_to_the_bit(data, tmp_path, steps):
    config = tiny(**THOROUGH)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run(trainer_of(config, data, whole))
    events = run(trainer_of(config, data, parts), steps)
    assert events[-1].status == "stopped"
    again = trainer_of(config, data, parts)
    torch.manual_seed(99)  # what another program has drawn meanwhile must not matter
    again.resume()
    run(again)
    assert_same(states(parts), states(whole))
    rows = [
        [{k: v for k, v in row.items() if k != "seconds"} for row in read_log(folder / "log.jsonl")]
        for folder in (whole, parts)
    ]
    assert rows[0] == rows[1]
    assert torch.equal(vector(Trained.load(parts).net), vector(Trained.load(whole).net))


def test_a_finished_run_can_be_given_more_epochs(data, tmp_path):
    run(trainer_of(tiny(epochs=1), data, tmp_path))
    longer = trainer_of(tiny(epochs=2), data, tmp_path)
    longer.resume()
    assert not longer.finished
    run(longer)
    assert [row["epoch"] for row in read_log(tmp_path / "log.jsonl")] == [1, 2]


@pytest.mark.parametrize(("changes", "key"), [({"learning_rate": 0.5}, "learning_rate"), ({"seed": 1}, "seed")])
def test_a_run_is_not_continued_with_other_settings(data, tmp_path, changes, key):
    run(trainer_of(tiny(epochs=1), data, tmp_path))
    with pytest.raises(SettingsRefusedError, match=key):
        trainer_of(tiny(epochs=1, **changes), data, tmp_path).resume()


def test_a_run_is_not_continued_with_other_images(data, tmp_path):
    run(trainer_of(tiny(epochs=1), data, tmp_path))
    with pytest.raises(SettingsRefusedError, match="other images"):
        trainer_of(tiny(epochs=1), (data[1], data[0]), tmp_path).resume()


def test_early_stopping_ends_when_nothing_improves(data, tmp_path):
    config = tiny(epochs=50, learning_rate=1e-12, early_stopping_patience=2)
    trainer = trainer_of(config, data, tmp_path)
    events = run(trainer)
    assert events[-1].status == "completed"
    assert trainer.epoch == trainer.best_epoch + 2 < 10


@pytest.mark.usefixtures("clock_of_looks")
def test_the_deadline_ends_training_with_a_measured_epoch(data, tmp_path):
    config = tiny(epochs=1000, max_minutes=0.004)
    events = run(trainer_of(config, data, tmp_path))
    assert events[-1].status == "completed"
    assert isinstance(events[-2], Evaluated)
    assert events[-1].images < 1000 * len(data[0])


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_last_good_checkpoint(data, tmp_path):
    trainer = trainer_of(tiny(epochs=2), data, tmp_path)
    with pytest.raises(ModelNotFiniteError):  # noqa: PT012 - the fault is planted in the middle of the run
        for event in trainer.run(CancelToken()):
            if isinstance(event, Evaluated):
                torch.nn.init.constant_(trainer.learner.net.get_parameter("fc.weight"), float("nan"))
    assert torch.isfinite(vector(Trained.load(tmp_path).net)).all()
    assert states(tmp_path)["epoch"] == 1
    assert torch.isfinite(states(tmp_path)["model"]["net.fc.weight"]).all()


def test_pretrained_weights_bring_their_own_normalisation(data, tmp_path):
    run(trainer_of(tiny(epochs=1), data, tmp_path / "first"))
    torch.save(Trained.load(tmp_path / "first").net.state_dict(), tmp_path / "trunk.pth")
    trunk_file = tmp_path / "trunk.pth"
    config = tiny(epochs=1, scenario="head_only", pretrained=str(trunk_file), weights_sha256=sha256_of(trunk_file))
    trainer = trainer_of(config, data, tmp_path / "second")
    assert trainer.statistics == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    trunk = {n: t.clone() for n, t in trainer.learner.net.state_dict().items() if not n.startswith("fc.")}
    events = run(trainer)
    assert events[0].trained_parameters == 32 * 7 + 7
    after = trainer.learner.net.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in trunk.items())
    assert "trunk.pth" in Trained.load(tmp_path / "second").origin
