"""From the last denoising step to files on disk: colour, recipe, trajectory, PNG, and the event that announces it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from core.events import Event, Failed, ImageDone
from core.generation import PlannedImage, is_explained
from core.generator.color import ColorStatistics, apply_color_statistics
from core.generator.drawing import Drawing, Settings
from core.generator.model_manager import LoadedModel
from core.generator.progress_rate import Clock, ProgressRate
from core.generator.provenance import make_recipe
from core.generator.sampler import StepState, to_uint8
from core.generator.trajectory import Trajectory, move_trajectory
from core.utils.path_manager import PathManager
from dataset.layout import Layout, image_number
from dataset.recipe import Recipe
from dataset.synthetic_dataset import Run, RunSlot, SyntheticDataset


@dataclass(frozen=True, slots=True)
class DrawnBatch:
    """A batch that is drawn and not yet stored.

    Attributes
    ----------
    slots
        Of its images, in order.
    last
        The state after the last step.
    trajectory
        All states, if they are to be kept.
    seconds
        What drawing took for each image.
    """

    slots: Sequence[RunSlot]
    drawing: Drawing
    last: StepState
    model: LoadedModel
    settings: Settings
    trajectory: Trajectory | None
    seconds: float


class Finisher:
    """Stores the images of one run.

    Parameters
    ----------
    colors
        Colour statistics by class; empty for no correction.
    clock
        What the pace is measured by.

    Attributes
    ----------
    written, failed
        Images stored, and images that came out unusable, in this sitting.
    """

    def __init__(
        self, dataset: SyntheticDataset, run: Run, colors: Mapping[str, ColorStatistics], clock: Clock
    ) -> None:
        self._dataset = dataset
        self._run = run
        self._colors = colors
        self._layout = Layout(dataset.folder)
        self._pace = ProgressRate(len(run.pending), clock)
        self._explained = _explained(run)
        self.written = 0
        self.failed = 0

    def start_clock(self) -> None:
        """Begin to measure the pace, unless something is finished already."""
        self._pace.start()

    def store(self, batch: DrawnBatch) -> Iterator[Event]:
        """Store a batch and announce each image once it is complete on disk."""
        finite = torch.isfinite(batch.last.sample).flatten(1).all(dim=1).tolist()
        images = to_uint8(batch.model.pictures(batch.last.sample))
        for position, slot in enumerate(batch.slots):
            if finite[position]:
                yield self._store_one(batch, position, images[position])
            else:
                self.failed += 1
                yield _not_finite(slot, batch)

    def _store_one(self, batch: DrawnBatch, position: int, pixels: NDArray[np.uint8]) -> ImageDone:
        slot = batch.slots[position]
        color = self._colors.get(slot.planned.class_code)
        if color is not None:
            pixels = apply_color_statistics(pixels, color)
        recipe = make_recipe(
            slot.planned,
            batch.drawing,
            position,
            model=batch.model,
            settings=batch.settings,
            color=color,
            models=self._run.request.models,
        )
        path = self._write(batch.trajectory, position, slot, pixels, recipe)
        self.written += 1
        self._pace.finish_one()
        return self._done(slot, path, recipe, batch.seconds)

    def _write(
        self, trajectory: Trajectory | None, position: int, slot: RunSlot, pixels: NDArray[np.uint8], recipe: Recipe
    ) -> Path:
        """Write the trajectory first: an image that is announced as finished has everything that belongs to it."""
        stem = PathManager.isic_name(slot.isic_number)
        steps = None if trajectory is None else trajectory.save(position, self._layout, slot.planned.class_code, stem)
        path = self._dataset.store(self._run, slot, pixels, recipe)
        if steps is not None and path.stem != stem:
            move_trajectory(steps, path.stem)
        return path

    def _done(self, slot: RunSlot, path: Path, recipe: Recipe, seconds: float) -> ImageDone:
        return ImageDone(
            class_code=slot.planned.class_code,
            index=slot.planned.index,
            isic_number=image_number(path.name) or slot.isic_number,
            file=path,
            seed=slot.planned.seed,
            noise_hash=recipe.noise_hash,
            done=len(self._run.done),
            total=len(self._run.slots),
            seconds=seconds,
            rate=self._pace.rate,
            remaining=self._pace.remaining,
            explain=slot.planned in self._explained,
        )


def _explained(run: Run) -> frozenset[PlannedImage]:
    """Return the images whose explanation the request asks for; the plan decides, however often the run is resumed."""
    positions: Counter[str] = Counter()
    chosen = set()
    for slot in run.slots:
        code = slot.planned.class_code
        if is_explained(positions[code], run.request.xai_every):
            chosen.add(slot.planned)
        positions[code] += 1
    return frozenset(chosen)


def _not_finite(slot: RunSlot, batch: DrawnBatch) -> Failed:
    precision = batch.model.precision
    return Failed(
        slot.planned.class_code,
        "not_finite",
        f"The image with seed {slot.planned.seed} came out as NaN or infinity in {precision}; it was not stored.",
        "Try --precision fp32." if precision != "fp32" else "The model is damaged or was trained too little.",
        1,
    )
