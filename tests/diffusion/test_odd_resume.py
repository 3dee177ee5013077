"""A generator's checkpoint with one odd value: the run is refused in words, never continued wrongly."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.errors import ISICGUIError, ModelRefusedError
from diffusion.config import DiffusionConfig
from diffusion.trainer import DiffusionTrainer
from tests.diffusion.conftest import run
from tests.support.odd_state import COUNTS, TENSORS, rewrite, set_at, without_each
from training.runtime import CHECKPOINT, load_checkpoint

Make = Callable[..., DiffusionTrainer]


@pytest.fixture
def trainer(make_config: Callable[..., DiffusionConfig], make_trainer: Make) -> DiffusionTrainer:
    """A new trainer in the folder of a run that is over."""
    run(make_trainer(make_config(images=16)))
    return make_trainer(make_config(images=16))


@pytest.fixture
def whole(trainer: DiffusionTrainer) -> dict[str, Any]:
    return load_checkpoint(trainer.output / CHECKPOINT, torch.device("cpu"))


def assert_refused(trainer: DiffusionTrainer, state: dict[str, Any]) -> None:
    rewrite(trainer.output / CHECKPOINT, state)
    with pytest.raises(ISICGUIError, match=r"last\.pt|started with other") as refusal:
        trainer.resume()
    assert refusal.value.remedy


def test_nothing_may_be_missing(trainer: DiffusionTrainer, whole: dict[str, Any]) -> None:
    trainer.resume()
    for state in without_each(whole):
        assert_refused(trainer, state)


def test_odd_counts_texts_and_lists(trainer: DiffusionTrainer, whole: dict[str, Any]) -> None:
    odd = {
        **dict.fromkeys(("images_seen", "evaluated_at", "seconds"), COUNTS),
        "best": (3, "x", [], {}, {"kid": "x", "images": 1}, {"kid": float("nan"), "images": 1},
                 {"kid": 0.1, "images": -1}),
        "init_from": (3, [], {}),
        "pending_losses": (3, None, ["x"], [None], [[1]]),
        "config": (3, None, [], {}, "x"),
        "fingerprint": (3, None, "other"),
        "net": (3, None, {}, [], {"x": torch.ones(1)}),
        "ema": (3, None, {}, []),
        "optimizer": (3, None, {}, [], {"state": {}, "param_groups": []}),
    }  # fmt: skip
    for key, values in odd.items():
        for value in values:
            assert_refused(trainer, {**whole, key: value})


def test_odd_tensors(trainer: DiffusionTrainer, whole: dict[str, Any]) -> None:
    name = next(iter(whole["net"]))
    for place in (("net", name), ("ema", "shadow_params", 0), ("optimizer", "state", 0, "exp_avg")):
        for what, change in TENSORS.items():
            if what in ("no dimension more", "None", "no tensor") and place[0] == "optimizer":
                continue
            state = copy.deepcopy(whole)
            set_at(state, place, change)
            assert_refused(trainer, state)


def test_a_run_that_begins_with_an_odd_one_is_refused(make_config, make_trainer: Make, tmp_path: Path) -> None:
    source = tmp_path / "odd.pt"
    for state in ({}, {"net": 3, "ema": 3}, {"net": {}, "ema": {}}, {"net": {"x": 3}, "ema": {"shadow_params": []}}):
        rewrite(source, state)
        with pytest.raises(ModelRefusedError, match=r"odd\.pt"):
            make_trainer(make_config(images=8)).initialise(source)
