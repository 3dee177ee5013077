"""From a weights file to a network: safe reading, old names made new, and every tensor checked before it is used.

Attention of many narrow heads is computed head by head on processors, where torch's fused kernel is slow in bf16.

Autoencoders of latent packs have one rule by which their latents are normalised: a denoiser works on
``(z - latents_mean) / latents_std``, the numbers being those of `config.json`, one for each channel; its result is
decoded as ``z * latents_std + latents_mean``. `scaling_factor` is 1 and `shift_factor` absent, so nothing else is ever
multiplied or added; an autoencoder of another habit is refused.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from core.diffusers_parts import Attention, AutoencoderKL, ModelMixin, UNet2DModel
from core.errors import ModelArchitectureError, ModelMissingError, ModelTooLargeError, ModelTruncatedError
from core.message import Message
from core.models.config_schema import why_no_autoencoder
from core.models.pack import MAX_BYTES, read_json, why_unusable
from core.models.safe_weights import TwiceError, read_weights, without_wrappers

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


NARROW: Final = 16
"""Head widths up to this are worth the loop (ISICGenerator's heads are 8 wide; see benchmarks/bench_step.py)."""


class PerHeadAttention:
    """Self-attention of a UNet2DModel, one head after the other: softmax(q k^T / sqrt(d)) v.

    Only what `UNet2DModel` builds is handled: self-attention over the pixels of one feature map. The arguments after
    the feature map are part of diffusers' protocol and always None there.
    """

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """Return the attended feature map, shape (B, C, H, W) as given."""
        pixels = hidden_states.flatten(2).transpose(1, 2)
        if attn.group_norm is not None:
            pixels = attn.group_norm(hidden_states.flatten(2)).transpose(1, 2)
        query, key, value = attn.to_q(pixels), attn.to_k(pixels), attn.to_v(pixels)
        heads = [
            _attend(q, k, v, attn.scale)
            for q, k, v in zip(*(t.chunk(attn.heads, dim=-1) for t in (query, key, value)), strict=True)
        ]
        out = attn.to_out[0](torch.cat(heads, dim=-1))
        out = out.transpose(1, 2).reshape(hidden_states.shape)
        if attn.residual_connection:
            out = out + hidden_states
        return out / attn.rescale_output_factor


def _attend(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    return torch.softmax((query * scale) @ key.transpose(-1, -2), dim=-1) @ value


def use_per_head_attention(net: UNet2DModel) -> int:
    """Give every narrow-headed attention of a network the loop, and return how many there were."""
    narrow = [m for m in net.modules() if isinstance(m, Attention) and _width(m) <= NARROW]
    for module in narrow:
        module.set_processor(PerHeadAttention())
    return len(narrow)


def _width(module: Attention) -> int:
    return module.inner_dim // module.heads


CONFIG_FILE: Final = "config.json"
WEIGHTS_FILE: Final = "diffusion_pytorch_model.safetensors"


def read_autoencoder(folder: Path, dtype: torch.dtype = torch.float32) -> AutoencoderKL:
    """Return the autoencoder in a folder that diffusers wrote, on the CPU, frozen and in evaluation mode.

    Raises
    ------
    ModelRefusedError
        One of its subclasses: there is none, its files are damaged, or it is of a kind that is not used here.
    """
    config_file, weights = folder / CONFIG_FILE, folder / WEIGHTS_FILE
    if not (config_file.is_file() and weights.is_file()):
        raise ModelMissingError(
            Message("There is no autoencoder in {folder}.", folder=folder),
            remedy=Message("Name a folder with {config} and {weights}.", config=CONFIG_FILE, weights=WEIGHTS_FILE),
            path=folder,
        )
    try:
        config = read_json(config_file)
    except ValueError as error:
        raise _refused(folder, str(error.args[0])) from error
    kind = config.get("_class_name", "AutoencoderKL")
    why = f"it is a {str(kind)[:60]}" if kind != "AutoencoderKL" else why_no_autoencoder(config)
    if why:
        raise _refused(folder, why)
    return fill(empty_net(AutoencoderKL, config, weights), read_state(weights), dtype, weights)


def normalised(net: AutoencoderKL, latents: Tensor) -> Tensor:
    """Return latents (N, C, h, w) as denoisers see them: mean 0 and deviation 1 in each channel."""
    mean, std = _statistics(net, latents)
    return (latents - mean) / std


def natural(net: AutoencoderKL, latents: Tensor) -> Tensor:
    """Undo `normalised`: what the decoder takes."""
    mean, std = _statistics(net, latents)
    return latents * std + mean


def encode(net: AutoencoderKL, pictures: Tensor) -> Tensor:
    """Return the normalised latents (N, C, h, w) of pictures (N, 3, H, W) in -1..1: the posterior's mean."""
    return normalised(net, moments_of(net, pictures).chunk(2, dim=1)[0].float())


def decode(net: AutoencoderKL, latents: Tensor) -> Tensor:
    """Return the pictures (N, 3, H, W), about -1..1, of normalised latents (N, C, h, w)."""
    return decode_natural(net, natural(net, latents))


def moments_of(net: AutoencoderKL, pictures: Tensor) -> Tensor:
    """Return the posterior's mean and log variance (N, 2 C, h, w) of pictures; not normalised."""
    moments: Tensor = net.quant_conv(net.encoder(pictures))
    return moments


def decode_natural(net: AutoencoderKL, latents: Tensor) -> Tensor:
    """Return the pictures of latents that are not normalised."""
    pictures: Tensor = net.decoder(net.post_quant_conv(latents))
    return pictures


def _statistics(net: AutoencoderKL, like: Tensor) -> tuple[Tensor, Tensor]:
    mean, std = (like.new_tensor(net.config[name]).view(1, -1, 1, 1) for name in ("latents_mean", "latents_std"))
    return mean, std


def _refused(folder: Path, why: str) -> ModelArchitectureError:
    return ModelArchitectureError(
        Message("The autoencoder in {folder} cannot be used: {why}.", folder=folder, why=why),
        remedy=Message("Use one that 'train autoencoder' wrote."),
        path=folder,
    )
