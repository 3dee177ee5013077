"""Finds, verifies and loads the networks that draw, and keeps the ones in use.

A network draws in the space of pixels or in that of an autoencoder's latent images: `LatentSpace`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from core.cache.cache_manager import CacheManager
from core.conditioning import CLASS
from core.diffusers_parts import AutoencoderKL, UNet2DModel
from core.errors import ModelMissingError, ModelTruncatedError, OutOfMemoryError
from core.message import Message
from core.models.discovery import ClassModel
from core.models.networks import (
    CONFIG_FILE,
    PREDECESSOR_NET,
    PREDECESSOR_SCHEDULER,
    WEIGHTS_FILE,
    build_net,
    decode,
    encode,
    read_autoencoder,
    read_state,
    use_per_head_attention,
)
from core.models.pack import Pack, pack_name
from core.models.safe_weights import sha256_of
from core.precision import DTYPES


@dataclass(frozen=True, slots=True, eq=False)
class LatentSpace:
    """An autoencoder ready to decode.

    Attributes
    ----------
    net
        On the device and in the number format of the network that draws.
    sketch
        What `sketched` computes with: weights (3, C) and bias (3,) for the colours of a latent pixel; None decodes.
    """

    net: AutoencoderKL
    sketch: tuple[Tensor, Tensor] | None = None

    @property
    def factor(self) -> int:
        """Pixels of a picture along one latent pixel."""
        return int(2 ** (len(self.net.config.block_out_channels) - 1))

    @torch.inference_mode()
    def pictures(self, latents: Tensor) -> Tensor:
        """Return the pictures (N, 3, H, W), float32, about -1..1, of latent images (N, C, h, w).

        They are decoded one by one: in another batch the last bits would differ.
        """
        reference = next(self.net.parameters())
        each = latents.to(reference).contiguous(memory_format=torch.channels_last).split(1)
        return torch.cat([decode(self.net, one).float() for one in each])

    @torch.inference_mode()
    def latents(self, pictures: Tensor) -> Tensor:
        """Return the latent images (N, C, h, w), float32, of pictures (N, 3, H, W) in -1..1, encoded one by one."""
        reference = next(self.net.parameters())
        each = pictures.to(reference).contiguous(memory_format=torch.channels_last).split(1)
        return torch.cat([encode(self.net, one).float() for one in each])

    def sketched(self, latents: Tensor) -> Tensor:
        """Return roughly the same pictures at hardly any cost: the colours of each latent pixel, smoothly enlarged."""
        if self.sketch is None:
            return self.pictures(latents)
        weight, bias = (tensor.to(latents) for tensor in self.sketch)
        colours = torch.einsum("rc,nchw->nrhw", weight, latents) + bias.view(1, 3, 1, 1)
        return interpolate(colours, scale_factor=self.factor, mode="bilinear", align_corners=False)


def fit_sketch(latents: Tensor, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Return the weights (3, C) and bias (3,) that best tell the mean colours below each latent pixel, least squares.

    Parameters
    ----------
    latents
        (N, C, h, w).
    pictures
        (N, 3, H, W) of floats.
    """
    colours = interpolate(pictures, size=latents.shape[-2:], mode="area").movedim(1, -1).reshape(-1, 3).double()
    values = latents.movedim(1, -1).reshape(-1, latents.shape[1]).double()
    values = torch.cat([values, torch.ones_like(values[:, :1])], dim=1)
    solved = torch.linalg.lstsq(values, colours).solution.float()
    return solved[:-1].T.contiguous(), solved[-1]


def sketch_to_json(sketch: tuple[Tensor, Tensor]) -> dict[str, Any]:
    """Return a sketch as a pack's `isicgui.json` keeps it."""
    weight, bias = sketch
    return {"weight": weight.tolist(), "bias": bias.tolist()}


def sketch_from_json(data: Mapping[str, Any] | None, channels: int) -> tuple[Tensor, Tensor] | None:
    """Return a sketch from a pack, or None if there is none or it is of another number of channels."""
    try:
        weight, bias = (torch.tensor(data[name], dtype=torch.float32) for name in ("weight", "bias"))  # type: ignore[index]
    except (TypeError, KeyError, ValueError):
        return None
    usable = (
        weight.shape == (3, channels) and bias.shape == (3,) and bool(weight.isfinite().all() and bias.isfinite().all())
    )
    return (weight, bias) if usable else None


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Where a class's network comes from, before anything is loaded.

    Attributes
    ----------
    name
        Of the pack, or of the checkpoint.
    """

    weights: Path
    net_config: Mapping[str, Any]
    scheduler_config: Mapping[str, Any]
    class_label: int | None = None
    null_label: int | None = None
    recommended: Mapping[str, Any] = field(default_factory=dict)
    takes: tuple[str, ...] = (CLASS,)
    assumed: Mapping[str, str] = field(default_factory=dict)
    autoencoder: Path | None = None
    factor: int = 1
    sketch: Mapping[str, Any] | None = None
    name: str = ""

    @property
    def image_size(self) -> int:
        """Height and width of its pictures in pixels."""
        return int(self.net_config["sample_size"]) * self.factor


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A network that is ready to draw one class.

    Attributes
    ----------
    class_label
        What to ask a class-conditional network for; None for an unconditional one.
    null_label
        The label that means "no class"; None if guidance is not possible.
    image_size
        Height and width of its images in pixels.
    sha256
        Of the weights, those of an autoencoder included; see `ModelManager.identity`.
    path
        The weights file.
    name
        Of the pack that it belongs to, or of the checkpoint that it is.
    recommended
        What the model's maker recommends: `sampler`, `steps`, `guidance`.
    takes
        The kinds of condition that it takes, keys in `CONDITIONS`.
    assumed
        What the model does not say and is taken for granted, one sentence each, by what it is about.
    space
        The latent space that it draws in, or None for pixels.
    """

    net: UNet2DModel
    class_label: int | None
    null_label: int | None
    scheduler_config: Mapping[str, Any]
    image_size: int
    sha256: str
    path: Path
    recommended: Mapping[str, Any]
    device: torch.device
    precision: str
    takes: tuple[str, ...] = (CLASS,)
    assumed: Mapping[str, str] = field(default_factory=dict)
    space: LatentSpace | None = None
    name: str = ""

    @property
    def noise_shape(self) -> tuple[int, int, int]:
        """(C, h, w) of what it denoises."""
        side = int(self.net.config.sample_size)
        return int(self.net.config.out_channels), side, side

    def pictures(self, samples: Tensor) -> Tensor:
        """Return the pictures (N, 3, H, W), about -1..1, of what it denoises (N, C, h, w)."""
        return samples if self.space is None else self.space.pictures(samples)

    def latents(self, pictures: Tensor) -> Tensor:
        """Return what it would denoise to pictures (N, 3, H, W) in -1..1, float32 (N, C, h, w)."""
        return pictures if self.space is None else self.space.latents(pictures)

    def with_label(self, label: int) -> LoadedModel:
        """Return the same network, asked for another class."""
        return replace(self, class_label=label)

    def sketches(self, samples: Tensor) -> Tensor:
        """Return the same at once, if roughly: for pictures that are shown while others are being made."""
        return samples if self.space is None else self.space.sketched(samples)


class ModelManager:
    """Loads networks; what was loaded before with the same content, device and precision is not read again.

    Parameters
    ----------
    cache
        Holds the networks; may be shared.
    """

    def __init__(self, cache: CacheManager) -> None:
        self._cache = cache
        self._hashes: dict[tuple[Path, int, int], str] = {}

    def load(self, model: ClassModel, device: torch.device, precision: str) -> LoadedModel:
        """Load the network of a class.

        Parameters
        ----------
        precision
            `fp32`, `bf16` or `fp16`; weights are converted whatever they are stored as.

        Raises
        ------
        ModelRefusedError
            One of its subclasses, which says what is wrong with the file and what to do.
        """
        source = model_source(model)
        sha256 = self.sha256(source.weights)
        space = self._space(source, device, precision)
        key = (sha256, json.dumps(dict(source.net_config), sort_keys=True, default=str), str(device), precision)
        net = self._cache.get_or_load(key, lambda: self._load_net(source, sha256, device, precision))
        return LoadedModel(
            net=net,
            class_label=source.class_label,
            null_label=source.null_label,
            scheduler_config=source.scheduler_config,
            image_size=source.image_size,
            sha256=self.identity(source),
            path=source.weights,
            recommended=source.recommended,
            device=device,
            precision=precision,
            takes=source.takes,
            assumed=source.assumed,
            space=space,
            name=source.name,
        )

    def identity(self, source: ModelSource) -> str:
        """Return what tells a model from all others: the SHA-256 of its weights file.

        With an autoencoder, that of both files' sums in hexadecimal, one after the other.

        Raises
        ------
        ModelMissingError
            If a file cannot be read.
        """
        own = self.sha256(source.weights)
        if source.autoencoder is None:
            return own
        return hashlib.sha256((own + self.sha256(source.autoencoder / WEIGHTS_FILE)).encode()).hexdigest()

    def _space(self, source: ModelSource, device: torch.device, precision: str) -> LatentSpace | None:
        folder = source.autoencoder
        if folder is None:
            return None
        key = (self.sha256(folder / WEIGHTS_FILE), self.sha256(folder / CONFIG_FILE), str(device), precision)
        net = self._cache.get_or_load(key, lambda: _load_autoencoder(folder, device, precision))
        return LatentSpace(net, sketch_from_json(source.sketch, int(net.config.latent_channels)))

    def sha256(self, path: Path) -> str:
        """Return a weights file's SHA-256, computed again only if its size or time has changed.

        Raises
        ------
        ModelMissingError
            If the file cannot be read.
        """
        try:
            return self._hash_once(path)
        except OSError as error:
            raise ModelMissingError(
                Message("{path} cannot be read: {strerror}.", path=path, strerror=error.strerror),
                remedy=Message("Check that it is still there."),
                path=path,
            ) from error

    def _hash_once(self, path: Path) -> str:
        status = path.stat()
        key = (path, status.st_size, status.st_mtime_ns)
        if key not in self._hashes:
            self._hashes[key] = sha256_of(path)
        return self._hashes[key]

    def _load_net(
        self, source: ModelSource, sha256: str, device: torch.device, precision: str
    ) -> tuple[UNet2DModel, int]:
        state = read_state(source.weights)
        if self.sha256(source.weights) != sha256:
            raise ModelTruncatedError(
                Message("{weights} changed while it was being read.", weights=source.weights),
                remedy=Message("Wait until the download or copy is finished, then start again."),
                path=source.weights,
            )
        net = build_net(source.net_config, state, DTYPES[precision], source.weights)
        net = _move(net, device)
        if device.type == "cpu" and precision == "bf16":
            use_per_head_attention(net)
        return net, sum(p.numel() * p.element_size() for p in net.parameters())


def _load_autoencoder(folder: Path, device: torch.device, precision: str) -> tuple[AutoencoderKL, int]:
    net = _move(read_autoencoder(folder, DTYPES[precision]), device)
    return net, sum(p.numel() * p.element_size() for p in net.parameters())


_N = TypeVar("_N", bound=torch.nn.Module)


def _move(net: _N, device: torch.device) -> _N:
    try:
        # not `net.to`: diffusers' own imports its offloading and with it torch's compiler, for seconds
        torch.nn.Module.to(net, device)
        return torch.nn.Module.to(net, memory_format=torch.channels_last)
    except torch.OutOfMemoryError as error:
        raise OutOfMemoryError(
            Message("The model does not fit into the free memory of {device}.", device=device),
            remedy=Message("Close other programs that use it, or choose another device."),
        ) from error


def missing_model(model: ClassModel) -> ModelMissingError:
    """Return the error that says why a class is not available."""
    return ModelMissingError(
        Message("There is no model for {class_code}: {reason}.", class_code=model.class_code, reason=model.reason),
        remedy=Message("Run 'python main.py models list' to see what the models folder holds."),
        path=model.path,
    )


def model_source(model: ClassModel) -> ModelSource:
    """Return where a class's network comes from.

    Raises
    ------
    ModelMissingError
        If the class is not available; the message says why.
    """
    if not model.available or model.path is None:
        raise missing_model(model)
    if model.pack is not None:
        return _pack_source(model.pack, model.class_code)
    return ModelSource(model.path, PREDECESSOR_NET, PREDECESSOR_SCHEDULER, name=model.path.stem)


def _pack_source(pack: Pack, class_code: str) -> ModelSource:
    label = None if pack.labels is None else pack.labels[class_code]
    scheduler = pack.scheduler or PREDECESSOR_SCHEDULER
    return ModelSource(
        pack.weights, pack.config, scheduler, label, pack.null_label, pack.recommended, pack.takes, pack.assumed,
        pack.autoencoder, pack.factor, pack.sketch, pack_name(pack.folder),
    )  # fmt: skip
