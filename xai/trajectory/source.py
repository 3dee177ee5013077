"""An image that can be drawn again and again: model, settings and colours as `generate` or a recipe has them.

Its frames are what the image was at some of its denoising steps, and what it was predicted to become.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.cache.cache_manager import CacheManager
from core.errors import InputRefusedError
from core.generation import PlannedImage
from core.generator.color import ColorStatistics, apply_color_statistics
from core.generator.finishing import device_name
from core.generator.image_generator import color_corrections
from core.generator.model_manager import LoadedModel, ModelManager, missing_model
from core.generator.reproduce import prepare, recorded_threads
from core.generator.sampler import Drawing, Settings, StepState, build_scheduler, effective_guidance, to_uint8
from core.jobs.stream import JobContext
from core.message import Message
from core.models.discovery import discover
from core.precision import resolve_device, resolve_precision
from core.utils.path_manager import PathManager
from xai.trajectory.request import TrajectoryRequest

BATCH_SIZE: Final = 1
"""What `generate` takes on a CPU, and on a GPU for a single image."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageSource:
    """One image about to be drawn.

    Attributes
    ----------
    scheduler_config
        Recorded with the image; None for the model's own.
    color
        The colour statistics that the saved image is corrected with, or None.
    original
        The image as its file has it, uint8, shape (H, W, 3); None where no file is analysed.
    threads
        CPU threads that the image was made with, or None for those at hand.
    notes
        What has to be done otherwise than recorded.
    """

    planned: PlannedImage
    model: LoadedModel
    settings: Settings
    scheduler_config: Mapping[str, Any] | None = None
    color: ColorStatistics | None = None
    original: NDArray[np.uint8] | None = field(default=None, repr=False)
    threads: int | None = None
    notes: tuple[str, ...] = ()

    def drawing(self) -> Drawing:
        """Return the image about to be drawn."""
        config = self.scheduler_config or self.model.scheduler_config
        scheduler = build_scheduler(self.settings.sampler, config, self.settings.steps)
        return Drawing(self.model, self.settings, [self.planned.seed], scheduler)

    def finish(self, samples: Tensor) -> NDArray[np.uint8]:
        """Return what was denoised, shape (N, C, h, w), as `generate` would save it: uint8, shape (N, H, W, 3)."""
        pictures = to_uint8(self.model.pictures(samples))
        if self.color is None:
            return pictures
        return np.stack([apply_color_statistics(picture, self.color) for picture in pictures])

    def difference(self, picture: NDArray[np.uint8]) -> int:
        """Return by how much a picture differs from the image's file at most, in 1/255; 0 where there is no file.

        Raises
        ------
        InputRefusedError
            If the file has another size.
        """
        if self.original is None:
            return 0
        if self.original.shape != picture.shape:
            raise InputRefusedError(
                Message(
                    "The image file has {width} x {height} pixels, but its recipe makes {made_width} x {made_height}.",
                    width=self.original.shape[1],
                    height=self.original.shape[0],
                    made_width=picture.shape[1],
                    made_height=picture.shape[0],
                ),
                remedy=Message("The file was edited after it was generated; use the original."),
            )
        return int(np.abs(self.original.astype(np.int16) - picture).max())

    @contextmanager
    def circumstances(self) -> Iterator[None]:
        """Compute as the image was computed: without gradients, with as many threads as recorded."""
        with torch.no_grad(), nullcontext() if self.threads is None else recorded_threads(self.threads):
            yield

    def describe(self) -> dict[str, Any]:
        """Return what the image is drawn with, as JSON types."""
        return {
            "class": self.planned.class_code,
            "index": self.planned.index,
            "seed": self.planned.seed,
            "sampler": self.settings.sampler,
            "steps": self.settings.steps,
            "guidance": self.settings.guidance,
            "weights": f"{self.model.name}/{self.model.path.name}",
            "weights_sha256": self.model.sha256,
            "precision": self.model.precision,
            "device": device_name(self.model.device),
            "threads": self.threads or torch.get_num_threads(),
            "color": None if self.color is None else self.color.to_json(),
            "height": self.model.image_size,
            "width": self.model.image_size,
        }


class Sources:
    """Makes the sources of a request's images; a network is loaded once.

    Raises
    ------
    DeviceError, UsageError, InputRefusedError
        As `ImageGenerator.generate`.
    """

    def __init__(self, request: TrajectoryRequest) -> None:
        self._request = request
        self._catalog = discover(request.models or PathManager().default_models_dir)
        self._device = resolve_device(request.device)
        self._precision = resolve_precision(request.precision, self._device)
        self._colors = color_corrections(self._catalog, request.color)
        self._manager = ModelManager(CacheManager())

    def source(self, planned: PlannedImage) -> ImageSource:
        """Return an image about to be drawn.

        Raises
        ------
        ModelRefusedError
            If there is no usable model of its class.
        UsageError
            If the model has fewer training timesteps than steps were asked for.
        """
        chosen = self._catalog.classes[planned.class_code]
        if not chosen.available:
            raise missing_model(chosen)
        model = self._manager.load(chosen, self._device, self._precision)
        request = self._request
        guidance = effective_guidance(model, request.guidance)
        settings = Settings(request.sampler, request.denoising_steps, guidance, BATCH_SIZE)
        return ImageSource(planned, model, settings, color=self._colors.get(planned.class_code))


def source_of_image(image: Path, request: TrajectoryRequest) -> ImageSource:
    """Return an image that was made before, about to be drawn again from the recipe inside it.

    Raises
    ------
    InputRefusedError
        If the file is no picture with a recipe, or the image did not begin from noise alone.
    ModelRefusedError
        If there is no usable model of its class.
    """
    prepared = prepare(image, models=request.models, device=request.device)
    recipe = prepared.recipe
    if recipe.start:
        raise InputRefusedError(
            Message("{image} began from another image: its way from noise to image is not a whole one.", image=image),
            remedy=Message("Analyse an image of 'generate'."), path=image,
        )  # fmt: skip
    return ImageSource(
        PlannedImage(recipe.class_code, recipe.index, recipe.seed),
        prepared.model,
        Settings(recipe.sampler, recipe.steps, recipe.guidance, prepared.batch_size),
        recipe.scheduler,
        prepared.color,
        prepared.original,
        recipe.threads,
        prepared.notes,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One kept denoising step.

    Attributes
    ----------
    step
        1 to the number of steps.
    timestep
        The t that the network was asked about.
    noisy
        x_t, float32, shape (H, W, 3), around [-1, 1].
    predicted
        The predicted x0, float32, shape (H, W, 3), in [-1, 1].
    picture
        The predicted x0 as `generate` would save it, uint8, shape (H, W, 3); of the last step the saved image itself.
    """

    step: int
    timestep: float
    noisy: NDArray[np.float32] = field(repr=False)
    predicted: NDArray[np.float32] = field(repr=False)
    picture: NDArray[np.uint8] = field(repr=False)

    @property
    def name(self) -> str:
        """The timestep as it stands in file names: `980`, or `12.5` where timesteps are fractional."""
        return f"{self.timestep:g}"

    @property
    def noisy_picture(self) -> NDArray[np.uint8]:
        """x_t as a picture."""
        scaled = ((self.noisy + 1) / 2).clip(0, 1) * 255
        return scaled.astype(np.uint8)


def draw_frames(
    source: ImageSource,
    every: int,
    context: JobContext | None = None,
) -> tuple[list[Frame], tuple[float, ...]]:
    """Draw an image and keep every `every`-th step, the first and the last always.

    Parameters
    ----------
    context
        Told of every step, and asked whether to go on.

    Returns
    -------
    The frames, at least one, and the timesteps of all steps.

    Raises
    ------
    JobStopped
        As soon as that is asked for.
    InputRefusedError
        If the image comes out as NaN or infinity.
    """
    context = context or JobContext()
    frames, timesteps = [], []
    context.progress(0, source.settings.steps, unit="steps")
    with source.circumstances():
        for state in source.drawing().states():
            timesteps.append(state.timestep)
            context.progress(state.step, state.steps, unit="steps")
            if (state.step - 1) % every == 0 or state.step == state.steps:
                frames.append(_frame(state, source))
    if not np.isfinite(frames[-1].predicted).all():
        raise InputRefusedError(
            Message(
                "The image with seed {seed} contains NaN or infinity in {precision}.",
                seed=source.planned.seed,
                precision=source.model.precision,
            ),
            remedy=Message("Try --precision fp32; if that does not help, the model is damaged or trained too little."),
        )
    return frames, tuple(timesteps)


def _frame(state: StepState, source: ImageSource) -> Frame:
    shown = state.sample if state.step == state.steps else state.predicted
    noisy, predicted = (_array(source.model.pictures(tensor[:1])) for tensor in (state.noisy, state.predicted))
    return Frame(state.step, state.timestep, noisy, predicted, source.finish(shown[:1])[0])


def _array(batch: Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(batch[0].movedim(0, -1).float().cpu().numpy())


def strip(frames: list[Frame]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return x_t and the predicted pictures of all frames, uint8, shape (F, H, W, 3) each."""
    return np.stack([f.noisy_picture for f in frames]), np.stack([f.picture for f in frames])
