"""A whole run of `train autoencoder`: data in, one network, its pack, and what it keeps of lesions it has not seen.

======================  ================================================================================================
in the run's folder     what
======================  ================================================================================================
``config.json``         what was asked for, when, from which data and split, with which versions, on what
``training.log``        what was said
``log.jsonl``           losses and looks; as a table in ``training_history.csv``, as curves in ``tensorboard/``
``samples/``            photographs of held-out lesions, their reconstructions below, in the course of training
``last.pt``             everything that ``--resume`` needs
``reconstruction.png``  photographs of test lesions, their reconstructions below
``pack/``               the newest moving average, its report and its card
======================  ================================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import torch

from core.cancel import CancelToken
from core.diffusers_parts import AutoencoderKL
from core.events import Event, Notice
from core.files.atomic import output_errors
from core.files.folder_lock import FolderLock
from core.files.own import own_work_folder
from core.models.networks import read_autoencoder
from core.precision import resolve_device
from diffusion.autoencoder.card import write_card
from diffusion.autoencoder.config import BUDGET_KEYS, AutoencoderConfig
from diffusion.autoencoder.data import PictureData, read_pictures
from diffusion.autoencoder.events import AutoencoderFinished, ReconstructionMeasured
from diffusion.autoencoder.pack import write_autoencoder
from diffusion.autoencoder.report import load_judge, measure_reconstruction, save_sheet, write_report
from diffusion.autoencoder.request import KIND, TrainAutoencoderRequest
from diffusion.autoencoder.statistics import measure_latents
from diffusion.autoencoder.trainer import AutoencoderTrainer
from diffusion.events import DataRead, TrainingStep
from diffusion.state import refuse_changes
from training.hardware import describe_hardware
from training.request import TrainingPlan
from training.run_folder import (
    CONFIG_FILE,
    before,
    logged,
    new_run_folder,
    read_run_config,
    training_log,
    unless_refused,
    write_run_config,
)
from training.runtime import CHECKPOINT, refuse_begun

PACK: Final = "pack"

_OWN: Final = ("samples", "pack", "*.json", "*.jsonl", "*.csv", "*.log", "*.png", "*.pt", ".*.tmp", "lock")
"""What a run keeps in its folder."""


def run_training(request: TrainAutoencoderRequest, cancel: CancelToken) -> Iterator[Event]:
    """Carry out `train autoencoder` and yield its events; see `carry_out`."""
    yield from carry_out(request.plan(), cancel)


def carry_out(plan: TrainingPlan[AutoencoderConfig], cancel: CancelToken) -> Iterator[Event]:
    """Carry out a run and yield its events.

    Raises
    ------
    ISICGUIError
        One of its subclasses: data, settings or a model that cannot be used, a folder that another run is writing to
        or that cannot be written.
    """
    config = plan.config
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    device = resolve_device(config.device)
    if not plan.resume:
        refuse_begun(plan.output)
    data = read_pictures(plan.data, config, allow_leakage=plan.allow_leakage, allow_generated=plan.allow_generated)
    was = before(plan.output)
    output = plan.output or new_run_folder(config.name)
    with output_errors(output):
        own_work_folder(output, _OWN)
    with unless_refused(output, was), FolderLock(output), output_errors(output), training_log(output):
        yield from logged(_Run(plan, data, output, device).train(cancel), TrainingStep)


class _Run:
    """One run in its folder."""

    def __init__(
        self, plan: TrainingPlan[AutoencoderConfig], data: PictureData, output: Path, device: torch.device
    ) -> None:
        self._plan, self._config = plan, plan.config
        self._data, self._output, self._device = data, output, device

    def train(self, cancel: CancelToken) -> Iterator[Event]:
        """Train the network; measure it if it is completed."""
        data, output = self._data, self._output
        if self._plan.resume:
            self._refuse_changes()
        self._write_config()
        yield DataRead(data.source, data.counts, data.leakage.sentence, data.fingerprint)
        yield from (Notice("data", note) for note in self._notes())
        trainer = AutoencoderTrainer(self._config, data, output, self._device)
        if self._plan.resume and (output / CHECKPOINT).exists():
            trainer.resume()
        elif self._plan.init_from is not None:
            trainer.initialise(self._plan.init_from)
        yield from trainer.run(cancel, self._export)
        is_stopped = cancel.mode is not None
        if not is_stopped:
            yield self._measure(trainer)
        learner = trainer.learner
        yield AutoencoderFinished(
            "stopped" if is_stopped else "completed", output, output / PACK, learner.images_seen, learner.budget.seconds
        )

    def _refuse_changes(self) -> None:
        """Refuse another run's settings before they replace those that lie there."""
        saved = read_run_config(self._output)
        fingerprints = (saved.get("split_fingerprint", ""), self._data.fingerprint)
        path = self._output / CONFIG_FILE
        refuse_changes(saved.get("settings", {}), self._config, fingerprints, path, BUDGET_KEYS)

    def _notes(self) -> Iterator[str]:
        """Yield what a person should know before it begins."""
        yield from self._data.notes
        if self._config.tracker == "tensorboard" and find_spec("tensorboard") is None:
            yield "TensorBoard is not installed, so there are no curves, only the table training_history.csv."

    def _export(self, trainer: AutoencoderTrainer, net: AutoencoderKL) -> None:
        learner = trainer.learner
        statistics = measure_latents(net, self._data.train.pixels, learner.precision)
        pack = self._output / PACK
        write_autoencoder(net, statistics, pack, self._training(trainer))
        write_card(pack)

    def _measure(self, trainer: AutoencoderTrainer) -> ReconstructionMeasured:
        """Measure the pack as it is written, its weights rounded to fp16, on the test lesions."""
        pack, data = self._output / PACK, self._data
        report, pixels, made = measure_reconstruction(
            read_autoencoder(pack).to(self._device),
            data.test,
            data.train.pixels,
            measured_on="test" if data.counts["test"] else "validation",
            precision=trainer.learner.precision,
            judge=load_judge(self._device),
        )
        save_sheet(pixels, made, self._output)
        file = write_report(report, pack)
        write_card(pack)
        return ReconstructionMeasured(report.sentence, file)

    def _training(self, trainer: AutoencoderTrainer) -> dict[str, object]:
        """Return how the weights came about, for the model's card; packs are passed on, so without paths."""
        return {
            "images_seen": trainer.learner.images_seen,
            "seconds": round(trainer.learner.budget.seconds),
            "precision": trainer.learner.precision,
            "init_from": trainer.init_from,
            **self._facts(),
            "data": self._data.source.name,
            "settings": self._config.model_dump(mode="json", exclude={"perceptual_network"}),
        }

    def _write_config(self) -> None:
        source = self._plan.init_from
        facts = {**self._facts(), "init_from": None if source is None else str(source.resolve())}
        write_run_config(self._output, kind=KIND, name=self._config.name, settings=self._config, **facts)

    def _facts(self) -> dict[str, object]:
        data = self._data
        return {
            "data": str(data.source.resolve()),
            "licence": data.licence,
            "credit": data.credit,
            "split_fingerprint": data.fingerprint,
            "photographs": data.counts,
            "generated_images": data.generated,
            "leakage": asdict(data.leakage),
            "hardware": asdict(describe_hardware(self._device, 1)),
        }
