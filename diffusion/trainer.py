"""The training loop: counted in images, stopped by budget, deadline or signal, resumable to the bit."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

import torch
from diffusers import UNet2DModel
from diffusers.training_utils import EMAModel

from core.training.runtime import (
    CHECKPOINT,
    Budget,
    StopRequest,
    append_log,
    cosine_rate,
    finite,
    load_checkpoint,
    resolve_precision,
    save_checkpoint,
    set_rate,
)
from diffusion.config import DiffusionConfig
from diffusion.data import ImagePool, draw_batch
from diffusion.loss import diffusion_loss
from diffusion.model import build_scheduler, build_unet

LOG_EVERY_STEPS: Final = 50


class DiffusionTrainer:
    """Trains one generator in `output`: log.jsonl and last.pt (to resume and to export from)."""

    def __init__(self, config: DiffusionConfig, pool: ImagePool, output: Path) -> None:
        torch.manual_seed(config.seed)
        self.config, self.pool, self.output = config, pool, output
        self.device = torch.device(config.device)
        self.dtype = resolve_precision(config.precision, self.device)
        self.net = build_unet(config).to(self.device)
        self.ema = EMAModel(self.net.parameters(), decay=config.ema_decay)
        self.scheduler = build_scheduler()
        self.optimizer = torch.optim.AdamW(
            self.net.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
        )
        self.generator = torch.Generator().manual_seed(config.seed)
        self.budget = Budget(config.images, config.max_minutes)
        self.images_seen = 0

    def run(self, stop: StopRequest, export: Callable[[DiffusionTrainer], None]) -> None:
        """Train until the budget is used or `stop` is requested; checkpoint and export now and then, and at the end."""
        self.net.train()
        losses: list[float] = []
        saved_at = self.budget.seconds
        while self.budget.progress(self.images_seen) < 1 and not stop.requested:
            losses.append(self.step())
            if len(losses) == LOG_EVERY_STEPS:
                self._log(losses)
                losses.clear()
            if self.budget.seconds - saved_at > 60 * self.config.export_minutes:
                self.save(export)
                saved_at = self.budget.seconds
        self.save(export)

    def step(self) -> float:
        """Make one optimiser step and return its loss."""
        progress = self.budget.progress(self.images_seen)
        set_rate(self.optimizer, cosine_rate(progress, self.config.learning_rate))
        half = progress < self.config.half_size_share
        pixels, labels = draw_batch(self.pool, self.config, half, self.generator)
        with torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype is not None):
            loss = diffusion_loss(
                self.net, self.scheduler, pixels.to(self.device), labels.to(self.device),
                self.config.min_snr_gamma, self.generator,
            )  # fmt: skip
        value = finite(loss, self.images_seen)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.config.gradient_clip)
        self.optimizer.step()
        self.ema.step(self.net.parameters())
        self.images_seen += len(pixels)
        return value

    def ema_net(self) -> UNet2DModel:
        """Return a copy of the network that holds the moving average, in evaluation mode."""
        net = copy.deepcopy(self.net)
        self.ema.copy_to(net.parameters())
        return net.eval()

    def save(self, export: Callable[[DiffusionTrainer], None]) -> None:
        """Write the checkpoint, then the pack."""
        save_checkpoint(self.output / CHECKPOINT, self.state())
        export(self)

    def _log(self, losses: list[float]) -> None:
        append_log(
            self.output / "log.jsonl", images=self.images_seen, seconds=round(self.budget.seconds, 1),
            loss=sum(losses) / len(losses), rate=self.optimizer.param_groups[0]["lr"],
        )  # fmt: skip

    def state(self) -> dict[str, object]:
        """Return everything that an equal continuation needs."""
        return {
            "config": asdict(self.config),
            "net": self.net.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "images_seen": self.images_seen,
            "seconds": self.budget.seconds,
        }

    def resume(self, path: Path) -> None:
        """Continue from a checkpoint of the same configuration."""
        state = load_checkpoint(path, self.device)
        self.net.load_state_dict(state["net"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"].cpu())
        self.images_seen = state["images_seen"]
        self.budget = Budget(self.config.images, self.config.max_minutes, state["seconds"])
