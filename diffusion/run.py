"""A whole run of `train diffusion`: data in, one network or one a class, samples judged, models where they are found.

=====================  =================================================================================================
in the run's folder    what
=====================  =================================================================================================
``config.json``        what was asked for, when, from which data and split, with which versions, on what
``training.log``       what was said
``log.jsonl``          losses and evaluations; as a table in ``training_history.csv``, as curves in ``tensorboard/``
``samples/``           the fixed-seed samples of every evaluation, one row a class
``last.pt``            everything that ``--resume`` needs
``pack/``, ``best/``   the newest moving average, and the one with the lowest kernel distance
``memorisation.*``     are the best weights' samples copies of photographs?
=====================  =================================================================================================

With kind = per_class each class has such a folder inside, and `best/` holds `unet_<CLASS>_best.pth` of all classes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list

from core.cancel import CancelToken
from core.diffusers_parts import UNet2DModel
from core.events import Event, Notice
from core.files.atomic import output_errors
from core.files.folder_lock import FolderLock
from core.files.own import own_work_folder
from core.jobs.stream import JobStopped
from core.precision import Precision
from core.taxonomy import CLASS_CODES
from diffusion.config import DiffusionConfig
from diffusion.data import TrainingData, read_training_data
from diffusion.events import DataRead, TrainingFinished, TrainingStatus, TrainingStep
from diffusion.latent.latents import encode_photographs, fingerprint_with, keep, kept, sketch_of
from diffusion.memorisation import judge
from diffusion.pack import PackDescription, write_pack, write_predecessor_checkpoint
from diffusion.processes import agree_to_stop, start_processes
from diffusion.request import TrainDiffusionRequest
from diffusion.state import refuse_changes
from diffusion.trainer import DiffusionTrainer
from measures.features import is_judge, load_extractor
from measures.kid import MIN_IMAGES
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
from training.runtime import CHECKPOINT, refuse_begun, resolve_precision

PACK: Final = "pack"
BEST: Final = "best"


_OWN: Final = (
    "samples", "best", "pack", "*.json", "*.jsonl", "*.csv", "*.log", "*.png", "*.pt", ".*.tmp", "lock",
)  # fmt: skip
"""What a run keeps in its folder, beside a folder for each class."""


def run_training(request: TrainDiffusionRequest, cancel: CancelToken) -> Iterator[Event]:
    """Carry out `train diffusion` and yield its events; see `carry_out`."""
    yield from carry_out(request.plan(), cancel)


def carry_out(plan: TrainingPlan[DiffusionConfig], cancel: CancelToken) -> Iterator[Event]:
    """Carry out a run and yield its events; only the first of several processes yields any.

    Raises
    ------
    ISICGUIError
        One of its subclasses: data, settings or a model that cannot be used, a folder that another run is writing to
        or that cannot be written.
    JobStopped
        If a stop was asked for between two networks; within one, the event that ends it says so.
    """
    config = plan.config
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    accelerator, device = start_processes(config)
    if not plan.resume:
        refuse_begun(plan.output)
    data = read_training_data(plan.data, config, allow_leakage=plan.allow_leakage, allow_generated=plan.allow_generated)
    if config.autoencoder is not None:
        data = replace(data, fingerprint=fingerprint_with(data.fingerprint, config.autoencoder))
    if config.extractor is not None:
        load_extractor(config.extractor, device)  # it is needed hours later, and refused now
    was = before(plan.output)
    output = _output_folder(plan, accelerator)
    run = _Run(plan, data, output, accelerator, device)
    if not accelerator.is_main_process:
        deque(run.train(cancel), maxlen=0)
    else:
        with unless_refused(output, was), FolderLock(output), output_errors(output), training_log(output):
            yield from logged(run.train(cancel), TrainingStep)
    accelerator.end_training()


def _output_folder(plan: TrainingPlan[DiffusionConfig], accelerator: Accelerator) -> Path:
    """Make the run's folder, the same in all processes."""
    shared = [plan.output]
    if plan.output is None and accelerator.is_main_process:
        shared = [new_run_folder(plan.config.name)]
    (output,) = broadcast_object_list(shared)
    with output_errors(output):
        own_work_folder(output, (*_OWN, *CLASS_CODES))
    return output


class _Run:
    """One run of one or several networks.

    Parameters
    ----------
    device
        What is computed on.
    """

    def __init__(
        self,
        plan: TrainingPlan[DiffusionConfig],
        data: TrainingData,
        output: Path,
        accelerator: Accelerator,
        device: torch.device,
    ) -> None:
        self._plan, self._data = plan, data
        self._config, self._output = plan.config, output
        self._accelerator, self._device = accelerator, device
        self._sketch: dict[str, Any] | None = None

    def train(self, cancel: CancelToken) -> Iterator[Event]:
        """Train every network of the run."""
        if self._plan.resume:
            self._refuse_changes()
        if self._accelerator.is_main_process:
            self._write_config(self._output, self._config, self._data)
        data = self._data
        yield DataRead(data.source, data.counts, data.leakage.sentence, data.fingerprint)
        yield from (Notice("data", note) for note in self._notes())
        if self._config.autoencoder is not None:
            data = yield from self._encode(self._config.autoencoder)
        if self._config.kind == "conditional":
            yield from self._train_one(self._config, data, self._output, cancel)
            return
        stop_is_told = False
        for code in self._config.classes:
            if agree_to_stop(self._accelerator, self._device, cancel):
                if stop_is_told:
                    return
                raise JobStopped
            stop_is_told = yield from self._train_class(code, cancel)

    def _encode(self, autoencoder: Path) -> Generator[Event, None, TrainingData]:
        """Return the data with its latent images, as an earlier sitting left them or encoded now."""
        data, output = self._data, self._output
        photographs = data.train, data.validation, autoencoder
        latents = kept(*photographs, data.fingerprint, output)
        if latents is None:
            count = len(data.train) + len(data.validation)
            yield Notice("latents", f"Encoding {count:,} photographs, those to learn from in eight views each.")
            precision: Precision = "bf16" if resolve_precision(self._config.precision, self._device) else "fp32"
            latents = encode_photographs(*photographs, self._device, precision)
            if self._accelerator.is_main_process:
                keep(latents, data.fingerprint, output)
        self._sketch = sketch_of(latents, data.train)
        self._data = replace(data, latents=latents)
        return self._data

    def _refuse_changes(self) -> None:
        """Refuse another run's settings before they replace those that lie there."""
        saved = read_run_config(self._output)
        fingerprints = (saved.get("split_fingerprint", ""), self._data.fingerprint)
        refuse_changes(saved.get("settings", {}), self._config, fingerprints, self._output / CONFIG_FILE)

    def _train_class(self, code: str, cancel: CancelToken) -> Generator[Event, None, bool]:
        config = self._config.model_copy(update={"classes": (code,)})
        data, folder = self._data.only(self._config, code), self._output / code
        if self._accelerator.is_main_process:
            self._write_config(folder, config, data)
        return (yield from self._train_one(config, data, folder, cancel))

    def _train_one(
        self, config: DiffusionConfig, data: TrainingData, folder: Path, cancel: CancelToken
    ) -> Generator[Event, None, bool]:
        """Train one network; return whether its end says that it was stopped."""
        trainer = DiffusionTrainer(config, data, folder, self._accelerator, self._device)
        if self._plan.resume and (folder / CHECKPOINT).exists():
            trainer.resume()
        elif self._plan.init_from is not None:
            trainer.initialise(self._plan.init_from)
        yield from trainer.run(cancel, self._export)
        if trainer.is_main and cancel.mode is None and trainer.best is not None:
            yield judge(trainer, trainer.best["images"])
        stopped = cancel.mode is not None
        if trainer.is_main:
            yield self._finished(trainer, "stopped" if stopped else "completed")
        return stopped

    def _notes(self) -> Iterator[str]:
        """Yield what a person should know before it begins."""
        yield from self._data.notes
        if self._config.tracker == "tensorboard" and find_spec("tensorboard") is None:
            yield "TensorBoard is not installed, so there are no curves, only the table training_history.csv."
        if is_judge(self._config.extractor):
            yield (
                "The features that select the best weights are those of the classifier that judges: what it says of "
                "this generator is not independent."
            )
        enough = [code for code, count in self._data.counts["validation"].items() if count >= MIN_IMAGES]
        if not enough or self._config.samples_per_class < MIN_IMAGES:
            yield (
                f"The best weights cannot be told apart: a distance needs {MIN_IMAGES} held-out photographs and "
                f"{MIN_IMAGES} samples of a class. The last weights are taken for the best."
            )

    def _export(self, trainer: DiffusionTrainer, net: UNet2DModel, best: bool) -> None:
        """Write the moving average as the best model, or as the newest."""
        config = trainer.config
        description = PackDescription(
            name=config.name,
            classes=config.classes,
            null_class=config.null_label,
            guidance=config.guidance,
            steps=config.sample_steps,
            licence=trainer.data.licence,
            sketch=self._sketch,
        )
        folder = trainer.output / (BEST if best else PACK)
        write_pack(net, trainer.scheduler, folder, description, self._training(trainer), config.autoencoder)
        if best and config.kind == "per_class":
            write_predecessor_checkpoint(net, self._output / BEST, config.classes[0])

    def _training(self, trainer: DiffusionTrainer) -> dict[str, object]:
        """Return how the weights came about, for the model's card; packs are passed on, so without paths."""
        return {
            "images_seen": trainer.images_seen,
            "seconds": round(trainer.budget.seconds),
            "batch_size": trainer.config.batch_size,
            "kid": None if trainer.best is None else trainer.best["kid"],
            "selected_by": "" if trainer.best is None else trainer.best["space"],
            "init_from": trainer.init_from,
            **self._facts(trainer.data),
            "data": trainer.data.source.name,
            "settings": trainer.config.model_dump(mode="json", exclude={"extractor", "autoencoder"}),
        }

    def _write_config(self, folder: Path, config: DiffusionConfig, data: TrainingData) -> None:
        facts = self._facts(data)
        source = self._plan.init_from
        facts["init_from"] = None if source is None else str(source.resolve())
        write_run_config(folder, kind="diffusion", name=config.name, settings=config, **facts)

    def _facts(self, data: TrainingData) -> dict[str, object]:
        hardware = describe_hardware(self._device, self._accelerator.num_processes)
        return {
            "data": str(data.source.resolve()),
            "licence": data.licence,
            "credit": data.credit,
            "split_fingerprint": data.fingerprint,
            "photographs": data.counts,
            "generated_images": data.generated,
            "leakage": asdict(data.leakage),
            "hardware": asdict(hardware),
        }

    def _finished(self, trainer: DiffusionTrainer, status: TrainingStatus) -> TrainingFinished:
        best = self._output / BEST
        return TrainingFinished(
            status=status,
            run=self._output,
            output=trainer.output,
            classes=trainer.config.classes,
            models=best if best.exists() else trainer.output / PACK,
            images=trainer.images_seen,
            seconds=trainer.budget.seconds,
            best_kid=None if trainer.best is None else trainer.best["kid"],
        )
