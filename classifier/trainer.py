"""The training loop: balanced draws, a cosine schedule, and the epoch that validates best is kept."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from classifier.config import ClassifierConfig
from classifier.data import Split, augment
from classifier.metrics import balanced_accuracy
from classifier.model import build_classifier, normalise, predict_logits
from core.taxonomy import CLASSES
from core.training.runtime import (
    CHECKPOINT,
    Budget,
    StopRequest,
    append_log,
    class_weights,
    cosine_rate,
    finite,
    load_checkpoint,
    resolve_precision,
    save_checkpoint,
    set_rate,
)


class ClassifierTrainer:
    """Trains one classifier in `output`: log.jsonl, last.pt (to resume from) and best.pt (to export)."""

    def __init__(self, config: ClassifierConfig, train: Split, validation: Split, output: Path) -> None:
        torch.manual_seed(config.seed)
        self.config, self.train, self.validation, self.output = config, train, validation, output
        self.device = torch.device(config.device)
        self.dtype = resolve_precision(config.precision, self.device)
        self.mean, self.std = train.channel_statistics()
        self.model = build_classifier().to(self.device).to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.generator = torch.Generator().manual_seed(config.seed)
        self.weights = class_weights(train.labels, len(CLASSES), config.sampling_power)
        self.budget = Budget(config.epochs * len(train), config.max_minutes)
        self.images_seen, self.epoch, self.best = 0, 0, 0.0

    def run(self, stop: StopRequest) -> None:
        """Train until the budget is used or `stop` is requested."""
        while self.budget.progress(self.images_seen) < 1 and not stop.requested:
            loss = self._run_epoch(stop)
            self._finish_epoch(loss)

    def _run_epoch(self, stop: StopRequest) -> float:
        self.model.train()
        losses = []
        for indices in self._draw_epoch():
            losses.append(self._step(indices))
            if stop.requested or self.budget.progress(self.images_seen) >= 1:
                break
        return sum(losses) / len(losses)

    def _draw_epoch(self) -> tuple[Tensor, ...]:
        draws = torch.multinomial(self.weights, len(self.train), replacement=True, generator=self.generator)
        return draws.split(self.config.batch_size)

    def _step(self, indices: Tensor) -> float:
        set_rate(self.optimizer, cosine_rate(self.budget.progress(self.images_seen), self.config.learning_rate))
        views = augment(self.train.pixels[indices] / 255, self.generator)
        inputs = normalise(views, self.mean, self.std).to(self.device, memory_format=torch.channels_last)
        with torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype is not None):
            logits = self.model(inputs)
        targets = self.train.labels[indices].to(self.device)
        loss = functional.cross_entropy(logits.float(), targets, label_smoothing=self.config.label_smoothing)
        value = finite(loss, self.images_seen)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.images_seen += len(indices)
        return value

    def _finish_epoch(self, loss: float) -> None:
        self.epoch += 1
        logits = predict_logits(self.model, self.validation.pixels, self.mean, self.std)
        score = balanced_accuracy(self.validation.labels.numpy(), logits.argmax(1).numpy())
        append_log(
            self.output / "log.jsonl", epoch=self.epoch, images=self.images_seen, seconds=round(self.budget.seconds, 1),
            loss=loss, validation_balanced_accuracy=score,
        )  # fmt: skip
        if score > self.best:
            self.best = score
            save_checkpoint(self.output / "best.pt", self.state())
        save_checkpoint(self.output / CHECKPOINT, self.state())

    def state(self) -> dict[str, object]:
        """Return everything that an equal continuation needs."""
        return {
            "config": asdict(self.config),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "images_seen": self.images_seen,
            "epoch": self.epoch,
            "best": self.best,
            "seconds": self.budget.seconds,
            "mean": self.mean,
            "std": self.std,
        }

    def resume(self, path: Path) -> None:
        """Continue from a checkpoint of the same configuration."""
        state = load_checkpoint(path, self.device)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"].cpu())
        self.images_seen, self.epoch, self.best = state["images_seen"], state["epoch"], state["best"]
        self.budget = Budget(self.budget.images, self.config.max_minutes, state["seconds"])
