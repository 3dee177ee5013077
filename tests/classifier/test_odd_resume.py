"""A classifier's checkpoint with one odd value: the run is refused in words, never continued wrongly."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from classifier.trained import BEST, Trained
from classifier.trainer import ClassifierTrainer
from core.errors import ISICGUIError, ModelRefusedError
from tests.classifier.test_trainer import THOROUGH, run, trainer_of
from tests.classifier.training_builders import read, splits_of, tiny
from tests.support.odd_state import COUNTS, TENSORS, rewrite, set_at, without_each
from training.runtime import CHECKPOINT, load_checkpoint

CPU = torch.device("cpu")
SETTINGS = tiny(epochs=2, **THOROUGH)


@pytest.fixture(scope="module")
def data(labelled):
    splits = splits_of(labelled, tiny())
    return read(splits.train, tiny()), read(splits.validation, tiny())


@pytest.fixture(scope="module")
def stopped(data, tmp_path_factory) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return `last.pt` and `best.pt` of a run that was stopped in its second epoch."""
    folder = tmp_path_factory.mktemp("stopped")
    steps = len(trainer_of(SETTINGS, data, folder)._batches.draw_epoch(torch.Generator())) + 1
    run(trainer_of(SETTINGS, data, folder), steps)
    return load_checkpoint(folder / CHECKPOINT, CPU), load_checkpoint(folder / BEST, CPU)


@pytest.fixture
def fresh(data, tmp_path) -> ClassifierTrainer:
    return trainer_of(SETTINGS, data, tmp_path)


def refused(trainer: ClassifierTrainer, state: dict[str, Any]) -> None:
    rewrite(trainer.folder / CHECKPOINT, state)
    with pytest.raises(ISICGUIError) as refusal:
        trainer.resume()
    assert refusal.value.remedy


def test_the_whole_is_taken_and_nothing_may_be_missing(fresh, stopped) -> None:
    last, _ = stopped
    rewrite(fresh.folder / CHECKPOINT, last)
    fresh.resume()
    assert fresh.epoch == 1
    for state in without_each({key: value for key, value in last.items() if key not in ("cuda", "statistics")}):
        refused(fresh, state)


ODD = {
    **dict.fromkeys(("images_seen", "epoch", "best_epoch", "seconds"), COUNTS),
    "best": ("x", None, -2, float("nan"), []),
    "config": (3, None, [], {}, "x"),
    "data": (3, None, [], ["a", "b"]),
    "model": (3, None, {}, [], {"x": torch.ones(1)}),
    "average": (3, None, {}, []),
    "optimizer": (3, None, {}, [], {"state": {}, "param_groups": []}),
    "schedule": (3, None, {}, [], {"best": "x"}, {"step": 3}),
    "generator": (3, None, torch.ones(3), torch.zeros(10, dtype=torch.uint8)),
    "torch": (3, None, torch.ones(3), torch.zeros(10, dtype=torch.uint8)),
}


@pytest.mark.parametrize("key", ODD)
def test_odd_parts(fresh, stopped, key) -> None:
    for value in ODD[key]:
        refused(fresh, {**stopped[0], key: value})


@pytest.mark.parametrize(
    "change",
    [{"done": "x"}, {"done": -1}, {"done": 10**9}, {"done": 0}, {"draws": [3]}, {"draws": None}, {"losses": []},
     {"logits": []}, {"labels": [3]}, {"other": 1}, {"draws": [torch.tensor([10**9])]}, {"draws": [torch.tensor([-1])]},
     {"draws": [torch.ones(3)]}, {"draws": [torch.ones(2, 2).long()]}],
)  # fmt: skip
def test_an_odd_epoch(fresh, stopped, change) -> None:
    last, _ = stopped
    refused(fresh, {**last, "current": {**last["current"], **change}})


@pytest.mark.parametrize("what", TENSORS)
def test_odd_tensors(fresh, stopped, what) -> None:
    name = next(iter(stopped[0]["model"]))
    for place in (("model", name), ("optimizer", "state", 0, "exp_avg")):
        if place[0] == "optimizer" and what in ("no dimension more", "None", "no tensor"):
            continue
        state = copy.deepcopy(stopped[0])
        set_at(state, place, TENSORS[what])
        refused(fresh, state)


def test_the_best_epoch_of_a_damaged_run(stopped, tmp_path) -> None:
    _, best = stopped
    rewrite(tmp_path / BEST, best)
    Trained.load(tmp_path)
    for state in (*without_each(best), *({**best, key: "x"} for key in ("config", "net", "epoch", "seconds", "best"))):
        rewrite(tmp_path / BEST, state)
        with pytest.raises(ModelRefusedError, match=r"best\.pt"):
            Trained.load(tmp_path)
