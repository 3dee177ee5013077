"""Carries out one run: model after model, batch after batch, looking at the cancel token after every denoising step."""

from __future__ import annotations

import gc
import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

import torch

from core.cancel import CancelToken, StopMode
from core.conditioning import require_taken
from core.errors import ModelRefusedError, OutOfMemoryError, UsageError
from core.events import (
    Continued,
    Event,
    Failed,
    Finished,
    Loaded,
    Loading,
    Notice,
    Paused,
    Preview,
    RunStatus,
    Started,
    Step,
)
from core.generation import MAX_STEPS, GenerationRequest
from core.generator.color import ColorStatistics
from core.generator.finishing import DrawnBatch, Finisher, PreviewGate, Trajectory, WorkClock
from core.generator.model_manager import LoadedModel, ModelManager, model_source
from core.generator.sampler import (
    NO_GUIDANCE,
    Drawing,
    Settings,
    StepState,
    build_scheduler,
    effective_guidance,
    is_out_of_memory,
    to_uint8,
)
from core.generator.start import BatchStart
from core.generator.start_images import StartImages, batch_start
from core.message import Message
from core.models.discovery import ClassModel
from core.precision import Precision
from core.schedulers import Scheduler
from dataset.layout import Layout
from dataset.synthetic_dataset import Run, RunSlot, SyntheticDataset

_NOISE_SHARE: Final = 0.9
"""From this share of the timesteps on, the cosine schedule leaves less than 3 % of the image's power."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a run is carried out with, decided before it begins.

    Attributes
    ----------
    models
        What there is to draw each class with.
    colors
        Colour statistics by class; empty for no correction.
    """

    models: Mapping[str, ClassModel]
    manager: ModelManager
    colors: Mapping[str, ColorStatistics]
    device: torch.device
    precision: Precision


class RunImages:
    """One run being carried out.

    Parameters
    ----------
    batch_size
        Images denoised together, until memory runs out.

    Attributes
    ----------
    refusals
        Why models were not loaded, or not run.
    """

    def __init__(
        self, dataset: SyntheticDataset, run: Run, equipment: Equipment, batch_size: int, cancel: CancelToken
    ) -> None:
        self._dataset = dataset
        self._run = run
        self._equipment = equipment
        self._batch_size = batch_size
        self._cancel = cancel
        self._clock = WorkClock()
        self._began = self._clock()
        self._finisher = Finisher(dataset, run, equipment.colors, self._clock)
        self._previews = PreviewGate()
        self._positions = {slot.planned: position for position, slot in enumerate(run.slots, start=1)}
        self._failed = 0
        self._drew_any = False
        self._late_start_told = False
        self._start_images = StartImages([Layout(dataset.folder).inputs])
        self.refusals: list[ModelRefusedError | UsageError] = []

    @property
    def every_model_refused(self) -> bool:
        """Whether models were tried and not one could be loaded and run."""
        return bool(self.refusals) and not self._drew_any and self._cancel.mode is None

    def started(self) -> Started:
        """Return the event that states what was decided on the user's behalf."""
        request = self._run.request
        return Started(
            run_id=self._run.run_id,
            output=self._dataset.folder,
            total=len(self._run.slots),
            counts=dict(request.counts),
            sampler=request.sampler,
            steps=request.steps,
            device=str(self._equipment.device),
            precision=self._equipment.precision,
            batch_size=self._batch_size,
        )

    def refuse(self, class_code: str, error: ModelRefusedError | UsageError, images: int) -> Failed:
        """Count images that will not be made for want of a model, and return the event that says why."""
        self._failed += images
        self.refusals.append(error)
        logger.warning("%s: %s", class_code, error)
        return Failed(class_code, error.kind, error.message, error.remedy, images)

    def images(self) -> Iterator[Event]:
        """Make what is pending, class by class, until it is done or a stop is asked for."""
        for class_code, slots in groupby(self._run.pending, key=lambda slot: slot.planned.class_code):
            if self._cancel.mode is not None:
                return
            yield from self._class(class_code, deque(slots))

    def finish(self) -> Finished:
        """Note the end of the run and return the event that says how it went."""
        status = self._status()
        if status == "discarded":
            self._dataset.discard_run(self._run)
        else:
            self._dataset.end_run(self._run, status)
        return Finished(
            run_id=self._run.run_id,
            status=status,
            written=0 if status == "discarded" else self._finisher.written,
            failed=self._failed + self._finisher.failed,
            remaining=0 if status == "discarded" else len(self._run.pending),
            seconds=self._clock() - self._began,
            output=self._dataset.folder,
        )

    def _status(self) -> RunStatus:
        if self._cancel.mode is StopMode.DISCARD:
            return "discarded"
        if not self._run.pending:
            return "failed" if self._failed else "completed"
        return "failed" if self._cancel.mode is None else "stopped"

    def _class(self, class_code: str, slots: deque[RunSlot]) -> Iterator[Event]:
        chosen = self._equipment.models[class_code]
        began = self._clock()
        yield Loading(class_code, chosen.path or Path())
        try:
            model = self._equipment.manager.load(chosen, self._equipment.device, self._equipment.precision)
            require_taken(self._run.request.conditioning, model.takes, model.path.name)
            scheduler = build_scheduler(self._run.request.sampler, model.scheduler_config, self._run.request.steps)
        except (ModelRefusedError, UsageError) as error:  # UsageError: trained with fewer timesteps than were asked for
            yield self.refuse(class_code, error, len(slots))
            return
        yield Loaded(class_code, model.path, model.sha256, self._clock() - began)
        yield from self._notices(class_code, model)
        first = self._first_timestep(scheduler)
        if first < _NOISE_SHARE * MAX_STEPS and not self._late_start_told:
            self._late_start_told = True
            yield _late_start(self._run.request, first)
        self._finisher.start_clock()
        yield from self._batches(model, slots, scheduler)

    def _first_timestep(self, scheduler: Scheduler) -> float:
        """Return where `ddpm` begins; the other samplers choose their timesteps themselves."""
        if self._run.request.sampler != "ddpm":
            return MAX_STEPS
        return float(scheduler.timesteps[0]) * MAX_STEPS / scheduler.config.num_train_timesteps

    def _notices(self, class_code: str, model: LoadedModel) -> Iterator[Notice]:
        for words in model.assumed.values():
            yield Notice("assumed", words)
        asked = self._run.request.guidance
        if model.null_label is None and asked not in (None, NO_GUIDANCE):
            yield Notice(
                "guidance",
                Message(
                    "The model for {class_code} has no null class: guidance {asked:g} is ignored.",
                    class_code=class_code,
                    asked=asked,
                ),
            )
        if self._equipment.colors and class_code not in self._equipment.colors:
            yield Notice(
                "color",
                Message(
                    "The colour statistics have no entry for {class_code}: its colours are not corrected.",
                    class_code=class_code,
                ),
            )

    def _batches(self, model: LoadedModel, slots: deque[RunSlot], scheduler: Scheduler | None) -> Iterator[Event]:
        """Make the images of a class; the first batch takes `scheduler`, which serves once, the others build theirs."""
        while slots and self._cancel.mode is None:
            yield from self._pause()
            if self._cancel.mode is not None:
                return
            batch = [slots.popleft() for _ in range(min(self._batch_size, len(slots)))]
            fresh, scheduler = scheduler, None
            try:
                yield from self._batch(model, batch, fresh)
                continue
            except ModelRefusedError as error:
                yield self.refuse(batch[0].planned.class_code, error, len(batch) + len(slots))
                return
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                reason = str(error).splitlines()[0]
            # after the except block, whose traceback would keep the batch's tensors alive
            slots.extendleft(reversed(batch))
            yield self._halve(reason)

    def _halve(self, reason: str) -> Notice:
        device = self._equipment.device
        if self._batch_size == 1:
            raise OutOfMemoryError(
                Message("Not even one image fits into the memory of {device}: {reason}", device=device, reason=reason),
                remedy=Message(
                    "Close other programs that use it, or choose another device. Finished images are kept; "
                    "`resume` makes the others."
                ),
            )
        self._batch_size //= 2
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()
        return Notice(
            "batch_halved",
            Message(
                "The memory of {device} was full: the batch size is now {batch_size}.",
                device=device,
                batch_size=self._batch_size,
            ),
        )

    def _batch(self, model: LoadedModel, batch: Sequence[RunSlot], scheduler: Scheduler | None) -> Iterator[Event]:
        request = self._run.request
        guidance = effective_guidance(model, request.guidance)
        settings = Settings(request.sampler, request.steps, guidance, self._batch_size)
        began = self._clock()
        drawing = Drawing(
            model, settings, [slot.planned.seed for slot in batch], scheduler, request.conditioning,
            self._start(model, batch, settings),
        )  # fmt: skip
        trajectory = Trajectory(model.pictures) if request.trajectory else None
        for state in drawing.states():
            self._drew_any = True
            if trajectory is not None:
                trajectory.add(state)
            yield self._step(model, batch, state)
            if state.step < state.steps:  # a finished picture is stored first
                yield from self._pause()
            if self._cancel.stops_now:
                return
        seconds = (self._clock() - began) / len(batch)
        yield from self._finisher.store(DrawnBatch(batch, drawing, state, model, settings, trajectory, seconds))

    def _start(self, model: LoadedModel, batch: Sequence[RunSlot], settings: Settings) -> BatchStart:
        request = self._run.request
        beginnings = [one for slot in batch if (one := request.beginning(slot.planned)) is not None]
        return batch_start(
            beginnings, self._start_images, model, settings.sampler, settings.steps, settings.batch_size, self._label_of
        )

    def _label_of(self, code: str) -> int | None:
        """Return the label by which the networks of this run know a class, if they do."""
        model = self._equipment.models[code]
        return model_source(model).class_label if model.available else None

    def _pause(self) -> Iterator[Event]:
        """Wait while a pause is asked for; what is being made stays in memory."""
        if self._cancel.is_paused:
            yield Paused()
            seconds = self._cancel.wait_while_paused()
            self._clock.leave_out(seconds)
            yield Continued(seconds)

    def _step(self, model: LoadedModel, batch: Sequence[RunSlot], state: StepState) -> Step:
        return Step(
            class_code=batch[0].planned.class_code,
            step=state.step,
            steps=state.steps,
            timestep=round(state.timestep),
            images=tuple(self._positions[slot.planned] for slot in batch),
            preview=preview_of(model, state) if self._previews.is_due() else None,
        )


def _late_start(request: GenerationRequest, first: float) -> Notice:
    return Notice(
        "timesteps",
        Message(
            "With {steps} steps the ddpm sampler starts at timestep {first:.0f} of {max_steps}, "
            "below full noise, which degrades the images. Good numbers are 50, 100, 250, 500 and "
            "1000.",
            steps=request.steps,
            first=first,
            max_steps=MAX_STEPS,
        ),
    )


def preview_of(model: LoadedModel, state: StepState) -> Preview:
    """Return what a step looks like: the first image of its batch."""
    noisy, predicted = (to_uint8(model.sketches(tensor[:1]))[0] for tensor in (state.noisy, state.predicted))
    return Preview(noisy=noisy, predicted=predicted)
