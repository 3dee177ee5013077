"""Models that the tests make for themselves: a UNet pack that steps in milliseconds and the predecessor's network.

Weights are random, so the pictures mean nothing; what is tested is everything around them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, Literal

import torch
from diffusers import DDPMScheduler, UNet2DModel
from safetensors.torch import save_file

from core.taxonomy import CLASS_CODES

PREDECESSOR_TENSORS: Final = 330
PREDECESSOR_PARAMETERS: Final = 25_304_963

_OLD_KEYS: Final = ((".to_q.", ".query."), (".to_k.", ".key."), (".to_v.", ".value."), (".to_out.0.", ".proj_attn."))


def tiny_net(*, image_size: int = 16, num_classes: int | None = 8, seed: int = 0) -> UNet2DModel:
    """Return a UNet of about 20,000 parameters with one attention level."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return UNet2DModel(
            sample_size=image_size,
            in_channels=3,
            out_channels=3,
            layers_per_block=1,
            block_out_channels=(8, 16),
            down_block_types=("DownBlock2D", "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", "UpBlock2D"),
            attention_head_dim=8,
            norm_num_groups=4,
            num_class_embeds=num_classes,
        ).eval()


def tiny_scheduler(prediction_type: str = "v_prediction") -> DDPMScheduler:
    """Return the cosine schedule that packs are trained with."""
    return DDPMScheduler(
        num_train_timesteps=1000,
        beta_schedule="squaredcos_cap_v2",
        prediction_type=prediction_type,
        clip_sample=True,
    )


def write_tiny_pack(
    folder: Path,
    *,
    image_size: int = 16,
    num_classes: int | None = 8,
    seed: int = 0,
    prediction_type: str = "v_prediction",
    half: bool = False,
    description: bool = True,
    guidance: float = 1.5,
) -> Path:
    """Write a model pack as `diffusers` and this program read it, and return its folder.

    Parameters
    ----------
    num_classes
        8: the seven classes and the null class; 7: no null class; None: unconditional (name the folder after a class).
    half
        Store the weights in fp16, as the starter packs do.
    description
        Write `isicgui.json`.
    """
    net = tiny_net(image_size=image_size, num_classes=num_classes, seed=seed)
    (net.half() if half else net).save_pretrained(folder)
    tiny_scheduler(prediction_type).save_pretrained(folder)
    if description and num_classes is not None:
        text = json.dumps(_description(folder.name, num_classes, guidance), indent=2)
        (folder / "isicgui.json").write_text(text, encoding="utf-8")
    return folder


def _description(name: str, num_classes: int, guidance: float) -> dict[str, Any]:
    return {
        "format": 1,
        "name": name,
        "classes": list(CLASS_CODES),
        "null_class": len(CLASS_CODES) if num_classes > len(CLASS_CODES) else None,
        "recommended": {"sampler": "dpmpp-2m-sde", "steps": 20, "guidance": guidance},
        "licence": "none",
        "version": "0",
    }


def predecessor_net(seed: int = 0) -> UNet2DModel:
    """Return the predecessor's exact architecture with random weights (25.3 M parameters, about a second)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return UNet2DModel(
            sample_size=128,
            in_channels=3,
            out_channels=3,
            layers_per_block=2,
            block_out_channels=(64, 128, 256, 256),
            down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        ).eval()


def old_attention_keys(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the same tensors under the names that older versions of diffusers gave to attention weights."""
    renamed = {}
    for key, tensor in state.items():
        for modern, old in _OLD_KEYS:
            key = key.replace(modern, old)
        renamed[key] = tensor
    return renamed


def write_tiny_checkpoint(
    folder: Path,
    class_code: str,
    seed: int = 0,
    *,
    dialect: Literal["modern", "old"] = "modern",
    container: str | None = None,
    prefix: str = "",
    suffix: Literal[".pth", ".safetensors"] = ".pth",
) -> Path:
    """Write `unet_<CLASS>_best.pth` with random weights of the predecessor's architecture (101 MB).

    Parameters
    ----------
    dialect
        `old` writes query/key/value/proj_attn for the attention weights.
    container
        Key under which the state dict is stored, such as `model_state_dict`; None stores it bare.
    prefix
        Put before every key, such as `module.`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = predecessor_net(seed).state_dict()
    state = old_attention_keys(state) if dialect == "old" else dict(state)
    state = {prefix + key: tensor for key, tensor in state.items()}
    path = folder / f"unet_{class_code}_best{suffix}"
    if suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save({container: state} if container else state, path)
    return path
