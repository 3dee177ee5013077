"""Copies the weights of a chain of Keras layers into the same chain of torch modules.

Layers with weights are matched in their order. What the file states about them (shape, stride, padding, axis,
activation, pooling) is checked against the network, so that one which computes something else is refused, not guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, Final

import torch
from torch import Tensor, nn

from legacy.keras_file import WEIGHTED, KerasLayer

State = dict[str, Tensor]


class KerasMisfitError(ValueError):
    """A layer of the file is not what the network has in its place; the message says which, as a clause."""


def copy_weights(layers: Sequence[KerasLayer], net: nn.Module) -> None:
    """Fill `net` with the weights of `layers`; its batch norm keeps its own epsilon and still gives the same answers.

    Raises
    ------
    KerasMisfitError
        If the chains differ.
    """
    weighted, modules = weighted_layers(layers), weighted_modules(net)
    if len(weighted) != len(modules):
        raise KerasMisfitError(f"it has {len(weighted)} layers with weights instead of {len(modules)}")
    _check_activations(layers)
    _check_pooling(layers, net)
    for layer, module in zip(weighted, modules, strict=True):
        kind, convert = _CONVERSIONS[type(module)]
        if layer.kind != kind:
            raise KerasMisfitError(f"its layer {layer.name} is a {layer.kind} instead of a {kind}")
        _fill(module, convert(layer, module), layer)


def weighted_layers(layers: Sequence[KerasLayer]) -> list[KerasLayer]:
    """Return the layers that have weights."""
    return [layer for layer in layers if layer.kind in WEIGHTED]


def weighted_modules(net: nn.Module) -> list[nn.Module]:
    """Return the modules that have weights of their own, in the order in which the input meets them."""
    return [module for module in net.modules() if type(module) in _CONVERSIONS]


def _fill(module: nn.Module, state: State, layer: KerasLayer) -> None:
    own = module.state_dict()
    if own.keys() - {"num_batches_tracked"} != state.keys():
        raise KerasMisfitError(f"its layer {layer.name} has {', '.join(layer.weights)} as weights")
    for name, tensor in state.items():
        if tensor.shape != own[name].shape:
            found, expected = tuple(tensor.shape), tuple(own[name].shape)
            raise KerasMisfitError(f"the {name} of its layer {layer.name} has the shape {found} instead of {expected}")
    module.load_state_dict(state, strict=False)


def _convolution(layer: KerasLayer, module: nn.Conv2d) -> State:
    config = layer.config
    _require(layer, "strides", list(config["strides"]) == list(module.stride))
    _require(layer, "dilation_rate", set(config.get("dilation_rate", [1])) == {1})
    _require(layer, "data_format", config.get("data_format", "channels_last") == "channels_last")
    # A strided convolution stands behind a ZeroPadding2D layer, which is what torch's symmetric padding does.
    padded = module.padding != (0, 0) and module.stride == (1, 1)
    _require(layer, "padding", not padded or config["padding"] == "same")
    return _tensors(layer, {"kernel": "weight", "bias": "bias"}, lambda kernel: kernel.permute(3, 2, 0, 1))


def _dense(layer: KerasLayer, module: nn.Linear) -> State:
    return _tensors(layer, {"kernel": "weight", "bias": "bias"}, lambda kernel: kernel.T)


def _batch_norm(layer: KerasLayer, module: nn.BatchNorm1d | nn.BatchNorm2d) -> State:
    axis = layer.config["axis"]
    last = 3 if isinstance(module, nn.BatchNorm2d) else 1
    _require(layer, "axis", (axis if isinstance(axis, list) else [axis]) in ([last], [-1]))
    names = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
    state = _tensors(layer, names)
    if "running_var" in state:  # var + epsilon is all that batch norm ever uses
        state["running_var"] = state["running_var"] + (float(layer.config["epsilon"]) - module.eps)
    return state


_CONVERSIONS: Final[dict[type[nn.Module], tuple[str, Callable[[KerasLayer, Any], State]]]] = {
    nn.Conv2d: ("Conv2D", _convolution),
    nn.Linear: ("Dense", _dense),
    nn.BatchNorm2d: ("BatchNormalization", _batch_norm),
    nn.BatchNorm1d: ("BatchNormalization", _batch_norm),
}


def _tensors(
    layer: KerasLayer, names: dict[str, str], turn: Callable[[Tensor], Tensor] = lambda tensor: tensor
) -> State:
    """Return a layer's weights under torch's names, the kernel turned into torch's order of axes."""
    state = {}
    for name, array in layer.weights.items():
        tensor = torch.from_numpy(array)
        state[names.get(name, name)] = turn(tensor) if name == "kernel" else tensor
    return state


def _require(layer: KerasLayer, key: str, fits: bool) -> None:
    if not fits:
        raise KerasMisfitError(f"its layer {layer.name} has {key} = {layer.config[key]}")


def _check_activations(layers: Sequence[KerasLayer]) -> None:
    dense = [layer for layer in layers if layer.kind == "Dense"]
    for layer in layers:
        expected = {"Conv2D": "linear", "Activation": "relu", "Dense": "softmax" if layer is dense[-1] else "relu"}
        if layer.kind in expected:
            _require(layer, "activation", layer.config["activation"] == expected[layer.kind])


def _check_pooling(layers: Sequence[KerasLayer], net: nn.Module) -> None:
    for found, expected in zip_longest(_keras_pooling(layers), _torch_pooling(net)):
        if found != expected:
            raise KerasMisfitError(
                f"it pools by {found or 'nothing'} where the network does by {expected or 'nothing'}"
            )


def _keras_pooling(layers: Sequence[KerasLayer]) -> Iterator[str]:
    for layer in layers:
        if layer.kind in {"MaxPooling2D", "AveragePooling2D"}:
            yield _pooling(layer.kind, layer.config["pool_size"], layer.config["strides"])
        elif layer.kind == "GlobalAveragePooling2D":
            yield layer.kind


def _torch_pooling(net: nn.Module) -> Iterator[str]:
    for module in net.modules():
        if isinstance(module, nn.MaxPool2d):
            yield _pooling("MaxPooling2D", module.kernel_size, module.stride)
        elif isinstance(module, nn.AvgPool2d):
            yield _pooling("AveragePooling2D", module.kernel_size, module.stride)
    yield "GlobalAveragePooling2D"


def _pooling(kind: str, size: Any, stride: Any) -> str:
    sides = [tuple(value) if isinstance(value, (list, tuple)) else (value, value) for value in (size, stride)]
    return f"{kind} of {sides[0]} pixels every {sides[1]}"
