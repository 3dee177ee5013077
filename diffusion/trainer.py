"""The training loop of one network: counted in images, stopped by budget, deadline or signal, resumable to the bit."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from accelerate import Accelerator
from diffusers.training_utils import EMAModel
from PIL import Image
from torch.utils.data import DataLoader

from core.cancel import CancelToken
from core.diffusers_parts import UNet2DModel
from core.events import Event
from core.precision import Precision
from diffusion.config import DiffusionConfig
from diffusion.data import TrainingData
from diffusion.draws import Draws, Positions, stream_seed
from diffusion.evaluation import Evaluation, Evaluator, autocast, on_device
from diffusion.events import Evaluated, TrainingStarted, TrainingStep
from diffusion.latent.fused import fuse
from diffusion.loss import diffusion_loss, halve
from diffusion.model import build_scheduler, build_unet
from diffusion.processes import Agreement, agree, leave_signals_to_the_first_process
from diffusion.state import best_of, initialise, refuse_changes, restore_average, text_of
from measures.pictures import tile
from training.runtime import (
    CHECKPOINT,
    Budget,
    Pace,
    cosine_rate,
    counted,
    finite,
    load_checkpoint,
    plateau_rate,
    resolve_precision,
    restore_optimizer,
    restoring,
    save_checkpoint,
    set_rate,
)
from training.trackers import RunLog, open_run_log

LOSS_COLUMNS: Final = ("event", "seconds", "loss", "rate", "images_per_second")
SCORE_COLUMNS: Final = ("validation_loss", "kid", "kid_low", "kid_high", "best")


def columns(classes: Sequence[str]) -> list[str]:
    """Return the columns of the table, after the number of images."""
    return [*LOSS_COLUMNS, *SCORE_COLUMNS, *(f"kid_{code}" for code in classes)]


class History:
    """Writes the rows of one run.

    Parameters
    ----------
    log
        None in all processes but the first.
    """

    def __init__(self, log: RunLog | None) -> None:
        self._log = log

    def losses(self, images: int, seconds: float, losses: Sequence[float], rate: float, pace: float | None) -> None:
        """Note the mean loss of some steps."""
        self._row(images, "loss", seconds, loss=sum(losses) / len(losses), rate=rate, images_per_second=pace)

    def evaluation(self, seconds: float, found: Evaluated) -> None:
        """Note an evaluation, and show its samples where curves are drawn."""
        values = {name: value for name, value in asdict(found).items() if name in SCORE_COLUMNS}
        by_class = {f"kid_{code}": value for code, value in found.kid_by_class.items()}
        self._row(found.images, "evaluated", seconds, **{**values, "best": int(found.best)}, **by_class)
        if self._log is not None:
            with Image.open(found.sheet) as picture:
                self._log.image(found.images, "samples", np.asarray(picture))

    def finished(self, images: int, seconds: float) -> None:
        """Note that the budget is used."""
        self._row(images, "finished", seconds)

    def close(self) -> None:
        """Write out what is still buffered."""
        if self._log is not None:
            self._log.close()

    def _row(self, images: int, event: str, seconds: float, **values: float | int | None) -> None:
        if self._log is not None:
            self._log.log(images, event=event, seconds=round(seconds, 1), **values)


LOG_EVERY_STEPS: Final = 50
SAMPLES: Final = "samples"

Export = Callable[["DiffusionTrainer", UNet2DModel, bool], None]
"""(trainer, moving average in fp32, is it the best so far?): writes the model where people find it."""


class DiffusionTrainer:
    """Trains one network in `output`: log, samples and `last.pt`, which everything can be continued from.

    The random state of a run is its seed and its position: every draw is made from these two (`diffusion.draws`), and
    so is the dropout of every step. A checkpoint therefore needs to hold no generator.
    """

    def __init__(
        self,
        config: DiffusionConfig,
        data: TrainingData,
        output: Path,
        accelerator: Accelerator,
        device: torch.device,
        *,
        evaluator: Evaluator | None = None,
    ) -> None:
        torch.manual_seed(config.seed)
        self.config, self.data, self.output = config, data, output
        self.accelerator, self.device = accelerator, device
        self.precision: Precision = "bf16" if resolve_precision(config.precision, device) else "fp32"
        self.scheduler = build_scheduler(config)
        latents = data.latents
        self.net = build_unet(config, None if latents is None else latents.shape).to(device)
        if latents is not None and device.type == "cpu" and self.precision == "bf16":
            fuse(self.net)
        self.ema = EMAModel(self.net.parameters(), decay=config.ema_decay, foreach=True)
        self.optimizer = torch.optim.AdamW(
            self.net.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
        )
        self.evaluator = evaluator or Evaluator(
            config, self.scheduler, data.validation, device, self.precision, latents=latents
        )
        self.budget = Budget(config.images, config.max_minutes)
        self.images_seen = 0
        self.evaluated_at = 0
        self.best: dict[str, Any] | None = None
        self.init_from: str | None = None
        self._pending: list[float] = []
        self._pace = Pace(config.batch_size)

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and tells people."""
        return bool(self.accelerator.is_main_process)

    def run(self, cancel: CancelToken, export: Export) -> Iterator[Event]:
        """Train until the budget is used or a stop is asked for; yield what happens.

        When the budget or a signal ends the run, `last.pt` and the exported model are up to date; an error leaves those
        of the last checkpoint. A completed run ends with an evaluation.
        """
        yield self._started()
        state = self._agree(torch.zeros((), device=self.device), cancel)
        history = self._open_history()
        try:
            yield from self._train(state, cancel, export, history)
            self.save(export)
            if cancel.mode is None:
                yield from self._complete(cancel, export, history)
        finally:
            history.close()

    def _complete(self, cancel: CancelToken, export: Export, history: History) -> Iterator[Event]:
        """Look at the last weights, too, and close the books; left undone if stopped, for a continued run to do."""
        if self.evaluated_at < self.images_seen:
            yield from self._evaluate(cancel, export, history)
        if cancel.mode is None:
            self._write_losses(history)
            self.save(export)
            history.finished(self.images_seen, self.budget.seconds)

    def _train(self, state: Agreement, cancel: CancelToken, export: Export, history: History) -> Iterator[Event]:
        self.net.train()
        wrapped = self.accelerator.prepare(self.net)
        batches = iter(self._loader())
        saved_at = time.monotonic()
        while state.progress < 1 and not state.stop:
            if self._evaluation_is_due():
                yield from self._evaluate(cancel, export, history)
                self.save(export)
                saved_at = time.monotonic()
            with self._pace.step():
                state = self._step(wrapped, batches, state.progress, cancel)
            self._note_loss(state.loss, history)
            yield self._step_event(state.loss)
            if time.monotonic() - saved_at > 60 * self.config.checkpoint_minutes:
                self.save(export)
                saved_at = time.monotonic()

    def _loader(self) -> DataLoader[Any]:
        config, processes = self.config, self.accelerator
        positions = Positions(
            self.images_seen,
            config.batch_size,
            processes.process_index,
            processes.num_processes,
            config.gradient_accumulation,
        )
        return DataLoader(
            Draws(self.data.learnt, config),
            batch_sampler=positions,
            num_workers=config.workers,
            pin_memory=self.device.type == "cuda",
            worker_init_fn=leave_signals_to_the_first_process,
        )

    def _step(self, wrapped: Any, batches: Iterator[Any], progress: float, cancel: CancelToken) -> Agreement:
        """Make one optimiser step."""
        set_rate(self.optimizer, self._rate(progress))
        if self.config.dropout:
            step = f"dropout {self.images_seen} {self.accelerator.process_index}"
            torch.manual_seed(stream_seed(self.config.seed, step))
        self.optimizer.zero_grad()
        loss = self._backward(wrapped, batches, half=progress < self.config.half_size_share)
        self.images_seen += self.config.batch_size
        state = self._agree(loss, cancel)
        finite(torch.tensor(state.loss), self.images_seen)
        if self.config.gradient_clip is not None:
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.config.gradient_clip)
        self.optimizer.step()
        self.ema.step(self.net.parameters())
        return state

    def _backward(self, wrapped: Any, batches: Iterator[Any], *, half: bool) -> torch.Tensor:
        """Add up the gradients of this process's share of a batch and return its mean loss."""
        parts = self.config.gradient_accumulation
        total = torch.zeros((), device=self.device)
        for part in range(parts):
            draw = on_device(next(batches), self.device)
            last = part == parts - 1
            # gradients are exchanged once a step, with the last part
            with nullcontext() if last else self.accelerator.no_sync(wrapped):
                with autocast(self.device, self.precision):
                    shown = halve(draw) if half else draw
                    loss = diffusion_loss(wrapped, self.scheduler, shown, self.config.min_snr_gamma).mean()
                self.accelerator.backward(loss)  # divides by the number of parts
            total += loss.detach() / parts
        return total

    def _rate(self, progress: float) -> float:
        config = self.config
        if config.decay_share is not None:
            return plateau_rate(progress, config.learning_rate, config.warm_up, config.decay_share, config.final_rate)
        return cosine_rate(progress, config.learning_rate, config.warm_up, config.final_rate)

    def _agree(self, loss: torch.Tensor, cancel: CancelToken) -> Agreement:
        return agree(self.accelerator, self.device, loss, self.budget.progress(self.images_seen), cancel)

    def ema_net(self) -> UNet2DModel:
        """Return a copy of the network that holds the moving average, in fp32 and evaluation mode."""
        net = copy.deepcopy(self.net).requires_grad_(False)
        self.ema.copy_to(net.parameters())
        return net.eval()

    def _evaluation_is_due(self) -> bool:
        every = self.config.evaluate_images
        return self.images_seen // every > self.evaluated_at // every

    def _evaluate(self, cancel: CancelToken, export: Export, history: History) -> Iterator[Event]:
        """Look at the moving average and keep it if it is the best; the other processes wait at their next step."""
        net = self.ema_net() if self.is_main else None
        found = None if net is None else self.evaluator.evaluate(net, lambda: cancel.mode is not None)
        if self.is_main and found is None:
            return  # stopped in the middle: a continued run begins with it
        self.evaluated_at = self.images_seen
        if found is not None:
            yield self._keep(found, export, history)

    def _keep(self, found: Evaluation, export: Export, history: History) -> Evaluated:
        sheet = self.sheet_path(self.images_seen)
        sheet.parent.mkdir(parents=True, exist_ok=True)
        picture = tile(found.samples.flatten(0, 1), found.samples.shape[1])
        picture.save(sheet)
        value = None if found.kid is None else found.kid.value
        known = None if self.best is None or self.best["space"] != found.space else self.best["kid"]
        is_best = known is None or value is None or value < known
        if is_best:
            self.best = {"kid": value, "images": self.images_seen, "space": found.space}
            export(self, self.ema_net(), True)
        event = Evaluated(
            images=self.images_seen,
            validation_loss=found.validation_loss,
            kid=value,
            kid_low=None if found.kid is None else found.kid.low,
            kid_high=None if found.kid is None else found.kid.high,
            kid_by_class=found.kid_by_class,
            space=found.space,
            best=is_best,
            sheet=sheet,
        )
        history.evaluation(self.budget.seconds, event)
        return event

    def sheet_path(self, images: int) -> Path:
        """Return where the samples of an evaluation lie: one row a class, nothing between them."""
        return self.output / SAMPLES / f"{images:09d}.png"

    def save(self, export: Export) -> None:
        """Write the checkpoint, then the model; only the first process does."""
        if self.is_main:
            save_checkpoint(self.output / CHECKPOINT, self.state())
            export(self, self.ema_net(), False)

    def state(self) -> dict[str, object]:
        """Return everything that an equal continuation needs."""
        return {
            "config": self.config.model_dump(mode="json"),
            "fingerprint": self.data.fingerprint,
            "net": self.net.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "images_seen": self.images_seen,
            "seconds": self.budget.seconds,
            "evaluated_at": self.evaluated_at,
            "best": self.best,
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
        state = load_checkpoint(path, self.device)
        with restoring(path):
            refuse_changes(state["config"], self.config, (state["fingerprint"], self.data.fingerprint), path)
            self.net.load_state_dict(state["net"])
            restore_average(self.ema, state["ema"])
            restore_optimizer(self.optimizer, state["optimizer"])
            self.images_seen, self.evaluated_at, seconds = counted(state, "images_seen", "evaluated_at", "seconds")
            self.best, self.init_from = best_of(state["best"]), text_of(state["init_from"])
            self._pending = [float(loss) for loss in state["pending_losses"]]
            self.budget = Budget(self.config.images, self.config.max_minutes, seconds)

    def initialise(self, source: Path) -> None:
        """Begin with the weights of another model; see `diffusion.state.initialise`."""
        initialise(self.net, self.ema, source)
        self.init_from = source.name

    def _open_history(self) -> History:
        if not self.is_main:
            return History(None)
        return History(
            open_run_log(
                self.output,
                self.config.tracker,
                columns=columns(self.config.classes),
                config=self.config.model_dump(mode="json"),
                resume_at=self.images_seen,  # at 0 too: an attempt before the first checkpoint left rows
            )
        )

    def _note_loss(self, loss: float, history: History) -> None:
        """Keep a loss; every so many steps, note their mean. What is kept goes into the checkpoint, so curves join."""
        self._pending.append(loss)
        if len(self._pending) == LOG_EVERY_STEPS:
            self._write_losses(history)

    def _write_losses(self, history: History) -> None:
        if self._pending:
            rate = self.optimizer.param_groups[0]["lr"]
            history.losses(self.images_seen, self.budget.seconds, self._pending, rate, self._pace.images_per_second)
            self._pending = []

    def _started(self) -> TrainingStarted:
        return TrainingStarted(
            output=self.output,
            class_code=self.config.classes[0] if len(self.config.classes) == 1 else "",
            images=self.images_seen,
            total=self.config.images,
            parameters=self.net.num_parameters(),
            device=str(self.device),
            precision=self.precision,
            processes=self.accelerator.num_processes,
        )

    def _step_event(self, loss: float) -> TrainingStep:
        pace = self._pace.images_per_second
        return TrainingStep(
            images=self.images_seen,
            total=self.config.images,
            loss=loss,
            rate=self.optimizer.param_groups[0]["lr"],
            images_per_second=pace,
            remaining=None if pace is None else self.budget.remaining(self.images_seen, pace),
        )
