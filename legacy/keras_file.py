"""Reads a classifier that Keras saved as HDF5: its layers as data, their weights as arrays, and nothing else.

Keras itself rebuilds such a file by deserialising it, which runs what `Lambda` layers and custom objects hold. Here the
topology is read as JSON and the weights as numbers; a layer that is not on the list is refused, and so is every dataset
that points out of the file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from core.errors import (
    ModelArchitectureError,
    ModelMissingError,
    ModelRefusedError,
    ModelTooLargeError,
    ModelTruncatedError,
    ModelUnsafeError,
)
from core.files import loose_json
from core.message import Message

MAX_BYTES: Final = 1 << 30
"""Of all weights together; ISICGenerator's greatest network has 80 MB."""

WEIGHTED: Final = frozenset({"Conv2D", "Dense", "BatchNormalization"})
WEIGHTLESS: Final = frozenset(
    {"InputLayer", "ZeroPadding2D", "Activation", "ReLU", "Softmax", "MaxPooling2D", "AveragePooling2D", "Concatenate",
     "GlobalAveragePooling2D", "Flatten", "Dropout"}
)  # fmt: skip

_CODE: Final = frozenset({"Lambda", "TFOpLambda", "SlicingOpLambda", "PyMetric"})
_DAMAGE: Final = (OSError, KeyError, RuntimeError, ValueError, TypeError, AttributeError, IndexError)
"""What h5py raises for a damaged file, depending on where the damage is."""


@dataclass(frozen=True, eq=False)
class KerasLayer:
    """One layer.

    Attributes
    ----------
    kind
        Keras' class name.
    weights
        By Keras' names for them (`kernel`, `bias`, `gamma`, `moving_mean`, ...), float32; empty for most kinds.
    """

    kind: str
    name: str
    config: Mapping[str, Any]
    weights: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class KerasModel:
    """The layers of a functional or sequential model, from the input to the output."""

    layers: tuple[KerasLayer, ...]
    keras_version: str


def read_keras(path: Path) -> KerasModel:
    """Read a file that Keras' `model.save("name.h5")` wrote.

    Raises
    ------
    ModelMissingError, ModelTruncatedError
        If there is no such file, or it is damaged or no HDF5 file.
    ModelUnsafeError
        If it holds code, or points to other files.
    ModelTooLargeError
        If the weights that it describes are larger than any known model's.
    ModelArchitectureError
        If it has no topology, or layers that no known model has.
    """
    if not path.is_file():
        raise ModelMissingError(
            Message("There is no file {path}.", path=path), remedy=Message("Check the name."), path=path
        )
    try:
        with h5py.File(path, "r") as file:
            return _read(file, path)
    except _DAMAGE as error:
        raise ModelTruncatedError(
            Message("{name} is damaged, or no HDF5 file that Keras saved.", name=path.name),
            remedy=Message("Copy it again, and compare its size with the original."),
            path=path,
        ) from error


def _read(file: h5py.File, path: Path) -> KerasModel:
    if "model_config" not in file.attrs:
        raise ModelArchitectureError(
            Message(
                "{name} does not describe the model's layers: it holds weights alone, or something else.",
                name=path.name,
            ),
            remedy=Message("Save the whole model in Keras with model.save('model.h5')."),
            path=path,
        )
    topology = loose_json.parse(_text(file.attrs["model_config"]))
    described = [(str(layer["class_name"]), layer["config"]) for layer in _layers_of(topology)]
    for kind, config in described:
        _check_kind(kind, str(config["name"]), path)
    reader = _WeightsReader(file, path)
    layers = (KerasLayer(kind, config["name"], config, reader.read(kind, config["name"])) for kind, config in described)
    return KerasModel(tuple(layers), _text(file.attrs.get("keras_version", "unknown")))


def _layers_of(topology: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    layers: list[Mapping[str, Any]] = topology["config"]["layers"]
    return layers


def _check_kind(kind: str, name: str, path: Path) -> None:
    if kind in _CODE:
        raise ModelUnsafeError(
            Message(
                "{name} holds code: its layer {name2} is a {kind}. Nothing in it was run.",
                name=path.name,
                name2=name,
                kind=kind,
            ),
            remedy=Message("Rebuild the model without that layer."),
            path=path,
        )
    if kind not in WEIGHTED | WEIGHTLESS:
        raise ModelArchitectureError(
            Message(
                "{name} has a layer of a kind that no model of HAM10000_CNN has: {name2}, a {kind}.",
                name=path.name,
                name2=name,
                kind=kind,
            ),
            remedy=Message("Only that program's densenet121, densenet201 and simple_cnn can be imported."),
            path=path,
        )


class _WeightsReader:
    """Reads arrays from the file's group of weights, and keeps count of their size."""

    def __init__(self, file: h5py.File, path: Path) -> None:
        self._file = file
        self._path = path
        self._bytes_left = MAX_BYTES

    def read(self, kind: str, layer: str) -> dict[str, NDArray[np.float32]]:
        """Return a layer's weights by their short names."""
        if kind not in WEIGHTED:
            return {}
        group = self._step_into(self._file, f"model_weights/{layer}")
        names = [_text(name) for name in group.attrs["weight_names"]]
        return {_short(name): self._array(self._step_into(group, name)) for name in names}

    def _step_into(self, group: Any, name: str) -> Any:
        for part in _parts(name):
            if isinstance(group.get(part, getlink=True), (h5py.SoftLink, h5py.ExternalLink)):
                raise self._points_elsewhere(name)
            group = group[part]
        return group

    def _array(self, dataset: h5py.Dataset) -> NDArray[np.float32]:
        if dataset.external or dataset.is_virtual:
            raise self._points_elsewhere(dataset.name)
        if dataset.dtype.kind != "f":
            raise ValueError(f"{dataset.name} holds no floating-point numbers")
        self._bytes_left -= math.prod(dataset.shape) * 4
        if self._bytes_left < 0:
            raise ModelTooLargeError(
                Message(
                    "{name} describes more than {detail:.1f} GB of weights.",
                    name=self._path.name,
                    detail=MAX_BYTES / 1000000000.0,
                ),
                remedy=Message("Check that this is the right file; it was not loaded."),
                path=self._path,
            )
        return np.asarray(dataset[()], dtype=np.float32)

    def _points_elsewhere(self, name: str) -> ModelRefusedError:
        return ModelUnsafeError(
            Message(
                "{name} refers to {name2} in another file instead of containing it.", name=self._path.name, name2=name
            ),
            remedy=Message("Use a file that Keras itself saved."),
            path=self._path,
        )


def _parts(name: str) -> Iterator[str]:
    yield from (part for part in name.split("/") if part)


def _short(name: str) -> str:
    return name.rpartition("/")[2].partition(":")[0]


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)
