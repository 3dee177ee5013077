"""Which device and which number format to compute with, decided once and by what the hardware really has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

import torch

from core.errors import DeviceError, UsageError
from core.message import Message

Precision = Literal["fp32", "bf16", "fp16"]

DTYPES: Final[dict[str, torch.dtype]] = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

_DEVICE: Final = re.compile(r"cuda(?::(\d+))?")
_AMPERE: Final = (8, 0)


def resolve_device(text: str) -> torch.device:
    """Return the device meant by `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises
    ------
    DeviceError
        If there is no such device; the remedy names those that exist.
    """
    name = text.strip().lower()
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        name = "cuda" if count else "cpu"
    if name == "cpu":
        return torch.device("cpu")
    match = _DEVICE.fullmatch(name)
    if match is None:
        raise DeviceError(
            Message("There is no device '{text}'.", text=text),
            remedy=Message("Devices here: {names}.", names=", ".join(device_names())),
        )
    index = int(match[1] or 0)
    if index >= count:
        raise DeviceError(
            _why_no_cuda(text, count),
            remedy=Message("Devices here: {names}, or auto.", names=", ".join(device_names())),
        )
    return torch.device("cuda", index)


def device_names() -> tuple[str, ...]:
    """Return the devices of this machine as they can be asked for."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return ("cpu", *(f"cuda:{index}" for index in range(count)))


def _why_no_cuda(text: str, count: int) -> str:
    if count:
        return Message("There is no device '{text}': this machine has %n CUDA device(s).", text=text, n=count)
    if torch.version.cuda is None:
        return Message(
            "The device '{text}' cannot be used: the installed PyTorch is built for the CPU only.", text=text
        )
    return Message("The device '{text}' cannot be used: no CUDA GPU with a working driver was found.", text=text)


def resolve_precision(text: str, device: torch.device) -> Precision:
    """Return the number format that the network computes in.

    `auto` is bf16 where the hardware multiplies in bf16 (emulated it is several times slower than fp32), fp16 on older
    CUDA cards, fp32 elsewhere.

    Raises
    ------
    UsageError
        If fp16 is asked for on a CPU, where it is hundreds of times slower than fp32.
    """
    if text == "auto":
        return _automatic(device)
    if text == "fp16" and device.type == "cpu":
        raise UsageError(
            Message("fp16 on a CPU is hundreds of times slower than fp32."),
            remedy=Message("Use --precision auto, fp32 or bf16."),
        )
    if text not in DTYPES:
        raise UsageError(
            Message("Unknown precision '{text}'.", text=text), remedy=Message("Choose auto, fp32, bf16 or fp16.")
        )
    return text  # type: ignore[return-value]  # checked against DTYPES just above


def precision_again(recorded: Precision, device: torch.device) -> Precision:
    """Return the number format in which an image recorded in `recorded` is made again on a device.

    It is the recorded one wherever it can be asked for, bf16 in emulation too: another format gives other pixels. Only
    fp16, which `resolve_precision` refuses on a processor, becomes fp32 there.
    """
    try:
        return resolve_precision(recorded, device)
    except UsageError:
        return "fp32"


def is_emulated(precision: Precision, device: torch.device) -> bool:
    """Tell whether a device computes a number format only by emulation, several times slower than fp32."""
    return precision == "bf16" and not has_bf16(device)


def has_bf16(device: torch.device) -> bool:
    """Tell whether a device multiplies in bf16 by itself rather than by emulation."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= _AMPERE
    # ATEN_CPU_CAPABILITY can hold torch below what the processor has
    wide = torch.backends.cpu.get_cpu_capability() not in ("AVX2", "DEFAULT", "NO AVX")
    features = _cpu_features()
    return wide and any(features.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def _cpu_features() -> Mapping[str, bool]:
    if hasattr(torch.cpu, "get_capabilities"):
        return torch.cpu.get_capabilities()
    # torch 2.10, the oldest that is allowed, has only these
    return {"avx512_bf16": torch.cpu._is_avx512_bf16_supported(), "amx_bf16": torch.cpu._is_amx_tile_supported()}


def _automatic(device: torch.device) -> Precision:
    if has_bf16(device):
        return "bf16"
    return "fp16" if device.type == "cuda" else "fp32"
