"""The training loop of an autoencoder: counted in images, stopped by budget or signal, resumable to the bit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from core.cancel import CancelToken
from core.diffusers_parts import AutoencoderKL
from core.events import Event
from core.files.atomic import output_errors
from diffusion.autoencoder.config import BUDGET_KEYS, AutoencoderConfig
from diffusion.autoencoder.data import PictureData
from diffusion.autoencoder.events import Reconstructed
from diffusion.autoencoder.learner import Learner, Losses
from diffusion.autoencoder.reconstruct import COLUMNS, reconstruct, reconstruction_sheet
from diffusion.events import TrainingStarted, TrainingStep
from diffusion.state import refuse_changes, text_of
from measures.likeness import psnr
from training.runtime import CHECKPOINT, Pace, counted, load_checkpoint, restoring, save_checkpoint
from training.trackers import RunLog, open_run_log

LOG_EVERY_STEPS: Final = 50
SAMPLES: Final = "samples"
COLUMN_NAMES: Final = ("event", "seconds", *Losses._fields, "rate", "images_per_second", "psnr")

_LOOKED_AT: Final = 96
"""Validation photographs, evenly spaced, whose reconstructions are measured on the way."""

Export = Callable[["AutoencoderTrainer", AutoencoderKL], None]
"""(trainer, moving average in fp32): writes the model where people find it."""


class AutoencoderTrainer:
    """Trains one network in `output`: log, reconstructions and `last.pt`, which everything can be continued from."""

    def __init__(self, config: AutoencoderConfig, data: PictureData, output: Path, device: torch.device) -> None:
        self.config, self.data, self.output = config, data, output
        self.learner = Learner(config, data.train, device)
        self.looked_at = 0
        self.init_from: str | None = None
        self._pending: list[list[float]] = []
        self._pace = Pace(config.batch_size)

    def run(self, cancel: CancelToken, export: Export) -> Iterator[Event]:
        """Train until the budget is used or a stop is asked for; yield what happens.

        When the budget or a signal ends the run, `last.pt` and the exported model are up to date; an error leaves those
        of the last checkpoint. A completed run ends with a look at the reconstructions.
        """
        learner = self.learner
        yield self._started()
        log = self._open_log()
        saved_at = time.monotonic()
        try:
            while learner.progress < 1 and cancel.mode is None:
                if self._look_is_due():
                    yield self._look(log)
                yield self._step(log)
                if time.monotonic() - saved_at > 60 * self.config.checkpoint_minutes:
                    self.save()
                    saved_at = time.monotonic()
            if cancel.mode is None:
                yield self._look(log)
                self._write_losses(log)
                log.log(learner.images_seen, event="finished", seconds=round(learner.budget.seconds, 1))
            self.save()
            export(self, learner.average())
        finally:
            log.close()

    def _step(self, log: RunLog) -> TrainingStep:
        with self._pace.step():
            losses = self.learner.step()
        self._pending.append(list(losses))
        if len(self._pending) == LOG_EVERY_STEPS:
            self._write_losses(log)
        return self._step_event(losses)

    def _look_is_due(self) -> bool:
        every = self.config.evaluate_images
        return self.learner.images_seen // every > self.looked_at // every

    def _look(self, log: RunLog) -> Reconstructed:
        """Reconstruct photographs of held-out lesions with the moving average."""
        learner, pixels = self.learner, self.data.validation.pixels
        pixels = pixels[:: -(-len(pixels) // _LOOKED_AT)]
        made = reconstruct(learner.average(), pixels, learner.precision)
        value = float(np.mean([psnr(a, b) for a, b in zip(pixels.numpy(), made.numpy(), strict=True)]))
        self.looked_at = learner.images_seen
        sheet = self.output / SAMPLES / f"{learner.images_seen:09d}.png"
        shown = [int(i) for i in np.linspace(0, len(pixels) - 1, 2 * COLUMNS)]
        picture = reconstruction_sheet(pixels[shown], made[shown])
        with output_errors(sheet):
            sheet.parent.mkdir(parents=True, exist_ok=True)
            picture.save(sheet)
        log.log(learner.images_seen, event="evaluated", seconds=round(learner.budget.seconds, 1), psnr=value)
        log.image(learner.images_seen, "reconstructions", np.asarray(picture))
        return Reconstructed(learner.images_seen, value, sheet)

    def save(self) -> None:
        """Write the checkpoint."""
        save_checkpoint(self.output / CHECKPOINT, self.state())

    def state(self) -> dict[str, Any]:
        """Return everything that an equal continuation needs."""
        return {
            **self.learner.state(),
            "fingerprint": self.data.fingerprint,
            "looked_at": self.looked_at,
            "init_from": self.init_from,
            "pending_losses": self._pending,
        }

    def resume(self) -> None:
        """Continue from `last.pt`.

        Raises
        ------
        ModelMissingError
            If there is none.
        ModelRefusedError
            If it is damaged, or something in it does not fit.
        UsageError
            If it belongs to other settings or data.
        """
        path = self.output / CHECKPOINT
        state = load_checkpoint(path, self.learner.device)
        with restoring(path):
            fingerprints = (state["fingerprint"], self.data.fingerprint)
            refuse_changes(state["config"], self.config, fingerprints, path, BUDGET_KEYS)
            self.learner.restore(state)
            (self.looked_at,) = counted(state, "looked_at")
            self.init_from = text_of(state["init_from"])
            self._pending = [[float(value) for value in losses] for losses in state["pending_losses"]]

    def initialise(self, source: Path) -> None:
        """Begin with the weights of another autoencoder; see `Learner.initialise`."""
        self.learner.initialise(source)
        self.init_from = source.name

    def _open_log(self) -> RunLog:
        return open_run_log(
            self.output,
            self.config.tracker,
            columns=COLUMN_NAMES,
            config=self.config.model_dump(mode="json"),
            resume_at=self.learner.images_seen,  # at 0 too: an attempt before the first checkpoint left rows
        )

    def _write_losses(self, log: RunLog) -> None:
        """Write the means of what was kept; what is kept goes into the checkpoint, so curves join."""
        if not self._pending:
            return
        means = dict(zip(Losses._fields, np.mean(self._pending, axis=0).tolist(), strict=True))
        log.log(
            self.learner.images_seen, event="loss", seconds=round(self.learner.budget.seconds, 1), **means,
            rate=self.learner.rate, images_per_second=self._pace.images_per_second,
        )  # fmt: skip
        self._pending = []

    def _started(self) -> TrainingStarted:
        learner = self.learner
        return TrainingStarted(
            output=self.output,
            class_code="",
            images=learner.images_seen,
            total=self.config.images,
            parameters=sum(p.numel() for p in learner.net.parameters()),
            device=str(learner.device),
            precision=learner.precision,
            processes=1,
        )

    def _step_event(self, losses: Losses) -> TrainingStep:
        learner, pace = self.learner, self._pace.images_per_second
        return TrainingStep(
            images=learner.images_seen,
            total=self.config.images,
            loss=losses.weighted(self.config),
            rate=learner.rate,
            images_per_second=pace,
            remaining=None if pace is None else learner.budget.remaining(learner.images_seen, pace),
        )
