"""Images of a generator as the product makes them, in an ordinary output folder: to be looked at and to be judged.

They are expensive on a CPU, so a folder is filled up rather than made again, an interrupted run is finished, and images
that another model or other settings made are refused instead of being mixed in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.cache.cache_manager import CacheManager
from core.errors import InputRefusedError
from core.events import Event
from core.generation import DEFAULT_BASE_SEED, GenerationRequest, RunChanges, order_counts
from core.generator.image_generator import ImageGenerator
from core.generator.model_manager import ModelManager, ModelSource, missing_model, model_source
from core.generator.sampler import NO_GUIDANCE, effective_guidance
from core.images import read_image
from core.message import Message
from core.models.discovery import discover
from core.samplers import DEFAULT_SAMPLER, usual_steps
from core.taxonomy import CLASS_CODES, CLASS_INDEX
from dataset.layout import Layout
from dataset.reading import embedded_recipe, read_records
from dataset.record import ImageRecord
from photographs.pixels import read_square


@dataclass(frozen=True, slots=True)
class Draw:
    """How to draw; see `GenerationRequest`.

    Attributes
    ----------
    color
        Apply the colour statistics that lie next to the models. Off: the network itself is looked at.
    """

    sampler: str = DEFAULT_SAMPLER
    steps: int = usual_steps()
    guidance: float = NO_GUIDANCE
    seed: int = DEFAULT_BASE_SEED
    device: str = "auto"
    precision: str = "auto"
    batch_size: int | None = None
    color: bool = False


@dataclass(frozen=True, eq=False)
class Generated:
    """Generated images in memory, class after class, within a class by number.

    Attributes
    ----------
    pixels
        uint8 (N, 3, S, S).
    labels
        Class that each was asked for, (N,) int64, canonical order.
    names
        File of each, relative to the folder.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    names: tuple[str, ...]

    @property
    def size(self) -> int:
        """Side of the images in pixels."""
        return int(self.pixels.shape[-1])

    def of(self, code: str) -> NDArray[np.uint8]:
        """Return the images of one class."""
        return self.pixels[self.labels == CLASS_INDEX[code]]

    @property
    def codes(self) -> tuple[str, ...]:
        """The classes of which there are images, in canonical order."""
        return tuple(code for code in CLASS_CODES if (self.labels == CLASS_INDEX[code]).any())


def sources_of(models: Path) -> dict[str, ModelSource]:
    """Return where the network of each available class comes from, by class code.

    Raises
    ------
    ModelMissingError
        If there is no usable model.
    """
    catalog = discover(models)
    if not catalog.available:
        raise missing_model(catalog.classes[CLASS_CODES[0]])
    return {code: model_source(catalog.classes[code]) for code in catalog.available}


def recommended(
    models: Path, *, sampler: str | None = None, steps: int | None = None, guidance: float | None = None, **other: Any
) -> Draw:
    """Return how to draw: as asked, else as the models' maker recommends, else the product's defaults.

    Parameters
    ----------
    other
        Further fields of `Draw`.

    Raises
    ------
    ModelMissingError
        If there is no usable model.
    """
    source = next(iter(sources_of(models).values()))
    advice = source.recommended
    sampler = sampler or str(advice.get("sampler", DEFAULT_SAMPLER))
    advised = advice.get("steps") if sampler == advice.get("sampler") else None
    steps = steps or int(advised or usual_steps(sampler))
    return Draw(sampler, steps, effective_guidance(source, guidance), **other)


def fill_folder(models: Path, folder: Path, per_class: int, draw: Draw) -> Iterator[Event]:
    """Make images until a folder holds `per_class` of every class that the models can draw.

    Raises
    ------
    InputRefusedError
        If the folder holds images of another model or of other settings.
    ISICGUIError
        As `ImageGenerator.generate`.
    """
    _refuse_others(models, folder, draw)
    generator = ImageGenerator()
    if Layout(folder).journal.is_file():
        yield from generator.resume(folder, changes=RunChanges(models=models))
    present = Counter(record.class_code for record in _records(folder))
    missing = {code: per_class - present[code] for code in sources_of(models) if per_class > present[code]}
    if missing:
        yield from generator.generate(_request(models, folder, missing, draw))


def read_generated(folder: Path, per_class: int | None = None) -> Generated:
    """Read the first `per_class` images of every class of a folder, all of them if None.

    Raises
    ------
    InputRefusedError
        If it holds no image, or one that cannot be read.
    """
    records = [record for code in CLASS_CODES for record in _first(_records(folder), code, per_class)]
    if not records:
        raise InputRefusedError(
            Message("{folder} holds no generated image.", folder=folder),
            remedy=Message("Name an output folder of `python main.py generate`, with a folder for each class."),
            path=folder,
        )
    size = min(read_image(records[0].path).shape[:2])
    pixels = np.stack([read_square(record.path, size).transpose(2, 0, 1) for record in records])
    labels = np.array([CLASS_INDEX[record.class_code] for record in records], dtype=np.int64)
    return Generated(pixels, labels, tuple(f"{record.class_code}/{record.path.name}" for record in records))


def _request(models: Path, folder: Path, missing: Mapping[str, int], draw: Draw) -> GenerationRequest:
    return GenerationRequest(
        counts=order_counts(missing),
        models=models,
        output=folder,
        seed=draw.seed,
        sampler=draw.sampler,
        steps=draw.steps,
        guidance=draw.guidance,
        device=draw.device,
        precision=draw.precision,
        batch_size=draw.batch_size,
        color=draw.color,
    )


def _records(folder: Path) -> list[ImageRecord]:
    return sorted(read_records(folder), key=lambda record: record.isic_number) if folder.is_dir() else []


def _first(records: Sequence[ImageRecord], code: str, count: int | None) -> Sequence[ImageRecord]:
    return [record for record in records if record.class_code == code][:count]


def _refuse_others(models: Path, folder: Path, draw: Draw) -> None:
    manager = ModelManager(CacheManager())
    wanted = {code: manager.identity(source) for code, source in sources_of(models).items()}
    for record in map(_with_recipe, _records(folder)):
        made_with = (record.weights_sha256, record.sampler, record.steps, record.guidance)
        if made_with != (wanted.get(record.class_code), draw.sampler, draw.steps, draw.guidance):
            raise InputRefusedError(
                Message(
                    "{folder} holds images of another model or of other settings, for example {name} of {class_code}.",
                    folder=folder,
                    name=record.path.name,
                    class_code=record.class_code,
                ),
                remedy=Message("Name another folder, or move the images away."),
                path=record.path,
            )


def _with_recipe(record: ImageRecord) -> ImageRecord:
    """Return a record with what stands inside its image, where a run died before it had written it down elsewhere."""
    recipe = None if record.weights_sha256 else embedded_recipe(record.path)
    return record if recipe is None else ImageRecord.from_recipe(record.path, record.isic_number, recipe)
