"""The loop: it learns, its average is the textbook's, and stopping, resuming and splitting batches change nothing."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.cancel import CancelToken, StopMode
from core.errors import ModelNotFiniteError, ModelRefusedError, UsageError
from diffusion.config import DiffusionConfig
from diffusion.draws import ImageSet
from diffusion.events import Evaluated, TrainingStep
from diffusion.model import build_scheduler, build_unet
from diffusion.pack import PackDescription, write_pack
from diffusion.state import best_of
from diffusion.trainer import DiffusionTrainer
from tests.diffusion.conftest import no_export, parameters, rings, run
from training.runtime import CHECKPOINT, save_checkpoint

pytestmark = pytest.mark.slow

Make = Callable[..., DiffusionTrainer]
MakeConfig = Callable[..., DiffusionConfig]


def losses(events: list[Any]) -> list[float]:
    return [event.loss for event in events if isinstance(event, TrainingStep)]


def test_overfits_eight_pictures(make_config: MakeConfig, make_trainer: Make):
    """The loss falls to a third, and every sample looks more like its own class's picture than like any other's."""
    eager = make_config(
        images=8 * 300, widths=(16, 32, 32), learning_rate=5e-3, label_dropout=0.0, sampling_power=0, ema_decay=0.9,
        sample_steps=10,
    )  # fmt: skip
    shown = rings(count=7)
    events = run(make_trainer(eager, train=shown))
    curve = losses(events)
    assert sum(curve[-30:]) < 0.33 * sum(curve[:30])
    trainer = make_trainer(eager, train=shown)
    trainer.resume()
    found = trainer.evaluator.evaluate(trainer.ema_net(), lambda: False)
    assert found is not None
    samples = found.samples.float().mean(1)
    distance = (samples[:, None] - shown.pixels.float()[None]).abs().mean((2, 3, 4))
    assert distance.argmin(1).tolist() == list(range(7))
    assert distance.diagonal().mean() < 20  # of 255


def test_average_is_the_textbook_formula(make_config: MakeConfig, make_trainer: Make):
    trainer = make_trainer(make_config(ema_decay=0.25, images=40))
    expected, k = parameters(trainer.net).clone(), 0
    for event in trainer.run(CancelToken(), no_export):
        if isinstance(event, TrainingStep):
            decay = 0.0 if k == 0 else min(0.25, (1 + k) / (10 + k))
            expected = decay * expected + (1 - decay) * parameters(trainer.net)
            k += 1
    assert k == 5
    assert torch.allclose(parameters(trainer.ema_net()), expected, atol=1e-6)
    assert not torch.allclose(parameters(trainer.net), expected, atol=1e-4)


@pytest.mark.parametrize("changes", [{"half_size_share": 0.5}, {"dropout": 0.3, "augmentation": 0.3}])
def test_resumed_run_equals_uninterrupted_run(
    make_config: MakeConfig,
    make_trainer: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
):
    """Weights, average, optimiser and the loss curve that is written down; the stop falls between two rows."""
    monkeypatch.setattr("diffusion.trainer.LOG_EVERY_STEPS", 3)
    config = make_config(**{"image_size": 16, "evaluate_images": 32, **changes})
    whole = make_trainer(config, tmp_path / "whole")
    expected = run(whole)
    first = make_trainer(config, tmp_path / "parts")
    begun = run(first, until=40)
    second = make_trainer(config, tmp_path / "parts")
    second.resume()
    finished = run(second)
    assert torch.equal(parameters(second.net), parameters(whole.net))
    assert torch.equal(parameters(second.ema_net()), parameters(whole.ema_net()))
    assert losses(begun) + losses(finished) == losses(expected)
    assert curve(tmp_path / "parts") == curve(tmp_path / "whole")


def curve(folder: Path) -> list[tuple[Any, ...]]:
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [(row["images"], row["event"], row.get("loss"), row.get("kid")) for row in rows]


def test_rows_of_work_that_was_lost_are_written_once(
    make_config: MakeConfig, make_trainer: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A killed run has rows beyond its checkpoint, the last one torn."""
    monkeypatch.setattr("diffusion.trainer.LOG_EVERY_STEPS", 1)
    config = make_config(images=48)
    run(make_trainer(config), until=24)
    with (tmp_path / "log.jsonl").open("a") as stream:
        stream.write('{"images": 40, "event": "loss", "loss": 9.0}\n{"images": 48, "ev')
    again = make_trainer(config)
    again.resume()
    assert again.images_seen == 32  # the step that was under way was finished
    run(again)
    rows = [row for row in curve(tmp_path) if row[1] == "loss"]
    assert [row[0] for row in rows] == [8, 16, 24, 32, 40, 48]
    assert 9.0 not in [row[2] for row in rows]


def test_rows_of_an_attempt_that_was_killed_before_its_first_checkpoint_are_gone(
    make_config: MakeConfig, make_trainer: Make, tmp_path: Path
):
    (tmp_path / "log.jsonl").write_text('{"images": 8, "event": "loss", "loss": 9.0}\n')
    run(make_trainer(make_config(images=8)))
    assert [row[:2] for row in curve(tmp_path)] == [(8, "evaluated"), (8, "loss"), (8, "finished")]


def test_parts_of_a_batch_add_up_to_the_batch(make_config: MakeConfig, make_trainer: Make, tmp_path: Path):
    """Tolerance: float32 sums in another order, over three steps."""
    whole = make_trainer(make_config(images=24), tmp_path / "1")
    parts = make_trainer(make_config(images=24, gradient_accumulation=4), tmp_path / "4")
    assert losses(run(whole)) == pytest.approx(losses(run(parts)), rel=1e-4)
    assert torch.allclose(parameters(whole.net), parameters(parts.net), atol=2e-4)


@pytest.mark.parametrize("mode", [StopMode.NOW, StopMode.AFTER_IMAGE])
def test_a_stop_leaves_a_checkpoint_and_a_model(
    make_config: MakeConfig, make_trainer: Make, tmp_path: Path, mode: StopMode
):
    trainer = make_trainer(make_config())
    cancel, exported = CancelToken(), []
    cancel.request(mode)
    list(trainer.run(cancel, lambda *args: exported.append(args[2])))
    assert exported == [False]
    assert (tmp_path / CHECKPOINT).is_file()
    assert trainer.images_seen == 0


def test_a_stop_in_the_middle_of_an_evaluation_repeats_it_later(
    make_config: MakeConfig, make_trainer: Make, monkeypatch: pytest.MonkeyPatch
):
    config = make_config(evaluate_images=16, images=32)
    trainer, cancel = make_trainer(config), CancelToken()
    monkeypatch.setattr(trainer.evaluator, "validation_loss", lambda _: cancel.request(StopMode.NOW) or 0.0)
    events = list(trainer.run(cancel, no_export))
    assert not any(isinstance(event, Evaluated) for event in events)
    assert trainer.images_seen < 32
    again = make_trainer(config)
    again.resume()
    assert [e.images for e in run(again) if isinstance(e, Evaluated)] == [24, 32]


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to whole consoles only")
def test_ctrl_c_does_not_kill_the_processes_that_prepare_images(make_config: MakeConfig, make_trainer: Make):
    """Ctrl-C goes to all of them; and how many there are changes nothing."""
    expected = losses(run(make_trainer(make_config())))
    found: list[float] = []
    for event in make_trainer(make_config(workers=1)).run(CancelToken(), no_export):
        if isinstance(event, TrainingStep):
            found.append(event.loss)
            for worker in multiprocessing.active_children():
                os.kill(worker.pid or 0, signal.SIGINT)
    assert found == expected


@pytest.mark.usefixtures("clock_of_looks")
def test_deadline_ends_the_run(make_config: MakeConfig, make_trainer: Make):
    trainer = make_trainer(make_config(images=10**9, max_minutes=0.01))
    events = run(trainer)
    assert 0 < trainer.images_seen < 10**5
    assert losses(events)
    assert isinstance(events[-1], Evaluated)


def test_a_loss_that_is_no_number_ends_the_run_and_spares_the_checkpoint(
    make_config: MakeConfig, make_trainer: Make, tmp_path: Path
):
    run(make_trainer(make_config(images=16)))
    before = (tmp_path / CHECKPOINT).read_bytes()
    trainer = make_trainer(make_config(images=32))
    trainer.resume()
    with torch.no_grad():
        next(trainer.net.parameters()).fill_(float("nan"))
    with pytest.raises(ModelNotFiniteError, match=r"after 24 images"):
        run(trainer)
    assert (tmp_path / CHECKPOINT).read_bytes() == before


def test_the_weights_with_the_lowest_distance_are_kept(make_config: MakeConfig, make_trainer: Make):
    trainer = make_trainer(make_config(images=40, evaluate_images=8))
    values = iter([0.5, 0.3, 0.4, 0.3, 0.2])

    def scripted(*args: Any) -> Any:
        found = original(*args)
        return type(found)(**{**vars(found), "kid": type("K", (), {"value": next(values), "low": 0.0, "high": 1.0})()})

    original, trainer.evaluator.evaluate = trainer.evaluator.evaluate, scripted  # type: ignore[method-assign]
    kept: list[int] = []
    events = list(trainer.run(CancelToken(), lambda t, _, best: kept.append(t.images_seen) if best else None))
    assert kept == [8, 16, 40]
    assert [event.best for event in events if isinstance(event, Evaluated)] == [True, True, False, False, True]
    assert trainer.best == {"kid": 0.2, "images": 40, "space": "pixels 32x32"}


def test_a_distance_in_other_features_is_not_compared(make_config: MakeConfig, make_trainer: Make):
    """As in a run of the version that selected in the features of the classifier that judges."""
    trainer = make_trainer(make_config(images=16, evaluate_images=8))
    trainer.best = best_of({"kid": -9.0, "images": 4})
    kept: list[int] = []
    list(trainer.run(CancelToken(), lambda t, _, best: kept.append(t.images_seen) if best else None))
    assert kept[0] == 8
    assert trainer.best is not None
    assert trainer.best["space"] == "pixels 32x32"


def test_a_changed_setting_is_named_and_a_longer_budget_is_not(make_config: MakeConfig, make_trainer: Make):
    run(make_trainer(make_config(images=16)))
    with pytest.raises(UsageError, match=r"learning_rate was 0\.002 and is 0\.001") as refusal:
        make_trainer(make_config(images=16, learning_rate=1e-3)).resume()
    assert "--init-from" in refusal.value.remedy
    longer = make_trainer(make_config(images=24, max_minutes=5))
    longer.resume()
    run(longer)
    assert longer.images_seen == 24


def test_other_photographs_are_refused(make_config: MakeConfig, make_trainer: Make):
    run(make_trainer(make_config(images=8)))
    trainer = make_trainer(make_config(images=8))
    object.__setattr__(trainer.data, "fingerprint", "other")
    with pytest.raises(UsageError, match="other photographs"):
        trainer.resume()


def test_another_run_begins_with_both_weights_of_a_checkpoint(
    make_config: MakeConfig, make_trainer: Make, tmp_path: Path
):
    source = make_trainer(make_config(), tmp_path / "a")
    run(source)
    trainer = make_trainer(make_config(seed=1, learning_rate=1e-3), tmp_path / "b")
    trainer.initialise(tmp_path / "a" / CHECKPOINT)
    assert torch.equal(parameters(trainer.net), parameters(source.net))
    assert torch.equal(parameters(trainer.ema_net()), parameters(source.ema_net()))
    assert trainer.ema.optimization_step == source.ema.optimization_step  # so the average is not thrown away
    assert trainer.images_seen == 0


def test_a_checkpoint_of_the_first_version_is_one_too(make_config: MakeConfig, make_trainer: Make, tmp_path: Path):
    """It held net, ema, config and more under these names, and its average's decay was another."""
    net = build_unet(make_config(seed=3))
    ema = {"decay": 0.9, "optimization_step": 77, "shadow_params": [p.detach() * 2 for p in net.parameters()]}
    save_checkpoint(tmp_path / "old.pt", {"config": {"threads": 1}, "net": net.state_dict(), "ema": ema})
    trainer = make_trainer(make_config())
    trainer.initialise(tmp_path / "old.pt")
    assert torch.equal(parameters(trainer.net), parameters(net))
    assert torch.equal(parameters(trainer.ema_net()), 2 * parameters(net))
    assert trainer.ema.decay == make_config().ema_decay


def test_another_run_begins_with_a_pack(make_config: MakeConfig, make_trainer: Make, tmp_path: Path):
    config = make_config()
    net = build_unet(config)
    write_pack(net, build_scheduler(config), tmp_path / "pack", PackDescription("p", null_class=7))
    trainer = make_trainer(config)
    trainer.initialise(tmp_path / "pack")
    assert torch.equal(parameters(trainer.net), parameters(net).half().float())
    assert torch.equal(parameters(trainer.ema_net()), parameters(trainer.net))


@pytest.mark.parametrize(("changes", "message"), [({"widths": (8, 8, 16)}, "does not fit the network"), ({}, "")])
def test_a_model_of_another_kind_is_refused(
    make_config: MakeConfig, make_trainer: Make, tmp_path: Path, changes: dict[str, Any], message: str
):
    config = make_config(**changes)
    if changes:
        write_pack(build_unet(config), build_scheduler(config), tmp_path / "pack", PackDescription("p"))
    with pytest.raises(ModelRefusedError, match=message or "no model"):
        make_trainer(make_config()).initialise(tmp_path / "pack")


def test_samples_of_augmented_training_are_not_recoloured(make_config: MakeConfig, make_trainer: Make):
    """The planted fault: half of the images come 100 levels brighter. Their twins learn that, the class does not."""
    grey = ImageSet(torch.full((8, 3, 16, 16), 90, dtype=torch.uint8), torch.zeros(8, dtype=torch.int64))
    config = make_config(
        classes="MEL", images=8 * 120, learning_rate=1e-2, augmentation=0.5, label_dropout=0, ema_decay=0.9,
        sample_steps=8,
    )  # fmt: skip
    trainer = make_trainer(config, train=grey, validation=grey)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("diffusion.draws.zoom_and_recolour", lambda image, _: image + 100)
        run(trainer)
    found = trainer.evaluator.evaluate(trainer.ema_net(), lambda: False)
    assert found is not None
    assert found.samples.float().mean().item() == pytest.approx(90, abs=25)
