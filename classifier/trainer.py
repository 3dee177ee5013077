"""The training loop: counted in images, validated every epoch, stopped at any step, resumable to the bit."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from classifier.batches import Batches, loss_weights
from classifier.config import ClassifierConfig
from classifier.data import Split, channel_statistics
from classifier.events import Evaluated, TrainingFinished, TrainingStarted, TrainingStep
from classifier.learner import Learner, Start, begin
from classifier.model import predict_logits
from classifier.results import time_text
from classifier.scores import epoch_metrics
from classifier.trained import Trained
from core.cancel import CancelToken
from core.events import Event
from core.files.atomic import write_text_atomic
from core.message import Message
from core.models.classification.loading import Triple
from core.precision import resolve_device
from core.taxonomy import CLASSES
from training.runtime import CHECKPOINT, Budget, counted, finite, load_checkpoint, restoring, save_checkpoint
from training.settings import SettingsRefusedError
from training.trackers import LOG_FILE, RunLog, TrackerKind, open_run_log, read_log

METRICS: Final = (
    "loss", "accuracy", "precision", "recall", "auc", "top_3_accuracy", "f1_score", "balanced_accuracy",
)  # fmt: skip
COLUMNS: Final = ("images", "seconds", "lr", *METRICS, *(f"val_{name}" for name in METRICS))
HISTORY_FILE: Final = "training_history.json"
SAVE_EVERY_SECONDS: Final = 300.0

MAY_CHANGE: Final = frozenset(
    {"licence", "credit", "epochs", "max_minutes", "early_stopping_patience", "device", "precision", "threads"}
)
"""Settings that a resumed run may have otherwise than before."""


@dataclass
class Epoch:
    """Where the current epoch stands: its draws, and what the steps so far gave."""

    draws: list[Tensor] = field(default_factory=list)
    done: int = 0
    losses: list[float] = field(default_factory=list)
    logits: list[Tensor] = field(default_factory=list)
    labels: list[Tensor] = field(default_factory=list)

    @classmethod
    def restored(cls, saved: Mapping[str, Any], images: int) -> Epoch:
        """Return an epoch as a checkpoint of a training with so many images keeps it.

        Raises
        ------
        ValueError, TypeError, RuntimeError
            If it is none.
        """
        made = cls(**saved)
        drawn = torch.cat([torch.empty(0, dtype=torch.int64), *made.draws])
        flat = all(part.dim() == 1 for part in made.draws)
        if not flat or drawn.dtype != torch.int64 or bool(((drawn < 0) | (drawn >= images)).any()):
            raise ValueError("it draws images that are not there")
        if not isinstance(made.done, int) or not 0 <= made.done <= len(made.draws):
            raise ValueError(f"it has made {str(made.done)[:40]} of {len(made.draws)} steps")
        sizes = {len(made.losses), len(made.logits), len(made.labels), made.done}
        if len(sizes) > 1 or [len(part) for part in made.logits] != [len(part) for part in made.labels]:
            raise ValueError("its steps are not all there")
        return made

    @property
    def complete(self) -> bool:
        """Whether every batch was learned."""
        return self.done == len(self.draws)

    def add(self, loss: float, logits: Tensor, labels: Tensor) -> None:
        """Note the result of a step."""
        self.done += 1
        self.losses.append(loss)
        self.logits.append(logits.cpu())
        self.labels.append(labels.cpu())

    def metrics(self) -> dict[str, float]:
        """Return what was measured in training mode on the way; `loss` is the one that was minimised."""
        values = epoch_metrics(torch.cat(self.logits).double().numpy(), torch.cat(self.labels).numpy())
        return {**values, "loss": sum(self.losses) / len(self.losses)}


class ClassifierTrainer:
    """Trains one classifier in `folder`: `last.pt` to resume from, `best.pt` to keep, the log and the history.

    Parameters
    ----------
    masks
        Of the training images, as `read_masks` returns them; None without the auxiliary task.
    tracker
        Where curves are drawn besides the files of the run.
    """

    def __init__(
        self,
        config: ClassifierConfig,
        train: Split,
        validation: Split,
        folder: Path,
        *,
        masks: Tensor | None = None,
        tracker: TrackerKind = "none",
    ) -> None:
        self.config, self.train, self.validation, self.folder = config, train, validation, folder
        self._tracker: TrackerKind = tracker
        self._device = device = resolve_device(config.device)
        self.start: Start = begin(config, channel_statistics(train.pixels))
        weights = loss_weights(train.labels, len(CLASSES)) if config.balance == "weights" else None
        self.learner = Learner(config, self.start, weights, device)
        self._batches = Batches(config, train, masks, device)
        self._generator = torch.Generator().manual_seed(config.seed)
        self._budget = Budget(config.epochs * len(train), config.max_minutes)
        self._epoch = Epoch()
        self.images_seen, self.epoch, self.best, self.best_epoch = 0, 0, -1.0, 0

    @property
    def statistics(self) -> tuple[Triple, Triple]:
        """Mean and standard deviation with which pixels are normalised."""
        return self.start.mean, self.start.std

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to train."""
        patience = self.config.early_stopping_patience
        impatient = patience is not None and self.epoch - self.best_epoch >= patience
        return self._epoch.complete and (impatient or self._budget.progress(self.images_seen) >= 1)

    def run(self, cancel: CancelToken) -> Iterator[Event]:
        """Train until the budget is used, nothing improves any more, or a stop is asked for; then everything is kept.

        Yields
        ------
        TrainingStarted, then TrainingStep after each step, Evaluated after each epoch, TrainingFinished.
        """
        resumed_at = self.epoch if (self.folder / LOG_FILE).exists() else None
        settings = self.config.model_dump(mode="json")
        with open_run_log(
            self.folder, self._tracker, columns=COLUMNS, step_name="epoch", config=settings, resume_at=resumed_at
        ) as log:
            yield self._started()
            while not self.finished and cancel.mode is None:
                yield from self._train(cancel)
                if self._epoch.complete or cancel.mode is None:
                    yield self._finish_epoch(log)
        self.save()
        status: Final = "completed" if self.finished else "stopped"
        yield TrainingFinished(status, self.folder, self.images_seen, round(self._budget.seconds, 1), self.best)

    def _train(self, cancel: CancelToken) -> Iterator[Event]:
        """Make the steps that the epoch still lacks, at least one."""
        self.learner.train()
        if self._epoch.complete:
            self._epoch = Epoch(self._batches.draw_epoch(self._generator))
        saved = time.monotonic()
        while not self._epoch.complete:
            yield self._step()
            if cancel.mode is not None or self._budget.progress(self.images_seen) >= 1:
                return
            if time.monotonic() - saved > SAVE_EVERY_SECONDS:
                self.save()
                saved = time.monotonic()

    def _step(self) -> Event:
        self.learner.schedule.before_step(self._budget.progress(self.images_seen))
        indices = self._epoch.draws[self._epoch.done]
        batch = self._batches.make(indices, self._generator)
        loss, logits = self.learner.loss(batch)
        value = finite(loss, self.images_seen)
        self.learner.step(loss)
        self.images_seen += len(indices)
        self._epoch.add(value, logits, batch.targets.argmax(1))
        return TrainingStep(self.images_seen, self._budget.images, value)

    def _finish_epoch(self, log: RunLog) -> Event:
        self.epoch += 1
        row = {
            "images": self.images_seen,
            "seconds": round(self._budget.seconds, 1),
            "lr": self.learner.rate,
            **self._epoch.metrics(),
            **self._validate(),
        }
        score = float(row["val_balanced_accuracy"])
        self.learner.schedule.after_epoch(score)
        self._epoch = Epoch()
        log.log(self.epoch, **row)
        self._write_history()
        if score > self.best:
            self.best, self.best_epoch = score, self.epoch
            self._trained().save(self.folder)
        self.save()
        return Evaluated(self.epoch, self.images_seen, row["loss"], score, self.best)

    def _validate(self) -> dict[str, float]:
        split = self.validation
        logits = predict_logits(self.learner.best_net, split.pixels, *self.statistics, dtype=self.learner.dtype)
        return epoch_metrics(logits.double().numpy(), split.labels.numpy(), "val_")

    def _write_history(self) -> None:
        """Write ISICGenerator's `training_history.json`: one list for each column."""
        rows = read_log(self.folder / LOG_FILE)
        lists: dict[str, Any] = {name: [row.get(name) for row in rows] for name in ("epoch", *COLUMNS)}
        seconds = self._budget.seconds
        lists |= {"training_time_seconds": round(seconds, 1), "training_time_formatted": time_text(seconds)}
        write_text_atomic(self.folder / HISTORY_FILE, json.dumps(lists) + "\n")

    def _trained(self) -> Trained:
        mean, std = self.statistics
        return Trained(
            self.config, self.learner.best_net, mean, std, self.epoch, self.images_seen, self._budget.seconds,
            self.best, self.start.origin,
        )  # fmt: skip

    def _started(self) -> Event:
        sizes = [(p.numel(), p.requires_grad) for p in self.learner.net.parameters()]
        return TrainingStarted(
            output=self.folder,
            architecture=self.config.architecture,
            origin=self.start.origin,
            train=len(self.train),
            validation=len(self.validation),
            device=str(self._device),
            precision="fp32" if self.learner.dtype is None else "bf16",
            parameters=sum(size for size, _ in sizes),
            trained_parameters=sum(size for size, trained in sizes if trained),
            images=self.images_seen,
            total=self._budget.images,
        )

    def save(self) -> None:
        """Write `last.pt`, from which the run continues at this very step."""
        save_checkpoint(self.folder / CHECKPOINT, self._state())

    def _state(self) -> dict[str, Any]:
        return {
            "config": self.config.model_dump(mode="json"),
            "data": self._data(),
            **self.learner.state_dict(),
            "statistics": self.statistics,
            "generator": self._generator.get_state(),
            "torch": torch.get_rng_state(),  # dropout and stochastic depth draw from it, on a GPU from its own
            "cuda": torch.cuda.get_rng_state(self._device) if self._device.type == "cuda" else None,
            "current": vars(self._epoch),
            "images_seen": self.images_seen,
            "epoch": self.epoch,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "seconds": self._budget.seconds,
        }

    def _data(self) -> list[str]:
        return [self.train.fingerprint, self.validation.fingerprint]

    def resume(self) -> None:
        """Continue from `last.pt`.

        Raises
        ------
        ModelMissingError
            If there is none.
        ModelRefusedError
            If it is damaged, or something in it does not fit.
        SettingsRefusedError
            If the run was begun with other settings or other images.
        """
        path = self.folder / CHECKPOINT
        state = load_checkpoint(path, torch.device("cpu"))
        with restoring(path):
            self._refuse_other_run(state)
            self.learner.load_state_dict(state)
            self._generator.set_state(state["generator"])
            torch.set_rng_state(state["torch"])
            if self._device.type == "cuda" and state.get("cuda") is not None:
                torch.cuda.set_rng_state(state["cuda"], self._device)
            self._epoch = Epoch.restored(state["current"], len(self.train))
            self.images_seen, self.epoch, self.best_epoch, seconds = counted(
                state, "images_seen", "epoch", "best_epoch", "seconds"
            )
            self.best = -1.0 if state["best"] == -1 else counted(state, "best")[0]
            self._budget = Budget(self._budget.images, self.config.max_minutes, seconds)

    def _refuse_other_run(self, state: Mapping[str, Any]) -> None:
        refuse_other_settings(self.folder, self.config, state["config"])
        if list(state["data"]) != self._data():
            raise _other_run(self.folder, "other images or another split")


def refuse_other_settings(folder: Path, config: ClassifierConfig, before: Mapping[str, Any]) -> None:
    """Refuse to continue a run with settings that would make another one of it.

    Parameters
    ----------
    before
        The settings that the run in `folder` has, as plain JSON values.

    Raises
    ------
    SettingsRefusedError
        Naming those that differ.
    """
    wanted = config.model_dump(mode="json")
    other = [key for key in wanted if key not in MAY_CHANGE and wanted[key] != before.get(key)]
    if other:
        raise _other_run(folder, f"other settings: {', '.join(other)}")


def _other_run(folder: Path, what: str) -> SettingsRefusedError:
    return SettingsRefusedError(
        Message("The run in {folder} was started with {what}.", folder=folder, what=what),
        remedy=Message("Resume it with its own settings and data, or name another folder for a new run."),
        path=folder,
    )
