"""Makes an image again from the recipe inside it, and says how far the result is from the original."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import numpy as np
import torch
from numpy.typing import NDArray

from core.beginning import Beginning
from core.cache.cache_manager import CacheManager
from core.conditioning import Conditioning
from core.errors import DeviceError, InputRefusedError, ModelMissingError, ModelRefusedError, OutputError, UsageError
from core.generation import GenerationRequest
from core.generator.color import ColorStatistics
from core.generator.finishing import device_name
from core.generator.model_manager import LoadedModel, ModelManager, model_source
from core.generator.run_estimate import choose_batch_size
from core.generator.sampler import Drawing, Settings, build_scheduler, to_uint8
from core.generator.start import PLAIN, BatchStart
from core.generator.start_images import StartImages, batch_start
from core.images import read_image
from core.jobs.stream import JobContext
from core.message import Message
from core.models.config_schema import why_no_scheduler
from core.models.discovery import ClassModel, candidates
from core.precision import DTYPES, Precision, precision_again, resolve_device
from core.utils.path_manager import PathManager
from dataset.layout import Layout
from dataset.png import read_recipe
from dataset.reading import read_models_folders
from dataset.recipe import Recipe

_MOST_THREADS: Final = 512


@dataclass(frozen=True, slots=True)
class Reproduction:
    """An image made again.

    Attributes
    ----------
    max_difference, mean_difference
        Over all pixels and channels, in units of 1/255.
    identical
        Whether every byte is the same.
    same_weights
        Whether the weights have the SHA-256 that the recipe names.
    pixels
        The image made again, RGB, uint8, shape (H, W, 3).
    notes
        What had to be done otherwise than recorded, in plain words.
    """

    recipe: Recipe
    max_difference: int
    mean_difference: float
    identical: bool
    same_weights: bool
    pixels: NDArray[np.uint8]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preparation:
    """Everything to make an image again with, as near to its recipe as this machine can come.

    Attributes
    ----------
    original
        The image as it is on disk, RGB, uint8, shape (H, W, 3).
    same_weights
        Whether the weights have the SHA-256 that the recipe names.
    notes
        What has to be done otherwise than recorded, in plain words.
    start
        What the image begins from.
    """

    recipe: Recipe
    original: NDArray[np.uint8]
    model: LoadedModel
    batch_size: int
    same_weights: bool
    notes: tuple[str, ...]
    start: BatchStart = PLAIN

    def drawing(self) -> Drawing:
        """Return the image about to be drawn."""
        settings = Settings(self.recipe.sampler, self.recipe.steps, self.recipe.guidance, self.batch_size)
        conditioning = Conditioning.of(self.recipe.conditioning)
        config = self.recipe.scheduler or self.model.scheduler_config
        scheduler = build_scheduler(settings.sampler, config, settings.steps)
        return Drawing(self.model, settings, [self.recipe.seed], scheduler, conditioning, self.start)

    @property
    def color(self) -> ColorStatistics | None:
        """The colour statistics that were applied, or None."""
        return None if self.recipe.color is None else ColorStatistics.from_json(self.recipe.color)


def reproduce(
    image: Path,
    *,
    models: Path | None = None,
    device: str = "auto",
    inputs: Path | None = None,
    context: JobContext | None = None,
) -> Reproduction:
    """Make an image again with the seed, sampler, batch shape, precision and colours that its recipe records.

    The weights are looked for by their SHA-256 in `models`, then where they lay according to the journal of the image's
    output folder, then among the downloaded checkpoints and the starter models.

    Parameters
    ----------
    image
        A PNG made by this program.
    models
        Where the weights are now, if they have moved.
    device
        `auto` for the recorded one if it is there, else the best there is.
    inputs
        Folder of the pictures that the image began from, if it is not in its output folder any more.
    context
        Told about every denoising step; stops between two of them.

    Raises
    ------
    InputRefusedError
        If the file is no picture with a recipe.
    ModelMissingError
        If there is no model of that class in any of the places.
    ModelRefusedError
        If the model that was found cannot be loaded.
    DeviceError
        If the device that was asked for does not exist.
    JobStopped
        If that was asked for.
    """
    prepared = prepare(image, models=models, device=device, inputs=inputs)
    with recorded_threads(prepared.recipe.threads):
        pixels = _draw(prepared, context or JobContext())
    return _compare(prepared, pixels, image)


def prepare(
    image: Path, *, models: Path | None = None, device: str = "auto", inputs: Path | None = None
) -> Preparation:
    """Read an image's recipe and load what made it; parameters and errors as of `reproduce`."""
    recipe, original = read_recipe(image), read_image(image)
    _check(recipe, image)
    manager = ModelManager(CacheManager())
    notes: list[str] = []
    where = _device(recipe, device, notes)
    found, same = _find_model(recipe, [models, _recorded_folder(recipe, image)], manager)
    if not same:
        notes.append(Message("The weights are not the recorded ones: {path}.", path=found.path))
    model = manager.load(found, where, _precision(recipe, where, notes))
    batch_size = choose_batch_size(recipe.batch_size, where, [model_source(found)], 1)
    if batch_size != recipe.batch_size:
        notes.append(
            Message(
                "Generated in a batch of {batch_size}, reproduced in one of {now}: more does not fit into memory.",
                batch_size=recipe.batch_size,
                now=batch_size,
            )
        )
    start = _start(recipe, image, model, found, batch_size, inputs)
    return Preparation(recipe, original, model, batch_size, same, tuple(notes), start)


def _start(
    recipe: Recipe, image: Path, model: LoadedModel, found: ClassModel, batch_size: int, inputs: Path | None
) -> BatchStart:
    """Return what an image begins from; its pictures are looked for in `inputs`, then in its output folder."""
    if not recipe.start:
        return PLAIN

    def label_of(code: str) -> int | None:
        same = [one for one in candidates(found.path, code) if one.path == found.path] if found.path else []
        return model_source(same[0]).class_label if same and same[0].available else None

    kept = Layout(image.absolute().parent.parent).inputs
    folders = [folder for folder in (inputs, kept) if folder is not None]
    beginning = Beginning.from_json(recipe.start)
    return batch_start([beginning], StartImages(folders), model, recipe.sampler, recipe.steps, batch_size, label_of)


def _check(recipe: Recipe, image: Path) -> None:
    """Refuse values that no run of this program can have had, such as a sampler that does not exist."""
    try:
        GenerationRequest(
            counts=((recipe.class_code, 1),),
            models=Path(),
            output=image.parent,
            seed=recipe.seed,
            sampler=recipe.sampler,
            steps=recipe.steps,
            guidance=recipe.guidance,
            batch_size=recipe.batch_size,
            conditioning=Conditioning.of(recipe.conditioning),
            start=(Beginning.from_json(recipe.start),) if recipe.start else (),
        )
        _check_types(recipe)
    except (UsageError, TypeError, ValueError, KeyError) as error:
        raise InputRefusedError(
            Message("The recipe inside {image} cannot be followed: {error}", image=image, error=error),
            remedy=Message("The file was edited, or made by a newer version of this program."),
            path=image,
        ) from error


def _check_types(recipe: Recipe) -> None:
    numbers = (recipe.seed, recipe.steps, recipe.batch_size, recipe.threads)
    if not all(isinstance(number, int) for number in numbers) or not isinstance(recipe.scheduler, Mapping):
        raise TypeError("a number or the scheduler is of the wrong kind.")
    if why := why_no_scheduler(recipe.scheduler):
        raise ValueError(f"its scheduler cannot be used: {why}.")
    if recipe.precision not in DTYPES:
        raise ValueError(f"there is no precision {recipe.precision!r}.")
    if recipe.color is not None:
        ColorStatistics.from_json(recipe.color)


def _draw(prepared: Preparation, context: JobContext) -> NDArray[np.uint8]:
    context.progress(0, prepared.recipe.steps, unit="steps")
    drawing = prepared.drawing()
    for state in drawing.states():
        context.progress(state.step, state.steps, unit="steps")
        last = state
    return drawing.finished(0, to_uint8(prepared.model.pictures(last.sample))[0], prepared.color)


def _compare(prepared: Preparation, pixels: NDArray[np.uint8], image: Path) -> Reproduction:
    original = prepared.original
    if original.shape != pixels.shape:
        raise InputRefusedError(
            Message(
                "{image} has {width} x {height} pixels, but its recipe makes {made_width} x {made_height}.",
                image=image,
                width=original.shape[1],
                height=original.shape[0],
                made_width=pixels.shape[1],
                made_height=pixels.shape[0],
            ),
            remedy=Message("The file was edited after it was generated; use the original."),
            path=image,
        )
    difference = np.abs(original.astype(np.int16) - pixels.astype(np.int16))
    return Reproduction(
        recipe=prepared.recipe,
        max_difference=int(difference.max()),
        mean_difference=float(difference.mean()),
        identical=not difference.any(),
        same_weights=prepared.same_weights,
        pixels=pixels,
        notes=prepared.notes,
    )


def _recorded_folder(recipe: Recipe, image: Path) -> Path | None:
    """Return where the models were when an image was made, as far as its output folder still says so."""
    if recipe.old_models_folder is not None or not recipe.run_id:
        return recipe.old_models_folder
    try:
        return read_models_folders(image.absolute().parent.parent).get(recipe.run_id)
    except (OSError, OutputError):
        return None


def _find_model(recipe: Recipe, first: Sequence[Path | None], manager: ModelManager) -> tuple[ClassModel, bool]:
    """Return a model of the recipe's class, and whether it is the recorded one."""
    paths = PathManager()
    places = [*first, paths.checkpoints_dir, paths.default_models_dir]
    found = [model for place in places if place is not None for model in candidates(place, recipe.class_code)]
    for model in found:
        if _hash_of(model, manager) == recipe.weights_sha256:
            return model, True
    if not found:
        raise ModelMissingError(
            Message(
                "The weights of this image ({weights}, SHA-256 {weights_sha256}...) were not found, nor any "
                "other model of {class_code}.",
                weights=recipe.weights,
                weights_sha256=recipe.weights_sha256[:12],
                class_code=recipe.class_code,
            ),
            remedy=Message("Say with --models where the models folder is now."),
        )
    return found[0], False


def _hash_of(model: ClassModel, manager: ModelManager) -> str | None:
    try:
        return manager.identity(model_source(model))
    except ModelRefusedError:
        return None  # vanished since it was found: another candidate may do


def _device(recipe: Recipe, asked: str, notes: list[str]) -> torch.device:
    recorded = recipe.device.partition(" ")[0]
    if asked != "auto":
        device = resolve_device(asked)
    else:
        try:
            device = resolve_device(recorded)
        except DeviceError:
            device = resolve_device("auto")
    if device_name(device) != recipe.device:
        notes.append(
            Message(
                "Generated on {device}, reproduced on {device_name}.",
                device=recipe.device,
                device_name=device_name(device),
            )
        )
    return device


def _precision(recipe: Recipe, device: torch.device, notes: list[str]) -> Precision:
    precision = precision_again(cast(Precision, recipe.precision), device)  # `_check` refuses any other text
    if precision != recipe.precision:
        notes.append(
            Message(
                "Generated in {precision}, which this device cannot compute well; reproduced in {now}.",
                precision=recipe.precision,
                now=precision,
            )
        )
    return precision


@contextmanager
def recorded_threads(count: int) -> Iterator[None]:
    """Compute with as many threads as recorded: sums split among threads round differently in the last bit."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(count, _MOST_THREADS)))
    try:
        yield
    finally:
        torch.set_num_threads(before)
