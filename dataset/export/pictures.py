"""Every picture of an output folder, looked at once: does it decode, what is in it, what made it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from core.errors import InputRefusedError
from core.files.atomic import output_errors
from core.files.folder_lock import is_locked
from core.files.opening import MAX_PICTURE_BYTES, read_regular
from core.images import check_intact, read_image
from core.jobs.stream import JobContext
from core.message import Message
from dataset.export.terms import ModelTerms, terms_of
from dataset.layout import Layout
from dataset.png import as_passed_on
from dataset.ratings import UNRATED, Rating, damaged_ratings, read_ratings
from dataset.reading import embedded_recipe, read_models_folders, read_records
from dataset.recipe import Recipe
from dataset.record import ImageRecord

MAX_THREADS: Final = 8


@dataclass(frozen=True, slots=True)
class Picture:
    """One finished image that decodes.

    Attributes
    ----------
    recipe
        What is inside the file; None if nothing is (ISICGenerator's images).
    sha256, pixels
        SHA-256 of the file, and of its shape and upright RGB pixels.
    size, passed_on
        Bytes and SHA-256 of what is exported of it; see `dataset.png.as_passed_on`.
    width, height
        In pixels.
    """

    record: ImageRecord
    rating: Rating
    recipe: Recipe | None
    sha256: str
    pixels: str
    size: int
    passed_on: str
    width: int
    height: int

    @property
    def path(self) -> Path:
        """The file."""
        return self.record.path

    @property
    def code(self) -> str:
        """Class code."""
        return self.record.class_code

    def is_file_of(self, data: bytes) -> bool:
        """Whether these are the bytes that were looked at."""
        return _sum(data) == self.sha256


@dataclass(frozen=True, slots=True)
class Unusable:
    """A file that cannot be exported, and why."""

    path: Path
    code: str
    rating: Rating
    reason: str


@dataclass(frozen=True, slots=True)
class Collection:
    """What an output folder holds.

    Attributes
    ----------
    pictures, unusable
        In the order of class and file name.
    terms
        What is known about the models, by the SHA-256 of their weights.
    is_growing
        Whether a program is writing to the folder.
    damaged_ratings
        Numbers of the lines of `ratings.jsonl` that cannot be understood.
    """

    folder: Path
    pictures: tuple[Picture, ...]
    unusable: tuple[Unusable, ...] = ()
    terms: Mapping[str, ModelTerms] = field(default_factory=dict)
    is_growing: bool = False
    damaged_ratings: tuple[int, ...] = ()


def inspect(output: Path, context: JobContext | None = None) -> Collection:
    """Look at every picture of an output folder; nothing is written there.

    Raises
    ------
    InputRefusedError
        If there is no such folder.
    OutputError
        If the folder cannot be read.
    JobStopped
        If that was asked for.
    """
    folder = output.absolute()
    if not folder.is_dir():
        raise InputRefusedError(
            Message("There is no folder '{path}'.", path=folder), remedy=Message("Check the path."), path=folder
        )
    with output_errors(folder):
        records = sorted(read_records(folder), key=lambda record: record.key)
        ratings = read_ratings(folder)
        models, damaged = read_models_folders(folder), damaged_ratings(folder)
    looked = _look_at_all(records, ratings, context or JobContext())
    pictures = tuple(item for item in looked if isinstance(item, Picture))
    unusable = tuple(item for item in looked if isinstance(item, Unusable))
    terms = _terms(pictures, models)
    return Collection(folder, pictures, unusable, terms, is_locked(Layout(folder).state), damaged)


def _look_at_all(
    records: Sequence[ImageRecord], ratings: Mapping[tuple[str, str], Rating], context: JobContext
) -> list[Picture | Unusable]:
    looked: list[Picture | Unusable] = []
    with ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as pool:
        tasks = [pool.submit(_look, record, ratings.get(record.key, UNRATED)) for record in records]
        try:
            for done, task in enumerate(tasks):
                context.progress(done, len(records), Message("Looking at the images"), "images")
                looked.append(task.result())
        finally:
            pool.shutdown(cancel_futures=True)
    return looked


def _look(record: ImageRecord, rating: Rating) -> Picture | Unusable:
    path, code = record.path, record.class_code
    try:
        check_intact(path)
        pixels = read_image(path)
        data = read_regular(path, MAX_PICTURE_BYTES)
        copy = as_passed_on(path, data)
    except InputRefusedError as error:
        return Unusable(path, code, rating, error.message)
    except OSError as error:
        return Unusable(path, code, rating, Message("'{path}' cannot be read: {why}.", path=path, why=error.strerror))
    recipe = embedded_recipe(path)
    if recipe is not None and recipe.class_code != code:
        return Unusable(path, code, rating, _contradiction(path, code, recipe))
    if recipe is not None:
        record = ImageRecord.from_recipe(path, record.isic_number, recipe)
    height, width = pixels.shape[:2]
    content = _sum(repr(pixels.shape).encode() + pixels.tobytes())
    return Picture(record, rating, recipe, _sum(data), content, len(copy), _sum(copy), width, height)


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _contradiction(path: Path, code: str, recipe: Recipe) -> Message:
    return Message(
        "'{path}' is in the folder {folder}, but its recipe says {made}.",
        path=path,
        folder=code,
        made=recipe.class_code,
    )


def _terms(pictures: Sequence[Picture], models: Mapping[str, Path]) -> dict[str, ModelTerms]:
    recipes = {picture.recipe.weights_sha256: picture.recipe for picture in pictures if picture.recipe is not None}
    return {sha256: terms_of(recipe, models.get(recipe.run_id)) for sha256, recipe in recipes.items()}
