"""The jobs that make images from images: pictures are read, kept in the output folder, and begun from."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_dilation, binary_erosion

from core.beginning import Beginning
from core.cache.cache_manager import CacheManager
from core.cancel import CancelToken
from core.errors import InputRefusedError
from core.events import Event, Notice
from core.files.opening import MAX_PICTURE_BYTES, read_regular
from core.generation import GenerationRequest
from core.generator.image_generator import nothing_begun, warm_generator
from core.generator.model_manager import ModelManager, model_source
from core.generator.sampler import NO_GUIDANCE
from core.generator.start_images import is_made_so, mask_at
from core.guided import MAX_BEGINNINGS, Image2ImageRequest, InpaintRequest, InterpolateRequest
from core.images import read_image
from core.message import Message
from core.models.discovery import ClassModel, discover
from core.precision import DTYPES, Precision, precision_again, resolve_device
from core.samplers import usual_steps
from dataset.png import as_passed_on, read_recipe
from dataset.recipe import Recipe
from photographs.files import find_photographs
from photographs.masks import read_mask

_LARGEST: Final = 4096
"""Side in pixels up to which a picture is kept; larger ones are scaled down."""


class Inputs(Mapping[str, bytes]):
    """Pictures and masks as they will be kept: PNG files, by their SHA-256.

    What a picture is kept as is made again when it is asked for: ten thousand of them do not fit into memory.
    """

    def __init__(self) -> None:
        self._made: dict[str, tuple[Path, Callable[[], bytes]]] = {}

    def picture(self, path: Path) -> str:
        """Take a picture in and return its SHA-256; one of this program keeps its recipe, any other its pixels.

        Raises
        ------
        InputRefusedError
            If it cannot be read.
        """
        return self._add(path, partial(_as_kept, path))

    def mask(self, mask: NDArray[np.bool_], path: Path) -> str:
        """Take a mask that came from a file in and return its SHA-256."""
        content = _png(_within(Image.fromarray(mask.astype(np.uint8) * 255)))
        return self._add(path, lambda: content)

    def _add(self, path: Path, make: Callable[[], bytes]) -> str:
        sha256 = hashlib.sha256(make()).hexdigest()
        self._made[sha256] = path, make
        return sha256

    def __getitem__(self, sha256: str) -> bytes:
        """Return the content of one; an InputRefusedError is raised if its file is another one now."""
        path, make = self._made[sha256]
        content = make()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise InputRefusedError(
                Message("{path} was changed after it was used.", path=path), remedy=Message("Restore the file."),
                path=path,
            )  # fmt: skip
        return content

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


def _as_kept(path: Path) -> bytes:
    pixels = read_image(path)
    if recipe_of(path) is not None:
        return as_passed_on(path, read_regular(path, MAX_PICTURE_BYTES))
    return _png(_within(Image.fromarray(pixels)))


def recipe_of(path: Path) -> Recipe | None:
    """Return the recipe inside an image of this program, or None."""
    try:
        return read_recipe(path)
    except InputRefusedError:
        return None


def _within(image: Image.Image) -> Image.Image:
    image.thumbnail((_LARGEST, _LARGEST))
    return image


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def image2image(request: Image2ImageRequest, cancel: CancelToken) -> Iterator[Event]:
    """Make images that begin from given ones; events as of `ImageGenerator.generate`.

    Raises
    ------
    InputRefusedError
        If there is no picture, or one cannot be read.
    ISICGUIError
        As `ImageGenerator.generate`.
    """
    inputs, pictures = Inputs(), []
    paths = yield from _files(request.images)
    for path in paths:
        if cancel.mode is not None:
            yield nothing_begun(cancel, request.output, len(paths) * request.count)
            return
        pictures.append(inputs.picture(path))
    start = tuple(Beginning("image2image", (one,), strength=request.strength) for one in pictures)
    run = request.generation({request.class_code: len(start) * request.count}, start, seed=request.seed)
    yield from _carried_out(run, inputs, cancel)


def inpaint(request: InpaintRequest, cancel: CancelToken) -> Iterator[Event]:
    """Make images that are the given one outside of a mask; events as of `ImageGenerator.generate`.

    Raises
    ------
    InputRefusedError
        If picture or mask cannot be read, they are of different shapes, or the mask is empty.
    ISICGUIError
        As `ImageGenerator.generate`.
    """
    inputs = Inputs()
    picture, mask = read_image(request.image), grown(read_mask(request.mask), request.grow)
    _check_mask(picture, mask, request.mask)
    sums = inputs.picture(request.image), inputs.mask(mask, request.mask)
    start = (Beginning("inpaint", sums[:1], sums[1], strength=request.strength),)
    run = request.generation({request.class_code: request.count}, start, seed=request.seed)
    _check_seen(mask, request.mask, discover(run.models).classes[request.class_code])
    yield from _carried_out(run, inputs, cancel)


def interpolate(request: InterpolateRequest, cancel: CancelToken) -> Iterator[Event]:
    """Make images on the way from one to another; events as of `ImageGenerator.generate`.

    Raises
    ------
    InputRefusedError
        If an end cannot be read, or nothing says of which class it is.
    ISICGUIError
        As `ImageGenerator.generate`.
    """
    inputs = Inputs()
    paths = (request.first, request.second)
    sums = tuple(map(inputs.picture, paths))
    recipes = [recipe_of(path) for path in paths]
    classes = tuple(_class_of(path, recipe, request.class_code) for path, recipe in zip(paths, recipes, strict=True))
    shares = [place / (request.count - 1) for place in range(request.count)]
    targets = [classes[0] if share <= 0.5 else classes[1] for share in shares]
    start = tuple(
        Beginning("interpolate", sums, share=share, classes=classes, target=target)
        for share, target in zip(shares, targets, strict=True)
    )
    counts = dict(Counter(targets))
    weights = _weights(discover(request.generation(counts, start).models).classes[classes[0]])
    run = request.generation(counts, start, seed=request.seed, **_as_made(request, recipes, weights))
    yield from _notes(paths, recipes, weights, run)
    yield from _carried_out(run, inputs, cancel)


def grown(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    """Return a mask that reaches so many pixels further in all eight directions; less far if negative."""
    if pixels == 0:
        return mask
    around = np.ones((3, 3), bool)
    if pixels > 0:
        return np.asarray(binary_dilation(mask, around, iterations=pixels))
    return np.asarray(binary_erosion(mask, around, iterations=-pixels, border_value=1))


def _carried_out(run: GenerationRequest, inputs: Inputs, cancel: CancelToken) -> Iterator[Event]:
    if run.threads:
        torch.set_num_threads(run.threads)
    yield from warm_generator().generate(run, cancel, inputs)


def _files(paths: Sequence[Path]) -> Generator[Notice, None, Sequence[Path]]:
    """Return the pictures that paths name; tell what is left out of folders."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            pictures = find_photographs(path)
            yield from (Notice("input", words) for words in pictures.notes)
            found += pictures.files
        else:
            found.append(path)
    if not found:
        raise InputRefusedError(
            Message("There is no image to begin from."), remedy=Message("Name images, or a folder that holds some.")
        )
    if len(found) > MAX_BEGINNINGS:
        raise InputRefusedError(
            Message("These are {count} images; a run begins from at most {most}.", count=len(found),
                    most=MAX_BEGINNINGS),
            remedy=Message("Name fewer, and run the command several times."),
        )  # fmt: skip
    return found


def _check_mask(picture: NDArray[np.uint8], mask: NDArray[np.bool_], path: Path) -> None:
    if mask.shape != picture.shape[:2]:
        raise InputRefusedError(
            Message(
                "The mask {path} has {mask_width} x {mask_height} pixels, its image {width} x {height}.",
                path=path, mask_width=mask.shape[1], mask_height=mask.shape[0], width=picture.shape[1],
                height=picture.shape[0],
            ),
            remedy=Message("Use a mask of the same size as the image."), path=path,
        )  # fmt: skip
    if not mask.any():
        raise InputRefusedError(
            Message("The mask {path} is empty: nothing would be generated.", path=path),
            remedy=Message("Mark what is to be generated in white, or shrink the mask less."), path=path,
        )  # fmt: skip


def _check_seen(mask: NDArray[np.bool_], path: Path, model: ClassModel) -> None:
    """Refuse a mask of which nothing is left in what the model sees of the picture."""
    if not model.available:
        return  # which is said when it is asked for images
    size = model_source(model).image_size
    if not mask_at(mask, size).any():
        raise InputRefusedError(
            Message(
                "Of the mask {path}, nothing is left in the model's {size} x {size} pixels: nothing would be "
                "generated.",
                path=path, size=size,
            ),
            remedy=Message("Mark more in the largest square in the middle of the image, or widen it with --grow."),
            path=path,
        )  # fmt: skip


def _weights(model: ClassModel) -> str:
    """Return the SHA-256 of the weights that an end is made with; "" if there are none."""
    return ModelManager(CacheManager()).identity(model_source(model)) if model.available else ""


def _class_of(path: Path, recipe: Recipe | None, given: str | None) -> str:
    code = given if recipe is None else recipe.class_code
    if code is None:
        raise InputRefusedError(
            Message("{path} was not made by this program, so its class is not known.", path=path),
            remedy=Message("Name it with --class."), path=path,
        )  # fmt: skip
    return code


def _as_made(request: InterpolateRequest, recipes: Sequence[Recipe | None], weights: str) -> dict[str, Any]:
    """Return what holds where the request does not say: how the ends were made, so that the way leads to both.

    The noise of any other picture is found along the deterministic way, and only that leads back to it.
    """
    first = recipes[0]
    if first is None or not all(_is_like(recipe, weights, first.sampler, first.steps) for recipe in recipes):
        made: dict[str, Any] = {"sampler": "ddim", "steps": usual_steps("ddim"), "guidance": NO_GUIDANCE}
    else:
        made = {name: getattr(first, name) for name in ("sampler", "steps", "guidance", "batch_size")}
        if request.precision == "auto" and first.precision in DTYPES:
            made["precision"] = precision_again(cast(Precision, first.precision), resolve_device(request.device))
    return {name: value for name, value in made.items() if getattr(request, name) in (None, "auto")}


def _is_like(recipe: Recipe | None, weights: str, sampler: str, steps: int) -> bool:
    return recipe is not None and is_made_so(recipe, weights, sampler, steps)


def _notes(
    paths: Sequence[Path], recipes: Sequence[Recipe | None], weights: str, run: GenerationRequest
) -> Iterator[Notice]:
    for path, recipe in zip(paths, recipes, strict=True):
        if recipe is None:
            words = Message(
                "{path} was not made by this program: its noise is estimated, and the ends are like the images, not "
                "equal to them.",
                path=path,
            )
            yield Notice("inverted", words)
        elif not _is_like(recipe, weights, run.sampler, run.steps):
            words = Message(
                "{path} was made with another model or other settings: its noise is estimated, and the ends are like "
                "the images, not equal to them.",
                path=path,
            )
            yield Notice("inverted", words)
