"""From kept pictures and masks to what a batch begins from, and back: what is not painted stays as it was."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d

from core.beginning import Beginning
from core.errors import InputRefusedError, ModelRefusedError
from core.files.opening import sha256_of
from core.generator.model_manager import LoadedModel
from core.generator.sampler import (
    NO_GUIDANCE,
    ImageStreams,
    StreamsBetween,
    build_scheduler,
    initial_scale,
    make_predictor,
)
from core.generator.start import PLAIN, BatchStart, Blend, Pixels, Start, Surroundings, invert, steps_left_out
from core.images import read_image
from core.message import Message
from dataset.png import read_recipe
from dataset.recipe import Recipe

_SOFT: Final = 5
"""Side of the window in which the rim of what is painted is mixed with its surroundings, inside the mask."""

FindLabel = Callable[[str], int | None]
"""Class code -> the label that the same network knows it by; None if it does not draw that class."""


class StartImages:
    """Reads kept files, each once.

    Parameters
    ----------
    folders
        Where they may be, in this order.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._files: dict[str, Path] = {}
        self._ends: dict[Hashable, tuple[Tensor, int]] = {}

    def path(self, sha256: str) -> Path:
        """Return the file with this SHA-256.

        Raises
        ------
        InputRefusedError
            If it is in none of the folders, or is another file now.
        """
        if sha256 not in self._files:
            found = [file for folder in self._folders if (file := folder / f"{sha256}.png").is_file()]
            if not found:
                raise InputRefusedError(
                    Message("The image that this one begins from is missing (SHA-256 {sum}...).", sum=sha256[:12]),
                    remedy=Message("Keep the whole output folder together; such images are in .isicgui/inputs."),
                )
            if sha256_of(found[0]) != sha256:
                raise InputRefusedError(
                    Message("{path} was changed after it was used.", path=found[0]),
                    remedy=Message("Restore the file."), path=found[0],
                )  # fmt: skip
            self._files[sha256] = found[0]
        return self._files[sha256]

    def picture(self, sha256: str, size: int) -> Pixels:
        """Return a picture, RGB, uint8, (size, size, 3): the largest square in its middle, scaled."""
        return _square(Image.fromarray(read_image(self.path(sha256))), size, Image.Resampling.LANCZOS)

    def mask(self, sha256: str, size: int) -> NDArray[np.bool_]:
        """Return where a mask is inside, (size, size), cut and scaled as its picture is."""
        return mask_at(read_image(self.path(sha256))[..., 0] >= 128, size)

    def end(self, key: Hashable, find: Callable[[], tuple[Tensor, int]]) -> tuple[Tensor, int]:
        """Return what an end of an interpolation begins from, found once: it is the same for every batch."""
        if key not in self._ends:
            self._ends[key] = find()
        return self._ends[key]

    def recipe(self, sha256: str) -> Recipe | None:
        """Return the recipe inside a picture, or None."""
        try:
            return read_recipe(self.path(sha256))
        except InputRefusedError:
            return None


def mask_at(mask: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """Return where a mask is inside, (size, size): the largest square in its middle, scaled."""
    image = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(_square(image, size, Image.Resampling.BOX) >= 128)


def _square(image: Image.Image, size: int, resampling: Image.Resampling) -> NDArray[np.uint8]:
    if image.size != (size, size):
        image = ImageOps.fit(image, (size, size), resampling)
    return np.array(image)


def batch_start(
    beginnings: Sequence[Beginning],
    files: StartImages,
    model: LoadedModel,
    sampler: str,
    steps: int,
    batch_size: int,
    label_of: FindLabel = lambda code: None,
) -> BatchStart:
    """Return what the images of a batch begin from.

    Parameters
    ----------
    beginnings
        One for each image, all of one kind and strength; empty for noise alone.
    batch_size
        To which the batch is filled up.

    Raises
    ------
    InputRefusedError
        If a kept file is missing or was changed.
    ModelRefusedError
        If the network cannot be asked for the classes of an interpolation.
    """
    if not beginnings:
        return PLAIN
    padded = [*beginnings, *[beginnings[0]] * (batch_size - len(beginnings))]
    if beginnings[0].kind == "interpolate":
        return _interpolated(padded, files, model, sampler, steps, label_of)
    size = model.image_size
    pictures = [files.picture(one.images[0], size) for one in padded]
    first = steps_left_out(beginnings[0].strength, steps)
    images = model.latents(_to_tensor(pictures, model.device))
    if beginnings[0].kind == "image2image":
        return BatchStart(Start(first, images))
    masks = [files.mask(one.mask, size) for one in padded]
    painted = torch.from_numpy(np.stack(masks)).float()[:, None].to(model.device)
    factor = size // images.shape[-1]
    start = Start(first, images, max_pool2d(painted, factor) if factor > 1 else painted)
    kept = {place: Surroundings(pictures[place], _share(masks[place])) for place in range(len(beginnings))}
    return BatchStart(start, surroundings=kept)


def _share(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return how much of what is generated shows in each pixel: all of it but at the rim, nothing outside."""
    inside = torch.from_numpy(mask).float()[None, None]
    soft = avg_pool2d(inside, _SOFT, stride=1, padding=_SOFT // 2, count_include_pad=False) * inside
    return soft[0, 0, :, :, None].numpy()


def _to_tensor(pictures: Sequence[Pixels], device: torch.device) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).movedim(-1, 1).to(device).float() / 127.5 - 1


def _interpolated(
    beginnings: Sequence[Beginning],
    files: StartImages,
    model: LoadedModel,
    sampler: str,
    steps: int,
    label_of: FindLabel,
) -> BatchStart:
    first = beginnings[0]
    labels = _labels(first.classes, model, label_of)
    one, other = (
        files.end(
            (sha256, label, model.sha256, model.precision, model.device, sampler, steps),
            partial(_end, files, sha256, label, model, sampler, steps),
        )
        for sha256, label in zip(first.images, labels, strict=True)
    )
    shares = [beginning.share for beginning in beginnings]
    known = [label for label in labels if label is not None]
    blend = Blend((known[0], known[1]), tuple(shares)) if len(set(known)) == 2 else None
    return BatchStart(streams=StreamsBetween((one, other), shares), blend=blend)


def _labels(classes: Sequence[str], model: LoadedModel, label_of: FindLabel) -> tuple[int | None, int | None]:
    found = [label_of(code) for code in classes]
    if len(set(classes)) > 1 and None in found:
        raise ModelRefusedError(
            Message(
                "Images of {first} and {second} have networks of their own: there is nothing between them.",
                first=classes[0], second=classes[1],
            ),
            remedy=Message("Choose a model that generates both, such as the starter, or two images of one class."),
            path=model.path,
        )  # fmt: skip
    return found[0], found[-1]


def _end(
    files: StartImages, sha256: str, label: int | None, model: LoadedModel, sampler: str, steps: int
) -> tuple[Tensor, int]:
    """Return the noise (1, C, h, w) that an end of an interpolation begins from, on the CPU, and its stream's seed."""
    recipe = files.recipe(sha256)
    if recipe is not None and is_made_so(recipe, model.sha256, sampler, steps):
        return ImageStreams([recipe.seed], model.noise_shape).initial, recipe.seed
    image = model.latents(_to_tensor([files.picture(sha256, model.image_size)], model.device))
    deterministic = build_scheduler("ddim" if sampler != "euler" else sampler, model.scheduler_config, steps)
    own = model if label is None else model.with_label(label)
    return invert(make_predictor(own, NO_GUIDANCE), deterministic, image, initial_scale(deterministic)).cpu(), 0


def is_made_so(recipe: Recipe, weights: str, sampler: str, steps: int) -> bool:
    """Whether an image's noise leads to it here: with other settings, its own way back is the nearer one.

    Parameters
    ----------
    weights
        SHA-256 of the model that is used here.
    """
    return (recipe.weights_sha256, recipe.sampler, recipe.steps) == (weights, sampler, steps) and not recipe.start
