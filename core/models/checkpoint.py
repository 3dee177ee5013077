"""From a weights file to a network: safe reading, old names made new, and every tensor checked before it is used."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from core.diffusers_parts import ModelMixin, UNet2DModel
from core.errors import ModelArchitectureError, ModelTooLargeError, ModelTruncatedError
from core.message import Message
from core.models.prefixes import TwiceError, without_wrappers
from core.models.safe_weights import read_weights
from core.models.weights_file import MAX_BYTES, why_unusable

Net = TypeVar("Net", bound=ModelMixin)

PREDECESSOR_NET: Final[Mapping[str, Any]] = {
    "sample_size": 128,
    "in_channels": 3,
    "out_channels": 3,
    "layers_per_block": 2,
    "block_out_channels": (64, 128, 256, 256),
    "down_block_types": ("DownBlock2D", "DownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
}
"""The network of every `unet_<CLASS>_best.pth`: 330 tensors, 25,304,963 parameters."""

PREDECESSOR_SCHEDULER: Final[Mapping[str, Any]] = {
    "num_train_timesteps": 1000,
    "beta_schedule": "squaredcos_cap_v2",
    "prediction_type": "epsilon",
    "variance_type": "fixed_small",
    "clip_sample": True,
    "clip_sample_range": 1.0,
    "timestep_spacing": "leading",
    "steps_offset": 0,
}

_RENAMED: Final = (
    (re.compile(r"\.query\."), ".to_q."),
    (re.compile(r"\.key\."), ".to_k."),
    (re.compile(r"\.value\."), ".to_v."),
    (re.compile(r"\.proj_attn\."), ".to_out.0."),
)


def read_state(path: Path) -> dict[str, Tensor]:
    """Read a checkpoint's tensors on the CPU under the names that diffusers uses today.

    Raises
    ------
    ModelRefusedError
        One of its subclasses, which says what is wrong with the file and what to do.
    """
    _check_file(path)
    state = read_weights(path, max_bytes=MAX_BYTES)
    try:
        bare = without_wrappers(state)
    except TwiceError as error:
        raise ModelArchitectureError(
            Message("{path} holds {what}.", path=path, what=str(error)),
            remedy=Message("Save the weights of the network alone."),
            path=path,
        ) from error
    return {_modern_name(name): tensor for name, tensor in bare.items()}


def build_net(config: Mapping[str, Any], state: Mapping[str, Tensor], dtype: torch.dtype, path: Path) -> UNet2DModel:
    """Return the network that `config` describes with the weights of `state`, on the CPU, in evaluation mode.

    Raises
    ------
    ModelArchitectureError
        If the description is none of a UNet2DModel, or a tensor is missing, left over, or of another shape.
    """
    return fill(empty_net(UNet2DModel, config, path), state, dtype, path)


def fill(net: Net, state: Mapping[str, Tensor], dtype: torch.dtype, path: Path) -> Net:
    """Give a network without memory its weights; return it in evaluation mode.

    Raises
    ------
    ModelArchitectureError
        If a tensor is missing, left over, or of another shape.
    """
    check_fit(net.state_dict(), state, path)
    # copied even where nothing changes: tensors that stayed mapped to the file would follow what happens to it
    own = {name: tensor.to(dtype, copy=True) for name, tensor in state.items()}
    net.load_state_dict(own, strict=True, assign=True)
    return net.eval().requires_grad_(False)


def _check_file(path: Path) -> None:
    if path.is_file() and (problem := why_unusable(path)):
        kind = ModelTooLargeError if path.stat().st_size > MAX_BYTES else ModelTruncatedError
        raise kind(f"{path}: {problem}.", remedy="Copy or download it again; it was not loaded.", path=path)


def _modern_name(name: str) -> str:
    if ".attentions." in name:
        for old, modern in _RENAMED:
            name = old.sub(modern, name)
    return name


class _NoInitialisation(TorchFunctionMode):
    """Leaves parameters as they are: to initialise them on the meta device torch imports its compiler, for seconds."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the tensor as it is where `torch.nn.init` would fill it; else carry the function out."""
        if getattr(func, "__module__", "") == torch.nn.init.__name__:
            return (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


def empty_net(kind: type[Net], config: Mapping[str, Any], path: Path) -> Net:
    """Build a network of diffusers without memory, so that nothing is initialised only to be overwritten.

    Raises
    ------
    ModelArchitectureError
        If `config` describes none.
    """
    parameters = inspect.signature(kind.__init__).parameters
    known = {key: value for key, value in config.items() if key in parameters and key != "self"}
    try:
        with torch.device("meta"), _NoInitialisation():
            return kind.from_config(known)
    except (ValueError, TypeError, LookupError, AttributeError, RuntimeError, ArithmeticError, AssertionError) as error:
        raise _bad_config(path, str(error)) from error


def _bad_config(path: Path, why: str) -> ModelArchitectureError:
    return ModelArchitectureError(
        Message(
            "The config.json that belongs to {path} describes no network that can be built: {why}.", path=path, why=why
        ),
        remedy=Message("Use the config.json that was saved together with the weights."),
        path=path,
    )


def check_fit(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor], path: Path) -> None:
    """Raise ModelArchitectureError, naming the tensors, unless two states have the same names and shapes."""
    missing = sorted(wanted.keys() - found.keys())
    extra = sorted(found.keys() - wanted.keys())
    shaped = sorted(
        f"{name} {tuple(found[name].shape)} instead of {tuple(wanted[name].shape)}"
        for name in wanted.keys() & found.keys()
        if found[name].shape != wanted[name].shape or not found[name].is_floating_point()
    )
    problems = [_list_some(*part) for part in (("missing", missing), ("extra", extra), ("wrong", shaped)) if part[1]]
    if problems:
        raise ModelArchitectureError(
            Message(
                "{name} does not fit the network ({count} tensors): {names}.",
                name=path.name,
                count=len(wanted),
                names="; ".join(problems),
            ),
            remedy=Message(
                "It belongs to another architecture: use the checkpoint made for this program, or a model "
                "pack whose config.json was saved with it."
            ),
            path=path,
        )


def _list_some(what: str, names: list[str], limit: int = 3) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return f"{len(names)} {what} ({', '.join(names[:limit])}{more})"
