"""Turns a Keras classifier of HAM10000_CNN into a classifier folder that `classify`, `explain` and the window load."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import save
from torch import nn

from core.errors import ModelArchitectureError, ModelNotFiniteError, OutputError
from core.files.atomic import output_errors, write_bytes_atomic, write_text_atomic
from core.files.own import is_link
from core.files.text import finite_json
from core.message import Message
from core.models.classification.architectures import ARCHITECTURES
from core.models.classification.loading import RECORD_FILE, WEIGHTS_FILE
from core.models.safe_weights import sha256_of
from core.taxonomy import ALPHABETICAL_TO_CANONICAL, CLASS_CODES
from legacy.keras_file import KerasModel, read_keras
from legacy.keras_weights import KerasMisfitError, copy_weights, weighted_layers

BY_WEIGHTED_LAYERS: Final = {246: "densenet121_ham", 406: "densenet201_ham", 8: "simple_cnn"}
"""ISICGenerator's architectures by the number of their convolutions, batch norms and dense layers."""

_LARGEST_SIDE: Final = 1024
_REMEDY: Final = "Only the densenet121, densenet201 and simple_cnn that HAM10000_CNN's train.py saves are imported."


@dataclass(frozen=True, slots=True)
class Imported:
    """What was written where.

    Attributes
    ----------
    image_size
        Side of the square input in pixels.
    """

    folder: Path
    architecture: str
    image_size: int


def import_keras(path: Path, output: Path) -> Imported:
    """Write the classifier in a Keras HDF5 file as `classifier.json` and `model.safetensors`, in full precision.

    Its outputs are put into this program's order of the classes. Its input stays what it was: pixels in 0..1, resized
    to the model's square, without the normalisation of ImageNet.

    Parameters
    ----------
    output
        Folder to write, created if need be; it must not hold a classifier yet.

    Raises
    ------
    ModelRefusedError
        One of its kinds, if the file is damaged, holds code or is no network of HAM10000_CNN.
    OutputError
        If the folder cannot be written or holds a classifier already.
    """
    model = read_keras(path)
    architecture, net = _network(model, path)
    image_size = _image_size(model, path)
    _write(output, net, _describe(architecture, image_size, path, model.keras_version))
    return Imported(output, architecture, image_size)


def _network(model: KerasModel, path: Path) -> tuple[str, nn.Module]:
    count = len(weighted_layers(model.layers))
    if count not in BY_WEIGHTED_LAYERS:
        raise _refusal(path, f"it has {count} layers with weights, as no network there has")
    name = BY_WEIGHTED_LAYERS[count]
    return name, _filled(model, name, path)


def _filled(model: KerasModel, name: str, path: Path) -> nn.Module:
    net = ARCHITECTURES[name].build(len(CLASS_CODES))
    try:
        copy_weights(model.layers, net)
    except KerasMisfitError as error:
        raise _refusal(path, str(error)) from error
    _reorder(ARCHITECTURES[name].head_of(net))
    bad = [key for key, tensor in net.state_dict().items() if not bool(torch.isfinite(tensor).all())]
    if bad:
        raise ModelNotFiniteError(
            Message("{name} holds NaN or infinity in {bad} tensors.", name=path.name, bad=len(bad)),
            remedy=Message("The training that made it diverged; use best_model.h5, or another run."),
            path=path,
        )
    return net


def _reorder(head: nn.Linear) -> None:
    """Bring the outputs from ISICGenerator's alphabetical order of the classes into the canonical one."""
    order = list(ALPHABETICAL_TO_CANONICAL)
    with torch.no_grad():
        head.weight[order] = head.weight.clone()
        head.bias[order] = head.bias.clone()


def _image_size(model: KerasModel, path: Path) -> int:
    config = next((layer.config for layer in model.layers if layer.kind == "InputLayer"), {})
    shape: Sequence[Any] = config.get("batch_shape") or config.get("batch_input_shape") or ()
    if len(shape) == 4 and shape[1] == shape[2] and shape[3] == 3 and isinstance(shape[1], int):
        size: int = shape[1]
        if 1 <= size <= _LARGEST_SIDE:
            return size
    raise _refusal(path, f"its input has the shape {tuple(shape)} instead of a square of RGB pixels")


def _refusal(path: Path, found: str) -> ModelArchitectureError:
    return ModelArchitectureError(
        Message("{name} is no model of HAM10000_CNN: {found}.", name=path.name, found=found), remedy=_REMEDY, path=path
    )


def _describe(architecture: str, image_size: int, path: Path, keras_version: str) -> dict[str, Any]:
    return {
        "format": 1,
        "architecture": architecture,
        "classes": list(CLASS_CODES),
        "image_size": image_size,
        "mean": [0.0, 0.0, 0.0],
        "std": [1.0, 1.0, 1.0],
        "resize": "bilinear antialias",
        "split_hash": None,
        "val_balanced_accuracy": None,
        "val_n": None,
        "temperature": 1.0,
        "trained_head": True,
        "strength_p5": None,
        "imported_from": {"file": path.name, "sha256": sha256_of(path), "keras_version": keras_version},
        "trained_on": "not recorded in the file; HAM10000_CNN splits by image, so the accuracy it reports is too high",
        "licence": "unknown: that of the file's maker",
    }


def _write(output: Path, net: nn.Module, description: dict[str, Any]) -> None:
    weights = save(net.state_dict(), metadata={"format": "pt"})
    with output_errors(output):
        if _is_taken(output, weights):
            raise OutputError(
                Message("The folder {output} holds a classifier already.", output=output),
                remedy=Message("Choose another folder."),
                path=output,
            )
        output.mkdir(parents=True, exist_ok=True)
        write_bytes_atomic(output / WEIGHTS_FILE, weights)
        write_text_atomic(output / RECORD_FILE, finite_json(description))


def _is_taken(output: Path, weights: bytes) -> bool:
    """Whether a classifier is there, or something in its place; the weights of an import that was killed are not."""
    if os.path.lexists(output / RECORD_FILE):
        return True
    left = output / WEIGHTS_FILE
    if not os.path.lexists(left):
        return False
    return is_link(left) or not left.is_file() or sha256_of(left) != hashlib.sha256(weights).hexdigest()
