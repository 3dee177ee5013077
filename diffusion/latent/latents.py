"""Photographs as latent images, computed once: an image that is trained on then costs only the denoiser.

An autoencoder does not commute exactly with turns and reflections, so each photograph is encoded in all eight of its
views rather than its latent image being turned.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from core.diffusers_parts import AutoencoderKL
from core.generator.model_manager import LatentSpace, fit_sketch, sketch_to_json
from core.models.networks import WEIGHTS_FILE, encode, read_autoencoder
from core.models.safe_weights import sha256_of
from core.precision import DTYPES, Precision
from diffusion.draws import ImageSet
from training.runtime import load_checkpoint, save_checkpoint

CACHE: Final = "latents.pt"
"""File in a run's folder: what a continued run need not encode again."""

VIEWS: Final = 8
"""Symmetries of the square."""

_BATCH: Final = 32

_FITTED: Final = 500
"""Photographs that the colours of latent pixels are fitted to, about."""


@dataclass(frozen=True, eq=False)
class LatentSet:
    """Latent images in memory.

    Attributes
    ----------
    views
        (N, V, C, h, w) float16, normalised: the V first views of each photograph, the upright one first.
    labels
        (N,) int64.
    """

    views: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def upright(self, index: int) -> Tensor:
        """Return a photograph's latent image as it stands."""
        return self.views[index, 0]

    def view(self, index: int, stream: torch.Generator) -> Tensor:
        """Return the latent image of one view of a photograph."""
        choice = int(torch.randint(VIEWS, (1,), generator=stream))
        return self.views[index, choice % self.views.shape[1]]


@dataclass(frozen=True, eq=False)
class Latents:
    """The photographs of a run as an autoencoder sees them.

    Attributes
    ----------
    folder
        The autoencoder's files.
    """

    folder: Path
    train: LatentSet
    validation: LatentSet

    @property
    def shape(self) -> tuple[int, int]:
        """Channels and side of a latent image."""
        channels, side = self.train.views.shape[2:4]
        return channels, side

    def space(self, device: torch.device, precision: Precision) -> LatentSpace:
        """Return the latent space for a network that computes there and so."""
        net = read_autoencoder(self.folder, DTYPES[precision])
        return LatentSpace(net.to(device, memory_format=torch.channels_last))


def fingerprint_with(fingerprint: str, autoencoder: Path) -> str:
    """Return the fingerprint of photographs as an autoencoder sees them.

    Raises
    ------
    ModelRefusedError
        If there is no usable autoencoder.
    """
    read_autoencoder(autoencoder)
    return hashlib.sha256(f"{fingerprint} {sha256_of(autoencoder / WEIGHTS_FILE)}".encode()).hexdigest()


def encode_photographs(
    train: ImageSet, validation: ImageSet, autoencoder: Path, device: torch.device, precision: Precision
) -> Latents:
    """Encode the photographs of a run: those to learn from in all views, the others as they stand."""
    quick = read_autoencoder(autoencoder, DTYPES[precision]).to(device, memory_format=torch.channels_last)
    parts = [
        LatentSet(views_of(quick, part.pixels, count), part.labels) for part, count in ((train, VIEWS), (validation, 1))
    ]
    return Latents(autoencoder, *parts)


@torch.inference_mode()
def views_of(net: AutoencoderKL, pixels: Tensor, count: int = VIEWS) -> Tensor:
    """Return the first views of photographs as latent images.

    Parameters
    ----------
    net
        On the device and in the number format to compute in.
    pixels
        uint8 (N, 3, S, S).

    Returns
    -------
    float16 (N, count, C, h, w) on the CPU; view v is turned by v % 4 quarter turns, and mirrored from 4 on, as
    `training.runtime.dihedral` does.
    """
    reference = next(net.parameters())
    found = []
    for part in pixels.split(_BATCH):
        pictures = (part.float() / 127.5 - 1).to(reference)
        views = [
            encode(net, _view(pictures, number).contiguous(memory_format=torch.channels_last))
            for number in range(count)
        ]
        found.append(torch.stack(views, dim=1).half().cpu())
    return torch.cat(found).clone()


def _view(pictures: Tensor, number: int) -> Tensor:
    turned = torch.rot90(pictures, number % 4, (-2, -1))
    return turned.flip(-1) if number >= VIEWS // 2 else turned


def sketch_of(latents: Latents, photographs: ImageSet) -> dict[str, Any]:
    """Return the colours of latent pixels, fitted to photographs, as a pack keeps them."""
    chosen = torch.arange(0, len(photographs), max(1, len(photographs) // _FITTED))
    pictures = photographs.pixels[chosen].float() / 127.5 - 1
    return sketch_to_json(fit_sketch(latents.train.views[chosen, 0].float(), pictures))


def keep(latents: Latents, fingerprint: str, output: Path) -> None:
    """Write the latent images into a run's folder."""
    state = {"fingerprint": fingerprint, "train": latents.train.views, "validation": latents.validation.views}
    save_checkpoint(output / CACHE, state)


def kept(train: ImageSet, validation: ImageSet, autoencoder: Path, fingerprint: str, output: Path) -> Latents | None:
    """Return what `keep` wrote, or None if that is of other photographs or another autoencoder, odd, or not there.

    Raises
    ------
    ModelRefusedError
        If the file is damaged, or there is no usable autoencoder.
    """
    if not (output / CACHE).is_file():
        return None
    state = load_checkpoint(output / CACHE, torch.device("cpu"))
    told = state.get("fingerprint")
    if not (isinstance(told, str) and told == fingerprint):
        return None
    shape = _latent_shape(autoencoder, train.pixels.shape[-1])
    whole = {"train": (len(train), VIEWS, *shape), "validation": (len(validation), 1, *shape)}
    if not all(_is_kept(state.get(name), expected) for name, expected in whole.items()):
        return None
    parts = [LatentSet(state[name], part.labels) for name, part in (("train", train), ("validation", validation))]
    return Latents(autoencoder, *parts)


def _latent_shape(autoencoder: Path, side: int) -> tuple[int, int, int]:
    """Return channels, height and width of what an autoencoder makes of a picture with that side."""
    config = read_autoencoder(autoencoder).config
    small = side // 2 ** (len(config.block_out_channels) - 1)
    return config.latent_channels, small, small


def _is_kept(views: object, shape: tuple[int, ...]) -> bool:
    if not (isinstance(views, Tensor) and views.dtype == torch.float16 and views.shape == shape):
        return False
    return bool(views.isfinite().all())
