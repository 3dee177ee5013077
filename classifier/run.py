"""`train classifier` from photographs to a measured classifier that the rest of the program can use.

One command may be several trainings: one for each seed and each fold, each in a folder of its own.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from classifier.aggregate import summarise_runs
from classifier.config import ClassifierConfig
from classifier.data import Split, TrainingMasks, read_masks
from classifier.events import DataRead, Measured, RunStopped, SplitReady, Summarised, TrainingStep
from classifier.finish import MODEL_FOLDER, finish_run
from classifier.request import KIND, TrainClassifierRequest
from classifier.results import RESULTS_FILE, RunAbout
from classifier.trained import Trained
from classifier.trainer import ClassifierTrainer, refuse_other_settings
from core.cancel import CancelToken
from core.errors import InputRefusedError, OutOfMemoryError
from core.events import Event, Notice
from core.files.atomic import output_errors
from core.files.folder_lock import FolderLock
from core.files.own import own_work_folder
from core.generator.sampler import is_out_of_memory
from core.message import Message
from core.precision import resolve_device
from dataset.generated import without_generated
from photographs.labelled import LabelledImage
from photographs.licence import Licence, licence_of
from photographs.masks import MASKS_FOLDER
from photographs.sources import Photographs, read_dataset
from photographs.splits import Splits, lesion_folds, require_no_leakage, split_by_lesion, use_given_split
from training.hardware import describe_hardware
from training.run_folder import (
    CONFIG_FILE,
    before,
    logged,
    new_run_folder,
    read_run_config,
    read_run_settings,
    training_log,
    unless_refused,
    write_run_config,
)
from training.runtime import CHECKPOINT, refuse_begun
from training.trackers import TrackerKind


@dataclass(frozen=True, slots=True)
class Part:
    """One training: its settings (with one seed and no others), its images, its place in the run's folder."""

    config: ClassifierConfig
    splits: Splits
    place: str

    @property
    def title(self) -> str:
        """What it is called within the run."""
        return self.place or self.config.architecture


def plan_parts(images: Sequence[LabelledImage], config: ClassifierConfig) -> list[Part]:
    """Return the trainings of a run in the order in which they are carried out.

    A single training is in the run's folder itself, several in `seed_<seed>`, `fold_<number>` or
    `seed_<seed>/fold_<number>`.

    Raises
    ------
    InputRefusedError
        If the images cannot be split as the settings say.
    """
    divided = list(_splits(images, config))
    return [
        Part(one, splits, "/".join(filter(None, (seed_place, fold_place))))
        for seed_place, one in _seeds(config)
        for fold_place, splits in divided
    ]


def _seeds(config: ClassifierConfig) -> Iterator[tuple[str, ClassifierConfig]]:
    if not config.seeds:
        yield "", config
    for seed in config.seeds:
        yield f"seed_{seed}", config.model_copy(update={"seed": seed, "seeds": ()})


def _splits(images: Sequence[LabelledImage], config: ClassifierConfig) -> Iterator[tuple[str, Splits]]:
    share = config.validation_fraction
    if config.folds:
        folds = lesion_folds(images, config.folds, config.split_seed, validation_fraction=share)
        yield from ((f"fold_{number}", splits) for number, splits in enumerate(folds))
        return
    split = use_given_split if config.split == "given" else split_by_lesion
    yield "", split(images, test_fraction=config.test_fraction, validation_fraction=share, split_seed=config.split_seed)


_OWN: Final = (
    "plots", "model", "seed_*", "fold_*", "*.json", "*.jsonl", "*.csv", "*.log", "*.html", "*.pt", ".*.tmp", "lock",
)  # fmt: skip
"""What a run keeps in its folder."""


def run_training(request: TrainClassifierRequest, cancel: CancelToken) -> Iterator[Event]:
    """Carry out `train classifier` and yield its events; see `ClassifierRun.carry_out`."""
    if not request.resume:
        refuse_begun(request.output)
    config = request.settings
    photographs = without_generated(read_dataset(request.data), request.allow_generated)
    parts = plan_parts(photographs.images, config)
    check_leakage(parts, allowed=request.allow_leakage)
    run = ClassifierRun(photographs, config, parts, request.output or new_run_folder(run_name(config)), request.tracker)
    yield run.describe()
    yield from (Notice("data", note) for note in photographs.notes)
    yield from run.carry_out(cancel)


@dataclass(frozen=True, slots=True)
class ClassifierRun:
    """What is to be trained, from what, and where it goes.

    Attributes
    ----------
    folder
        Of the run. What is there is continued: finished seeds and folds are kept, an unfinished one continues where its
        last checkpoint is.
    parts
        The trainings, from `plan_parts`.
    """

    photographs: Photographs
    config: ClassifierConfig
    parts: Sequence[Part]
    folder: Path
    tracker: TrackerKind = "tensorboard"

    def describe(self) -> DataRead:
        """Return what is known before anything is trained."""
        photographs, config = self.photographs, self.config
        return DataRead(
            source=photographs.source,
            kind=photographs.kind,
            images=len(photographs.images),
            lesions=len({image.lesion_id for image in photographs.images}) if photographs.grouped else None,
            architecture=config.architecture,
            scenario=config.scenario,
            is_pretrained=config.is_pretrained,
            output=self.folder,
        )

    def carry_out(self, cancel: CancelToken) -> Iterator[Event]:
        """Train, measure and export every seed and fold, unless a stop is asked for; then the run can be continued.

        Raises
        ------
        InputRefusedError
            If too many images cannot be read.
        ModelRefusedError
            If pretrained weights cannot be had.
        SettingsRefusedError
            If the run that is there has other settings.
        OutputError
            If the folder is being trained in already, or cannot be written.
        OutOfMemoryError
            If a batch does not fit into the memory of the device.
        """
        if self.config.threads:
            torch.set_num_threads(self.config.threads)
        with unless_refused(self.folder, before(self.folder)), output_errors(self.folder):
            own_work_folder(self.folder, _OWN)
            with FolderLock(self.folder), training_log(self.folder):
                self._refuse_other_settings()
                self._write_config(self.folder, self.config, self.parts)
                yield from logged(self._with_memory_in_words(self._events(cancel)), TrainingStep)

    def _with_memory_in_words(self, events: Iterator[Event]) -> Iterator[Event]:
        try:
            yield from events
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            raise self._out_of_memory() from error

    def _out_of_memory(self) -> OutOfMemoryError:
        config = self.config
        return OutOfMemoryError(
            Message(
                "The memory is not enough for {architecture} with batches of {batch_size} images of "
                "{image_size} pixels.",
                architecture=config.architecture,
                batch_size=config.batch_size,
                image_size=config.image_size,
            ),
            remedy=Message(
                "Start a new run with a smaller --batch-size or --image-size, or close what else uses the memory."
            ),
            path=self.folder,
        )

    def _refuse_other_settings(self) -> None:
        """Refuse another run's settings before they replace those that lie there."""
        for part in self.parts:
            folder = self.folder / part.place
            if (folder / CHECKPOINT).exists():
                refuse_other_settings(folder, part.config, read_run_settings(folder))

    def _events(self, cancel: CancelToken) -> Iterator[Event]:
        for part in self.parts:
            is_measured = cancel.mode is None and (yield from self._train(part, cancel))
            if not is_measured:
                yield RunStopped(self.folder)
                return
        if len(self.parts) > 1:
            summary = summarise_runs(self.folder, [self.folder / part.place for part in self.parts])
            yield Summarised(self.folder, len(self.parts), summary.sentence)

    def _train(self, part: Part, cancel: CancelToken) -> Generator[Event, None, bool]:
        """Carry out one training; return whether it is measured, rather than stopped."""
        folder = self.folder / part.place
        if part.place:
            self._write_config(folder, part.config, [part])
        yield _split_ready(part)
        train, validation = (self._read(images, part) for images in (part.splits.train, part.splits.validation))
        yield from _unreadable(train, validation)
        masks = self._masks(train) if self.config.mask_weight else None
        if masks is not None:
            yield Notice("masks", masks.words)
        trainer = self._trainer(part, train, validation, None if masks is None else masks.layers)
        if trainer.finished and (folder / RESULTS_FILE).exists():
            yield Notice("finished_already", f"{part.title} is finished already; it is kept as it is.")
            return True
        yield from trainer.run(cancel)
        if trainer.finished:
            yield from self._measure(part, train, validation)
        return trainer.finished

    def _trainer(self, part: Part, train: Split, validation: Split, masks: Tensor | None) -> ClassifierTrainer:
        folder = self.folder / part.place
        trainer = ClassifierTrainer(part.config, train, validation, folder, masks=masks, tracker=self.tracker)
        if (folder / CHECKPOINT).exists():
            trainer.resume()
        return trainer

    def _read(self, images: Sequence[LabelledImage], part: Part) -> Split:
        if not images:
            raise InputRefusedError(
                Message("No lesion is left for selecting the best epoch ({title}).", title=part.title),
                remedy=Message(
                    "Add photographs: every class needs at least three lesions; or raise validation_fraction."
                ),
            )
        return Split.read(images, self.config.image_size)

    def _masks(self, train: Split) -> TrainingMasks:
        source = self.photographs.source
        folder = self.config.masks or (source if source.is_dir() else source.parent) / MASKS_FOLDER
        return read_masks(folder, self.photographs.images, train.image_ids, self.config.image_size)

    def _measure(self, part: Part, train: Split, validation: Split) -> Iterator[Event]:
        """Read the test images, for the first time, and let the best epoch answer them."""
        folder = self.folder / part.place
        test, extra = (Split.read(images, self.config.image_size) for images in (part.splits.test, part.splits.extra))
        yield from _unreadable(test, extra)
        results = finish_run(
            folder,
            replace(Trained.load(folder), config=part.config),  # the device of the best epoch may be gone
            train=train,
            validation=validation,
            test=test,
            extra=extra,
            about=self._about(part.splits),
        )
        headline, found = results.headline, results.evaluation
        yield Measured(
            part.title, folder / MODEL_FOLDER, results.measured_on, headline.value, headline.low, headline.high,
            found.images, found.chance,
        )  # fmt: skip

    def _about(self, splits: Splits) -> RunAbout:
        return RunAbout(
            data=f"{self.photographs.source.resolve().name} ({self.photographs.kind})",
            licence=self._licence(),
            leakage=splits.leakage,
            hardware=describe_hardware(resolve_device(self.config.device)).sentence,
        )

    def _licence(self) -> Licence:
        photographs, config = self.photographs, self.config
        return licence_of(photographs.kind, config.licence, config.credit, stated=photographs.terms)

    def _write_config(self, folder: Path, config: ClassifierConfig, parts: Sequence[Part]) -> None:
        kept = {}
        if (folder / CONFIG_FILE).exists():  # a resumed run keeps the time at which it began
            kept["timestamp"] = read_run_config(folder).get("timestamp")
        write_run_config(
            folder,
            kind=KIND,
            name=run_name(config),
            settings=config,
            data=str(self.photographs.source),
            data_kind=self.photographs.kind,
            split_fingerprints=[part.splits.fingerprint for part in parts],
            **kept,
        )


def check_leakage(parts: Sequence[Part], *, allowed: bool) -> None:
    """Refuse splits that leak, unless that is allowed.

    Raises
    ------
    InputRefusedError
        With the measurement in plain words.
    """
    for part in parts:
        require_no_leakage(part.splits.leakage, allowed)


def run_name(config: ClassifierConfig) -> str:
    """Return ISICGenerator's name for a run: scenario, architecture, and whether it weighs and augments."""
    marks = ("_weights" if config.balance == "weights" else "", "_aug" if config.augmentation != "none" else "")
    return f"{config.scenario}_{config.architecture}{''.join(marks)}"


def _unreadable(*splits: Split) -> Iterator[Event]:
    yield from (Notice("unreadable", split.warning) for split in splits if split.warning)


def _split_ready(part: Part) -> Event:
    counts = {name: _count(getattr(part.splits, name)) for name in ("train", "validation", "test", "extra")}
    return SplitReady(part.title, counts, part.splits.leakage.leaked, part.splits.leakage.sentence)


def _count(images: Sequence[LabelledImage]) -> dict[str, int]:
    return {"images": len(images), "lesions": len({image.lesion_id for image in images})}
