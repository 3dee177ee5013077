"""ImageGenerator: a request in, a stream of events out, finished images on disk.

The jobs generate, resume and reproduce share one warm generator a process, which keeps networks between jobs.
"""

from __future__ import annotations

import dataclasses
import functools
import io
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from core.cache.cache_manager import CacheManager
from core.cancel import CancelToken, StopMode
from core.errors import InputRefusedError, ModelMissingError, OutputError, UsageError
from core.events import Event, Finished, Notice, RunStatus
from core.files.atomic import create_bytes_atomic, output_errors
from core.generation import (
    UNCHANGED,
    GenerationRequest,
    PlannedImage,
    ReproduceRequest,
    ResumeRequest,
    RunChanges,
    order_counts,
    plan_class,
)
from core.generator.color import ColorStatistics, load_color_statistics
from core.generator.finishing import make_recipe
from core.generator.model_manager import ModelManager, ModelSource, missing_model, model_source
from core.generator.run_estimate import choose_batch_size, step_seconds
from core.generator.run_images import Equipment, RunImages
from core.generator.sampler import Drawing, Settings, check_steps, effective_guidance, to_uint8
from core.jobs.stream import stream
from core.message import Message, joined
from core.models.discovery import Catalog, discover
from core.precision import is_emulated, resolve_device, resolve_precision
from core.utils.path_manager import PathManager
from dataset.png import encode_png
from dataset.recipe import Recipe
from dataset.synthetic_dataset import Run, SyntheticDataset

NO_INPUTS: Final[Mapping[str, bytes]] = {}


@dataclass(frozen=True)
class Sample:
    """One generated image in memory.

    Attributes
    ----------
    pixels
        RGB, uint8, shape (H, W, 3).
    recipe
        Everything needed to generate it again.
    """

    pixels: NDArray[np.uint8]
    recipe: Recipe

    @property
    def image(self) -> Image.Image:
        """The image as Pillow has it, which notebooks show."""
        return Image.fromarray(self.pixels)

    def save(self, path: Path) -> None:
        """Write a PNG file with the recipe inside; `reproduce` takes it.

        Raises
        ------
        FileExistsError
            If something is at `path`; nothing is overwritten.
        """
        create_bytes_atomic(path, encode_png(self.pixels, self.recipe))


class ImageGenerator:
    """Makes images. Not thread-safe: one stream of events at a time.

    Parameters
    ----------
    cache
        Keeps networks from one run to the next; may be shared.
    models, device, precision
        What `sample` samples with: a models folder (None for the starter models), ``auto``, ``cpu`` or ``cuda:N``, and
        the number format. Requests name their own.

    Examples
    --------
    >>> generator = ImageGenerator(device="cpu")  # doctest: +SKIP
    >>> for sample in generator.sample({"MEL": 2, "NV": 2}, seed=7):  # doctest: +SKIP
    ...     sample.save(Path(f"{sample.recipe.class_code}_{sample.recipe.index}.png"))
    """

    def __init__(
        self,
        cache: CacheManager | None = None,
        *,
        models: Path | None = None,
        device: str = "auto",
        precision: str = "auto",
    ) -> None:
        self._manager = ModelManager(cache or CacheManager())
        self._models = models or PathManager().default_models_dir
        self._device, self._precision = device, precision

    def sample(self, counts: Mapping[str, int], **options: Any) -> list[Sample]:
        """Generate images in memory; nothing is written.

        The images are those that `generate` writes into an empty folder with the same settings, bit for bit.

        Parameters
        ----------
        counts
            Images by class code.
        options
            Fields of `GenerationRequest`: ``seed``, ``sampler``, ``steps``, ``guidance``, ``batch_size``, ``color``,
            ``conditioning``.

        Returns
        -------
        list of Sample
            In the order of the classes, then of the index.

        Raises
        ------
        ModelRefusedError
            If a class has no usable model.
        UsageError
            If an option, the device or the precision is impossible.
        """
        request = GenerationRequest(
            order_counts(counts), self._models, Path(), device=self._device, precision=self._precision, **options
        )
        if request.start:
            raise UsageError(
                Message("Images that begin from others need an output folder, which keeps what they begin from."),
                remedy=Message("Use the jobs image2image, inpaint and interpolate."),
            )
        catalog = discover(request.models)
        equipment = self._equip(request, catalog)
        batch_size = _batch_size(request, equipment, list(counts), max(counts.values()))
        plan = {code: list(plan_class(request, code, count, frozenset())) for code, count in request.counts}
        return [
            sample
            for code, planned in plan.items()
            for start in range(0, len(planned), batch_size)
            for sample in self._sampled(request, equipment, planned[start : start + batch_size], batch_size)
        ]

    def _sampled(
        self, request: GenerationRequest, equipment: Equipment, planned: Sequence[PlannedImage], batch_size: int
    ) -> Iterator[Sample]:
        """Sample one batch of images of one class."""
        code = planned[0].class_code
        model = self._manager.load(equipment.models[code], equipment.device, equipment.precision)
        guidance = effective_guidance(model, request.guidance)
        settings = Settings(request.sampler, request.steps, guidance, batch_size)
        seeds = [one.seed for one in planned]
        drawing = Drawing(model, settings, seeds, conditioning=request.conditioning)
        last = deque(drawing.states(), maxlen=1).pop()
        color = equipment.colors.get(code)
        for position, (one, pixels) in enumerate(zip(planned, to_uint8(model.pictures(last.sample)), strict=True)):
            recipe = make_recipe(
                one, drawing, position, model=model, settings=settings, color=color, models=request.models
            )
            yield Sample(drawing.finished(position, pixels, color), recipe)

    def generate(
        self, request: GenerationRequest, cancel: CancelToken | None = None, inputs: Mapping[str, bytes] = NO_INPUTS
    ) -> Iterator[Event]:
        """Carry out a request.

        The stream begins with `Started` and ends with `Finished`. Closing it early leaves a run that `resume` finishes.
        A stop that comes before the run has begun leaves nothing: there is a `Finished` of no run, and no folder.
        A class whose model is refused yields `Failed`; the others are made all the same.

        Parameters
        ----------
        inputs
            The files that the request's `start` names, by their SHA-256; they are kept in the output folder.

        Raises
        ------
        ModelRefusedError
            If no target class has a usable model.
        UsageError
            If the device, the precision or the number of steps is impossible here.
        InputRefusedError
            If the colour statistics next to the models cannot be read.
        OutputError
            If the output folder is locked, full or cannot be written; what is finished stays.
        OutOfMemoryError
            If not even one image fits into the device's memory.
        """
        cancel = cancel or CancelToken()
        counts = dict(request.counts)
        if cancel.mode is not None:
            yield nothing_begun(cancel, request.output, sum(counts.values()))
            return
        catalog = discover(request.models)
        equipment = self._equip(request, catalog)
        refused = _unavailable(counts, catalog)
        batch_size = _batch_size(request, equipment, counts.keys() - refused.keys(), max(counts.values()))
        if cancel.mode is not None:
            yield nothing_begun(cancel, request.output, sum(counts.values()))
            return
        with SyntheticDataset.open(request.output) as dataset:
            dataset.keep_inputs(inputs)
            planned = _plan(request, dataset, skip=frozenset(refused))
            run = dataset.begin_run(dataclasses.replace(request, batch_size=batch_size), planned)
            work = RunImages(dataset, run, equipment, batch_size, cancel)
            yield work.started()
            yield from _first_notices(dataset, equipment)
            for code, error in refused.items():
                yield work.refuse(code, error, counts[code])
            yield from work.images()
            if work.every_model_refused:
                dataset.discard_run(run)
                raise work.refusals[-1]
            yield work.finish()

    def resume(
        self, output: Path, cancel: CancelToken | None = None, *, changes: RunChanges = UNCHANGED
    ) -> Iterator[Event]:
        """Finish every interrupted run of an output folder with the seeds, numbers and settings it was planned with.

        Each run has its own `Started` and `Finished`; with nothing to finish there is a `Notice` and a `Finished`.

        Parameters
        ----------
        changes
            Which run alone, and what to do otherwise: where the models are now, on which device.

        Raises
        ------
        InputRefusedError
            If there is no such folder.
        ISICGUIError
            As `generate`.
        """
        cancel = cancel or CancelToken()
        if not output.is_dir():
            raise InputRefusedError(
                Message("There is no folder {output}.", output=output),
                remedy=Message("Bring it, or its drive, back, or name another output folder."),
                path=output,
            )
        if cancel.mode is not None:
            yield nothing_begun(cancel, output, 0)
            return
        with SyntheticDataset.open(output, create=False) as dataset:
            runs = [run for run in dataset.unfinished() if not changes.run_ids or run.run_id in changes.run_ids]
            if not runs:
                yield from (Notice("recovered", text) for text in dataset.notices)
                yield Notice("nothing_to_resume", Message("Every run in {output} is finished.", output=output))
                yield Finished("", "completed", written=0, failed=0, remaining=0, seconds=0.0, output=dataset.folder)
            for run in runs:
                run.request = changes.apply(run.request)
                yield from self._resume_run(dataset, run, cancel)
                if cancel.mode is not None:
                    return

    def time_step(self, request: GenerationRequest) -> float:
        """Return how long one step of one image takes here, by trying; may be called beside a stream of events.

        Raises
        ------
        ISICGUIError
            As `step_seconds` of `core.generator.run_estimate`.
        """
        return step_seconds(request, self._manager)

    def _resume_run(self, dataset: SyntheticDataset, run: Run, cancel: CancelToken) -> Iterator[Event]:
        request = run.request
        catalog = discover(request.models)
        equipment = self._equip(request, catalog)
        codes = {slot.planned.class_code: None for slot in run.pending}
        refused = _unavailable(codes, catalog)
        batch_size = _batch_size(request, equipment, codes.keys() - refused.keys(), len(run.slots))
        work = RunImages(dataset, run, equipment, batch_size, cancel)
        yield work.started()
        yield from _first_notices(dataset, equipment)
        yield from work.images()
        finished = work.finish()
        if work.every_model_refused:
            raise work.refusals[-1]
        yield finished

    def _equip(self, request: GenerationRequest, catalog: Catalog) -> Equipment:
        device = resolve_device(request.device)
        precision = resolve_precision(request.precision, device)
        return Equipment(catalog.classes, self._manager, color_corrections(catalog, request.color), device, precision)


def nothing_begun(cancel: CancelToken, output: Path, images: int) -> Finished:
    """Return the end of what was stopped before it began: no run is noted that somebody would be asked to finish."""
    status: RunStatus = "discarded" if cancel.mode is StopMode.DISCARD else "stopped"
    return Finished("", status, written=0, failed=0, remaining=images, seconds=0.0, output=output)


def color_corrections(catalog: Catalog, wanted: bool) -> Mapping[str, ColorStatistics]:
    """Return the colour statistics that images of these models are corrected with, by class; none if not wanted.

    Raises
    ------
    InputRefusedError
        If the statistics next to the models cannot be read.
    """
    if not wanted or catalog.color_statistics is None:
        return {}
    statistics = load_color_statistics(catalog.color_statistics)
    return {code: of_class for code, of_class in statistics.items() if catalog.corrects_colors(code)}


def _unavailable(codes: Collection[str], catalog: Catalog) -> dict[str, ModelMissingError]:
    """Return why classes that were asked for cannot be made; raise if that is all of them."""
    missing = [model for code in codes if not (model := catalog.classes[code]).available]
    if len(missing) == len(codes):
        reasons = joined(
            (Message("{code}: {reason}", code=model.class_code, reason=model.reason) for model in missing), "; "
        )
        raise ModelMissingError(
            Message("No requested class has a usable model. {reasons}.", reasons=reasons),
            remedy=Message("Choose another models folder; 'python main.py models list' shows what one holds."),
            path=catalog.folder,
        )
    return {model.class_code: missing_model(model) for model in missing}


def _batch_size(request: GenerationRequest, equipment: Equipment, codes: Collection[str], most: int) -> int:
    sources = [model_source(equipment.models[code]) for code in codes]
    _check_steps(sources, request.steps)
    steps = request.steps if request.trajectory else 0
    return choose_batch_size(request.batch_size, equipment.device, sources, most, steps)


def _check_steps(sources: Sequence[ModelSource], steps: int) -> None:
    """Raise UsageError if no model was trained with so many timesteps; one that was not is refused in its turn."""
    refusals = []
    for source in sources:
        try:
            check_steps(source.scheduler_config, steps)
        except UsageError as error:
            refusals.append(error)
    if refusals and len(refusals) == len(sources):
        raise refusals[0]


def _plan(request: GenerationRequest, dataset: SyntheticDataset, skip: frozenset[str]) -> list[PlannedImage]:
    # images between two are as many as there are places on the way, whatever seeds are taken
    is_way = any(one.kind == "interpolate" for one in request.start)
    return [
        planned
        for code, count in request.counts
        if code not in skip
        for planned in plan_class(request, code, count, frozenset() if is_way else dataset.seeds(code))
    ]


def _first_notices(dataset: SyntheticDataset, equipment: Equipment) -> Iterator[Notice]:
    for text in dataset.notices:
        yield Notice("recovered", text)
    if is_emulated(equipment.precision, equipment.device):
        yield Notice("precision", Message("This CPU only emulates bf16, which is about 5 times slower than fp32."))


@dataclass(frozen=True, slots=True)
class Reproduced(Event):
    """An image was made again; differences in units of 1/255, over all pixels and channels."""

    name: ClassVar[str] = "reproduced"
    ends: ClassVar[bool] = True
    file: Path
    max_difference: int
    mean_difference: float
    identical: bool
    same_weights: bool
    notes: tuple[str, ...]
    saved: Path | None = field(default=None, metadata={"json": False})


@functools.cache
def warm_generator() -> ImageGenerator:
    """Return the generator of this process, which keeps the networks in use."""
    return ImageGenerator()


def generate(request: GenerationRequest, cancel: CancelToken) -> Iterator[Event]:
    """Carry out a request; see `ImageGenerator.generate`."""
    if request.threads:
        torch.set_num_threads(request.threads)
    yield from warm_generator().generate(request, cancel)


def resume(request: ResumeRequest, cancel: CancelToken) -> Iterator[Event]:
    """Finish the interrupted runs of a folder; see `ImageGenerator.resume`."""
    yield from warm_generator().resume(request.output, cancel, changes=request.changes)


def reproduce(request: ReproduceRequest, cancel: CancelToken) -> Iterator[Event]:
    """Make an image again and say how far it is from the original; see `core.generator.reproduce`.

    Raises
    ------
    OutputError
        If the new file is there already, or cannot be written.
    JobStopped
        If that was asked for; nothing is written.
    """
    from core.generator.reproduce import reproduce as reproduce_image

    if request.save is not None and request.save.exists():
        raise OutputError(
            Message("{path} exists already.", path=request.save),
            remedy=Message("Choose another name; nothing is overwritten."),
            path=request.save,
        )
    made = yield from stream(
        lambda context: reproduce_image(
            request.image, models=request.models, device=request.device, inputs=request.inputs, context=context
        ),
        cancel,
    )
    if request.save is not None:
        _save(made.pixels, request.save)
    yield Reproduced(
        request.image, made.max_difference, made.mean_difference, made.identical, made.same_weights, made.notes,
        request.save,
    )  # fmt: skip


def _save(pixels: NDArray[np.uint8], path: Path) -> None:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    with output_errors(path):
        create_bytes_atomic(path, buffer.getvalue())
