"""From the last denoising step to files on disk: colour, recipe, trajectory, PNG, and the event that announces it.

How long a run will still take is reckoned here too, from finished images only.
"""

from __future__ import annotations

import functools
import importlib.metadata
import io
import os
import platform
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from numpy.typing import NDArray

from core.beginning import Beginning
from core.events import Event, Failed, ImageDone
from core.files.atomic import output_errors, write_bytes_atomic
from core.files.own import ForeignPathError, own_folder
from core.generation import PlannedImage, is_explained
from core.generator.color import ColorStatistics
from core.generator.model_manager import LoadedModel
from core.generator.sampler import Drawing, Settings, StepState, to_uint8
from core.message import Message
from core.utils.path_manager import PathManager
from core.version import __version__
from dataset.layout import Layout, image_number
from dataset.recipe import Recipe
from dataset.recovery import is_trajectory
from dataset.synthetic_dataset import Run, RunSlot, SyntheticDataset

if TYPE_CHECKING:
    from torch import Tensor


PREVIEWS_PER_SECOND: Final = 15

Clock = Callable[[], float]


class WorkClock:
    """Tells the seconds since any moment, as `time.perf_counter` does, but stands still while a run is paused."""

    def __init__(self, clock: Clock = time.perf_counter) -> None:
        self._clock = clock
        self._left_out = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self._clock() - self._left_out

    def leave_out(self, seconds: float) -> None:
        """Let the last `seconds` not have been."""
        self._left_out += seconds


class ProgressRate:
    """Counts finished images against the clock.

    Parameters
    ----------
    left
        Images still to be made.
    """

    def __init__(self, left: int, clock: Clock = time.perf_counter) -> None:
        self._clock = clock
        self._left = left
        self._finished = 0
        self._began = clock()

    def start(self) -> None:
        """Begin to measure now, if nothing is finished yet: loading the first model is no measure of drawing."""
        if not self._finished:
            self._began = self._clock()

    def finish_one(self) -> None:
        """Count one finished image."""
        self._finished += 1
        self._left -= 1

    @property
    def rate(self) -> float | None:
        """Images per second since drawing began, or None before two images are finished."""
        elapsed = self._clock() - self._began
        return self._finished / elapsed if self._finished >= 2 and elapsed > 0 else None

    @property
    def remaining(self) -> float | None:
        """Seconds until the run is finished if it goes on like this, or None."""
        rate = self.rate
        return None if rate is None else self._left / rate


class PreviewGate:
    """Lets at most `PREVIEWS_PER_SECOND` previews through."""

    def __init__(self, clock: Clock = time.perf_counter) -> None:
        self._clock = clock
        self._next = float("-inf")

    def is_due(self) -> bool:
        """Tell whether a preview may be shown now; if so, the next one has to wait."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + 1 / PREVIEWS_PER_SECOND
        return True


_LIBRARIES = ("torch", "diffusers", "numpy", "Pillow")


def make_recipe(
    planned: PlannedImage,
    drawing: Drawing,
    position: int,
    *,
    model: LoadedModel,
    settings: Settings,
    color: ColorStatistics | None,
    models: Path,
    beginning: Beginning | None = None,
) -> Recipe:
    """Return the recipe of the image at `position` of a drawn batch; run id and time are the dataset's to add.

    Parameters
    ----------
    models
        The models folder; the weights are named relative to it.
    beginning
        What the image began from, if not from noise alone.
    """
    return Recipe(
        class_code=planned.class_code,
        index=planned.index,
        seed=planned.seed,
        noise_hash=drawing.noise_hash(position),
        sampler=settings.sampler,
        steps=settings.steps,
        scheduler=drawing.scheduler_config,
        guidance=settings.guidance,
        weights=_relative(model.path, models),
        weights_sha256=model.sha256,
        models=model.name,
        color=None if color is None else color.to_json(),
        precision=model.precision,
        device=device_name(model.device),
        batch_size=settings.batch_size,
        threads=torch.get_num_threads(),
        image_size=model.image_size,
        product_version=__version__,
        versions=library_versions(),
        conditioning=drawing.conditioning.to_json(),
        start={} if beginning is None else beginning.to_json(),
        assumed={about: str(words) for about, words in model.assumed.items()},
    )


@functools.cache
def library_versions() -> Mapping[str, str]:
    """Return the versions of what takes part in drawing."""
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in _LIBRARIES}}


@functools.cache
def device_name(device: torch.device) -> str:
    """Return the device as it can be asked for, with the name of a GPU in brackets."""
    if device.type != "cuda":
        return str(device)
    return f"{device} ({torch.cuda.get_device_name(device)})"


def _relative(path: Path, folder: Path) -> str:
    base = folder if folder.is_dir() else folder.parent
    return Path(os.path.relpath(path, base)).as_posix() if path.is_relative_to(base) else path.name


class Trajectory:
    """The steps of one batch, kept as uint8.

    Parameters
    ----------
    pictures
        What makes pictures in [-1, 1] of what is denoised.
    """

    def __init__(self, pictures: Callable[[Tensor], Tensor]) -> None:
        self._pictures = pictures
        self._noisy: list[NDArray[np.uint8]] = []
        self._predicted: list[NDArray[np.uint8]] = []
        self._timesteps: list[float] = []

    def add(self, state: StepState) -> None:
        """Keep one step."""
        self._noisy.append(to_uint8(self._pictures(state.noisy)))
        self._predicted.append(to_uint8(self._pictures(state.predicted)))
        self._timesteps.append(state.timestep)

    def save(self, position: int, layout: Layout, class_code: str, stem: str) -> Path:
        """Write the steps of the image at `position` of the batch and return the file.

        The arrays are `x_t` and `x0`, uint8 of shape (steps, H, W, 3), and `timesteps`, float32 of shape (steps,).

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            x_t=np.stack([batch[position] for batch in self._noisy]),
            x0=np.stack([batch[position] for batch in self._predicted]),
            timesteps=np.array(self._timesteps, dtype=np.float32),
        )
        path = layout.trajectory(class_code, stem)
        with output_errors(path):
            own_folder(layout.folder, path.parent)
            _require_own_trajectory(path)
            write_bytes_atomic(path, buffer.getvalue(), tmp_dir=layout.temporary)
        return path


def move_trajectory(path: Path, stem: str) -> None:
    """Follow an image that got another number than planned."""
    target = path.with_name(f"{stem}.npz")
    with output_errors(target):
        _require_own_trajectory(target)
        os.replace(path, target)


def _require_own_trajectory(path: Path) -> None:
    """Raise ForeignPathError if something is there that is no trajectory of an attempt that was broken off."""
    if os.path.lexists(path) and not is_trajectory(path):
        raise ForeignPathError(
            Message("'{path}' was not written by this program; it keeps the trajectory of an image there.", path=path),
            remedy=Message("Move it away, then resume."),
            path=path,
        )


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
        pixels = batch.drawing.finished(position, pixels, color)
        recipe = make_recipe(
            slot.planned,
            batch.drawing,
            position,
            model=batch.model,
            settings=batch.settings,
            color=color,
            models=self._run.request.models,
            beginning=self._run.request.beginning(slot.planned),
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
