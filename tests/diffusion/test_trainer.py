"""The loop: it learns, its average is the textbook's, and stopping and resuming change nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DModel

from core.training.runtime import CHECKPOINT, StopRequest
from diffusion.config import DiffusionConfig
from diffusion.data import ImagePool
from diffusion.trainer import DiffusionTrainer


def no_export(_: DiffusionTrainer) -> None:
    """Write no pack."""


def parameters(net: UNet2DModel) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in net.parameters()])


def test_overfits_eight_pictures(config: DiffusionConfig, pool: ImagePool, tmp_path: Path):
    eager = replace(config, images=8 * 100, widths=(16, 32, 32), learning_rate=1e-2, label_dropout=0.0)
    trainer = DiffusionTrainer(eager, pool, tmp_path)
    losses = [trainer.step() for _ in range(100)]
    assert sum(losses[-15:]) < 0.5 * sum(losses[:15])


def test_average_is_the_textbook_formula(config: DiffusionConfig, pool: ImagePool, tmp_path: Path):
    trainer = DiffusionTrainer(replace(config, ema_decay=0.25), pool, tmp_path)
    expected = parameters(trainer.net).clone()
    for k in range(1, 6):
        trainer.step()
        decay = min(0.25, k / (9 + k))  # (1 + j) / (10 + j) of the j = k - 1 updates before this one
        decay = 0.0 if k == 1 else decay
        expected = decay * expected + (1 - decay) * parameters(trainer.net)
    assert torch.allclose(parameters(trainer.ema_net()), expected, atol=1e-6)
    assert not torch.allclose(parameters(trainer.net), expected, atol=1e-4)


def test_resumed_run_equals_uninterrupted_run(config: DiffusionConfig, pool: ImagePool, tmp_path: Path):
    config = replace(config, half_size_share=0.5)
    whole = DiffusionTrainer(config, pool, tmp_path / "whole")
    whole.run(StopRequest(), no_export)

    first = DiffusionTrainer(config, pool, tmp_path / "parts")
    for _ in range(4):
        first.step()
    first.save(no_export)
    second = DiffusionTrainer(replace(config), pool, tmp_path / "parts")
    second.resume(tmp_path / "parts" / CHECKPOINT)
    second.run(StopRequest(), no_export)

    assert second.images_seen == whole.images_seen == config.images
    assert torch.equal(parameters(second.net), parameters(whole.net))
    assert torch.equal(parameters(second.ema_net()), parameters(whole.ema_net()))


def test_a_stop_request_still_leaves_checkpoint_and_pack(config: DiffusionConfig, pool: ImagePool, tmp_path: Path):
    trainer = DiffusionTrainer(config, pool, tmp_path)
    stop, exported = StopRequest(), []
    stop.requested = True
    trainer.run(stop, exported.append)
    assert exported == [trainer]
    assert (tmp_path / CHECKPOINT).is_file()
    assert trainer.images_seen == 0


def test_deadline_ends_the_run(config: DiffusionConfig, pool: ImagePool, tmp_path: Path):
    trainer = DiffusionTrainer(replace(config, images=10**9, max_minutes=0.01), pool, tmp_path)
    trainer.run(StopRequest(), no_export)
    assert 0 < trainer.images_seen < 10**5
    assert trainer.budget.seconds < 10


def test_log_counts_in_images(
    config: DiffusionConfig, pool: ImagePool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("diffusion.trainer.LOG_EVERY_STEPS", 2)
    DiffusionTrainer(replace(config, images=48), pool, tmp_path).run(StopRequest(), no_export)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines] == [16, 32, 48]
    assert all(line["loss"] > 0 for line in lines)
