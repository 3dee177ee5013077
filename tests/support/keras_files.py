"""Keras files for tests: written by h5py in Keras' exact layout, and computed by a slow, obvious interpreter."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

SCALE = 0.03
"""Of the weights: so small that the variances which batch norm meets are not large beside its epsilon."""


@dataclass(frozen=True)
class Layer:
    """One layer of a functional model, as `model_config` describes it."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    config: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, Array] = field(default_factory=dict)

    def but(self, **config: Any) -> Layer:
        """Return the layer with other settings."""
        return replace(self, config={**self.config, **config})


class Chain:
    """Builds layers one on top of the other, with random numbers everywhere."""

    def __init__(self, side: int, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.layers = [Layer("InputLayer", "input_1", (), {"batch_input_shape": [None, side, side, 3]})]
        self.channels = 3

    @property
    def end(self) -> str:
        return self.layers[-1].name

    def add(self, kind: str, name: str, **config: Any) -> Chain:
        self.layers.append(Layer(kind, name, (self.end,), config))
        return self

    def pad(self, name: str, size: int) -> Chain:
        return self.add("ZeroPadding2D", name, padding=[[size, size], [size, size]])

    def pool(self, kind: str, name: str, size: int) -> Chain:
        return self.add(kind, name, pool_size=[size, size], strides=[2, 2], padding="valid")

    def conv(
        self, name: str, after: int, size: int, stride: int = 1, bias: bool = False, padding: str = "same"
    ) -> Chain:
        weights = {"kernel": self._normal(size, size, self.channels, after, scale=SCALE / size)}
        if bias:
            weights["bias"] = self._normal(after, scale=0.1)
        config = {"strides": [stride, stride], "padding": padding, "activation": "linear", "dilation_rate": [1, 1],
                  "data_format": "channels_last"}  # fmt: skip
        self.layers.append(Layer("Conv2D", name, (self.end,), config, weights))
        self.channels = after
        return self

    def norm(self, name: str, epsilon: float, axis: int = 3) -> Chain:
        n = self.channels
        weights = {
            "gamma": self.rng.uniform(0.5, 1.5, n).astype(np.float32),
            "beta": self._normal(n, scale=0.15),
            "moving_mean": np.zeros(n, np.float32),
            "moving_variance": np.ones(n, np.float32),
        }
        self.layers.append(
            Layer("BatchNormalization", name, (self.end,), {"axis": [axis], "epsilon": epsilon}, weights)
        )
        return self

    def relu(self, name: str) -> Chain:
        return self.add("Activation", name, activation="relu")

    def dense(self, name: str, after: int, activation: str, scale: float = SCALE) -> Chain:
        weights = {"kernel": self._normal(self.channels, after, scale=scale), "bias": self._normal(after, scale=0.1)}
        self.layers.append(Layer("Dense", name, (self.end,), {"activation": activation}, weights))
        self.channels = after
        return self

    def concatenate(self, name: str, first: str, channels: int) -> Chain:
        self.layers.append(Layer("Concatenate", name, (first, self.end), {"axis": 3}))
        self.channels += channels
        return self

    def _normal(self, *shape: int, scale: float = 1.0) -> Array:
        return self.rng.normal(0, scale, shape).astype(np.float32)


def densenet(
    side: int, blocks: Sequence[int], growth: int, first: int, bottleneck: int, classes: int = 7
) -> list[Layer]:
    """Return HAM10000_CNN's DenseNet of any size, with Keras 2's names."""
    eps = 1.001e-5
    chain = Chain(side).pad("zero_padding2d", 3).conv("conv1/conv", first, 7, 2, padding="valid")
    chain.norm("conv1/bn", eps).relu("conv1/relu").pad("zero_padding2d_1", 1).pool("MaxPooling2D", "pool1", 3)
    for stage, size in enumerate(blocks, 2):
        for number in range(1, size + 1):
            name, start, channels = f"conv{stage}_block{number}", chain.end, chain.channels
            chain.norm(f"{name}_0_bn", eps).relu(f"{name}_0_relu").conv(f"{name}_1_conv", bottleneck * growth, 1)
            chain.norm(f"{name}_1_bn", eps).relu(f"{name}_1_relu").conv(f"{name}_2_conv", growth, 3)
            chain.concatenate(f"{name}_concat", start, channels)
        if stage <= len(blocks):
            chain.norm(f"pool{stage}_bn", eps).relu(f"pool{stage}_relu").conv(
                f"pool{stage}_conv", chain.channels // 2, 1
            )
            chain.pool("AveragePooling2D", f"pool{stage}_pool", 2)
    chain.norm("bn", eps).relu("relu").add("GlobalAveragePooling2D", "global_average_pooling2d")
    for width in (512, 256):
        chain.dense(f"dense_{width}", width, "relu").norm(f"bn_{width}", 1e-3, axis=1)
        chain.add("Dropout", f"dropout_{width}", rate=0.5)
    return settled(chain.dense("predictions", classes, "softmax").layers)


def simple_cnn(side: int, classes: int = 7) -> list[Layer]:
    """Return HAM10000_CNN's simple_cnn."""
    chain = Chain(side)
    for index, width in enumerate((32, 64, 128)):
        suffix = f"_{index}" if index else ""
        chain.conv(f"conv2d{suffix}", width, 3, bias=True).norm(f"batch_normalization{suffix}", 1e-3)
        chain.relu(f"activation{suffix}")
        if index < 2:
            chain.pool("MaxPooling2D", f"max_pooling2d{suffix}", 2)
    chain.add("GlobalAveragePooling2D", "global_average_pooling2d").dense("dense", 128, "relu", scale=0.15)
    return settled(chain.add("Dropout", "dropout", rate=0.5).dense("dense_1", classes, "softmax", scale=0.15).layers)


def write_keras(path: Path, layers: Sequence[Layer], *, keras: int = 2) -> Path:
    """Write layers as `model.save("name.h5")` of Keras 2 (in TensorFlow 2.11) or Keras 3 does."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "2.11.0" if keras == 2 else "3.15.1"
        file.attrs["backend"] = "tensorflow"
        file.attrs["model_config"] = json.dumps(_topology(layers, keras))
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [layer.name.encode() for layer in layers]
        for layer in layers:
            _write_layer(weights.create_group(layer.name), layer, ":0" if keras == 2 else "")
    return path


def _write_layer(group: h5py.Group, layer: Layer, suffix: str) -> None:
    names = [f"{layer.name}/{name}{suffix}" for name in layer.weights]
    group.attrs["weight_names"] = [name.encode() for name in names] if suffix else names
    for name, array in zip(names, layer.weights.values(), strict=True):
        group.create_dataset(name, data=array)


def _topology(layers: Sequence[Layer], keras: int) -> dict[str, Any]:
    described = [
        {
            "class_name": layer.kind,
            "name": layer.name,
            "config": {"name": layer.name, **_renamed(layer.config, keras)},
            "inbound_nodes": [[[name, 0, 0, {}] for name in layer.inputs]],
        }
        for layer in layers
    ]
    return {"class_name": "Functional", "config": {"name": "model", "layers": described}}


def _renamed(config: Mapping[str, Any], keras: int) -> dict[str, Any]:
    return {"batch_shape" if key == "batch_input_shape" and keras == 3 else key: value for key, value in config.items()}


def pictures(count: int, side: int, seed: int = 1) -> NDArray[np.float64]:
    """Return noise of different colours and brightness, (count, side, side, 3) in 0..1."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 1, (count, side, side, 3)) * rng.uniform(0, 1, (count, 1, 1, 3))


def settled(layers: Sequence[Layer]) -> list[Layer]:
    """Return the layers with moving averages as training leaves them: those of what batch norm meets, roughly."""
    rng = np.random.default_rng(1)
    side = layers[0].config["batch_input_shape"][1]
    values: dict[str, NDArray[np.float64]] = {}
    result = []
    for layer in layers:
        inputs = [values[name] for name in layer.inputs] or [pictures(4, side)]
        if layer.kind == "BatchNormalization":
            layer = replace(layer, weights={**layer.weights, **_averages(inputs[0], rng)})
        values[layer.name] = _COMPUTE[layer.kind](layer, *inputs)
        result.append(layer)
    return result


def _averages(x: NDArray[np.float64], rng: np.random.Generator) -> dict[str, Array]:
    axes = tuple(range(x.ndim - 1))
    mean, variance = x.mean(axes), x.var(axes) * rng.uniform(0.5, 1.5, x.shape[-1])
    return {"moving_mean": mean.astype(np.float32), "moving_variance": variance.astype(np.float32)}


def predict(layers: Sequence[Layer], pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the model's output for pixels (N, H, W, 3), one layer after the other, by Keras' definitions."""
    values: dict[str, NDArray[np.float64]] = {}
    for layer in layers:
        inputs = [values[name] for name in layer.inputs] or [pixels]
        values[layer.name] = _COMPUTE[layer.kind](layer, *inputs)
    return values[layers[-1].name]


def _conv(layer: Layer, x: NDArray[np.float64]) -> NDArray[np.float64]:
    kernel, stride = layer.weights["kernel"].astype(np.float64), layer.config["strides"][0]
    size = kernel.shape[0]
    if layer.config["padding"] == "same":  # all of them have stride 1
        x = np.pad(x, ((0, 0), (size // 2, size // 2), (size // 2, size // 2), (0, 0)))
    rows, columns = ((length - size) // stride + 1 for length in x.shape[1:3])
    out = np.zeros((len(x), rows, columns, kernel.shape[3]))
    for row, column in itertools.product(range(rows), range(columns)):
        patch = x[:, row * stride : row * stride + size, column * stride : column * stride + size]
        out[:, row, column] = np.tensordot(patch, kernel, 3)
    return out + layer.weights.get("bias", 0)


def _pool(layer: Layer, x: NDArray[np.float64]) -> NDArray[np.float64]:
    size, stride = layer.config["pool_size"][0], layer.config["strides"][0]
    reduce = np.max if layer.kind == "MaxPooling2D" else np.mean
    rows, columns = ((length - size) // stride + 1 for length in x.shape[1:3])
    out = np.zeros((len(x), rows, columns, x.shape[3]))
    for row, column in itertools.product(range(rows), range(columns)):
        patch = x[:, row * stride : row * stride + size, column * stride : column * stride + size]
        out[:, row, column] = reduce(patch, (1, 2))
    return out


def _norm(layer: Layer, x: NDArray[np.float64]) -> NDArray[np.float64]:
    w = {name: array.astype(np.float64) for name, array in layer.weights.items()}
    scale = w["gamma"] / np.sqrt(w["moving_variance"] + layer.config["epsilon"])
    return (x - w["moving_mean"]) * scale + w["beta"]


def _dense(layer: Layer, x: NDArray[np.float64]) -> NDArray[np.float64]:
    y = x @ layer.weights["kernel"].astype(np.float64) + layer.weights["bias"]
    if layer.config["activation"] == "relu":
        return np.maximum(y, 0)
    powers = np.exp(y - y.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


_COMPUTE: dict[str, Any] = {
    "InputLayer": lambda layer, x: x,
    "Dropout": lambda layer, x: x,
    "Activation": lambda layer, x: np.maximum(x, 0),
    "ZeroPadding2D": lambda layer, x: np.pad(x, ((0, 0), *layer.config["padding"], (0, 0))),
    "Concatenate": lambda layer, *x: np.concatenate(x, 3),
    "GlobalAveragePooling2D": lambda layer, x: x.mean((1, 2)),
    "Conv2D": _conv,
    "MaxPooling2D": _pool,
    "AveragePooling2D": _pool,
    "BatchNormalization": _norm,
    "Dense": _dense,
}
