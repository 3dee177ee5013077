"""Reads weights files without ever running what is inside them; every way to fail has its own typed error."""

from __future__ import annotations

import pickle
import pickletools
import re
import struct
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from core.errors import (
    ModelArchitectureError,
    ModelMissingError,
    ModelNotFiniteError,
    ModelTooLargeError,
    ModelTruncatedError,
    ModelUnsafeError,
)
from core.message import Message
from core.utils.checksum import sha256_of as sha256_of
from core.utils.keras_signature import refuse_keras

MAX_BYTES: Final = 2 * 1024**3
WRAPPERS: Final = ("model_state_dict", "state_dict", "model")

_ZIP: Final = b"PK\x03\x04"
_IMPORTING_OPCODES: Final = frozenset({"GLOBAL", "STACK_GLOBAL", "INST"})
_HARMLESS: Final = (
    "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter", "collections.OrderedDict",
    "torch.FloatStorage", "torch.HalfStorage", "torch.BFloat16Storage", "torch.LongStorage",
)  # fmt: skip
"""Names in every state dict; if torch complains about the beginning of one, the file ends in the middle of it."""

_DAMAGE: Final = (
    pickle.UnpicklingError, RuntimeError, EOFError, LookupError, ValueError, TypeError, AttributeError, AssertionError,
    OverflowError, struct.error,
)  # fmt: skip
"""What torch's reader raises for a damaged file, depending on where the damage is."""


def read_weights(path: Path, *, max_bytes: int = MAX_BYTES) -> dict[str, Tensor]:
    """Read the tensors of a `.safetensors` file or of a state dict saved by torch, on the CPU.

    A state dict may lie directly in the file or under one of `WRAPPERS`. Nothing in the file is executed.

    Parameters
    ----------
    max_bytes
        Upper limit of the file and of the tensors it describes.

    Raises
    ------
    ModelMissingError, ModelTooLargeError, ModelTruncatedError, ModelUnsafeError
        If there is no such file, it is too big, it ends early or is no weights file, or it asks for code to be run.
    ModelArchitectureError
        If it holds something else than named tensors.
    ModelNotFiniteError
        If a tensor holds NaN or infinity.
    ModelRefusedError
        If Keras saved it; the remedy is the command that imports it.
    """
    _check_size(path, max_bytes)
    try:
        refuse_keras(path)
        content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path, max_bytes)
    except OSError as error:
        raise ModelMissingError(
            Message("{path} cannot be read: {strerror}.", path=path, strerror=error.strerror),
            remedy=Message("Check the file's permissions."),
            path=path,
        ) from error
    tensors = _named_tensors(content, path)
    _check_bytes(sum(t.numel() * t.element_size() for t in tensors.values()), max_bytes, path)
    _check_finite(tensors, path)
    return tensors


def _check_size(path: Path, max_bytes: int) -> None:
    if not path.is_file():
        raise ModelMissingError(
            Message("There is no weights file {path}.", path=path),
            remedy=Message("Check the name, or download the models first."),
            path=path,
        )
    _check_bytes(path.stat().st_size, max_bytes, path)


def _check_bytes(size: int, max_bytes: int, path: Path) -> None:
    if size > max_bytes:
        raise ModelTooLargeError(
            Message(
                "{name} holds {size:.1f} GB of weights; the models read here have at most {max_bytes:.1f} GB.",
                name=path.name,
                size=size / 1e9,
                max_bytes=max_bytes / 1e9,
            ),
            remedy=Message("Check that this is the right file; it was not loaded."),
            path=path,
        )


def _read_safetensors(path: Path) -> Any:
    try:
        return load_file(path, device="cpu")
    except SafetensorError as error:
        raise _truncated(path) from error


def _read_torch(path: Path, max_bytes: int) -> Any:
    _check_zip(path, max_bytes)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return torch.load(path, map_location="cpu", weights_only=True)
    except _DAMAGE as error:
        raise _refusal(path, error) from error


def _check_zip(path: Path, max_bytes: int) -> None:
    """Refuse an archive without its end, or whose members unpack to far more than the file's own size."""
    with path.open("rb") as stream:
        begins_as_zip = stream.read(len(_ZIP)) == _ZIP
    if not begins_as_zip and not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (*_DAMAGE, zipfile.BadZipFile) as error:
        raise _truncated(path) from error
    _check_bytes(size, max_bytes, path)


def _refusal(path: Path, error: BaseException) -> ModelTruncatedError | ModelUnsafeError:
    found = re.search(r"GLOBAL (\S+)", str(error))
    name = found[1].rstrip(".") if found else ""
    if any(harmless.startswith(name) for harmless in _HARMLESS) and (name or not _asks_for_code(path)):
        return _truncated(path)
    what = f" ({name})" if name else ""
    return ModelUnsafeError(
        Message(
            "{name} asks for code to be run{what} instead of only holding weights. Nothing in it was run.",
            name=path.name,
            what=what,
        ),
        remedy=Message("Use this file only if its maker saves it again as a plain state_dict or as .safetensors."),
        path=path,
    )


def _asks_for_code(path: Path) -> bool:
    """Whether a bare pickle, in a protocol that torch does not read, names something to import."""
    try:
        with path.open("rb") as stream:
            return any(opcode.name in _IMPORTING_OPCODES for opcode, _, _ in pickletools.genops(stream))
    except (ValueError, EOFError, struct.error):
        return False


def _truncated(path: Path) -> ModelTruncatedError:
    return ModelTruncatedError(
        Message("{name} ends too early, is damaged, or is no weights file.", name=path.name),
        remedy=Message("Copy or download it again, and compare its size with the original."),
        path=path,
    )


def _named_tensors(content: Any, path: Path) -> dict[str, Tensor]:
    for key in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
            break
    if not isinstance(content, Mapping) or not content:
        raise _no_state_dict(path, Message("a {kind} instead of named tensors", kind=type(content).__name__))
    strangers = [str(key) for key, value in content.items() if not isinstance(value, Tensor)]
    if strangers:
        raise _no_state_dict(path, Message("entries that are no tensors ({names})", names=", ".join(strangers[:3])))
    return {str(key): value for key, value in content.items()}


def _no_state_dict(path: Path, found: str) -> ModelArchitectureError:
    return ModelArchitectureError(
        Message("{name} holds {found}.", name=path.name, found=found),
        remedy=Message("Save the model's state_dict(), directly or under 'model_state_dict'."),
        path=path,
    )


def _check_finite(tensors: Mapping[str, Tensor], path: Path) -> None:
    bad = [name for name, tensor in tensors.items() if not bool(torch.isfinite(tensor).all())]
    if bad:
        raise ModelNotFiniteError(
            Message(
                "{name} holds NaN or infinity in {count} of {total} tensors, first in {first}.",
                name=path.name,
                count=len(bad),
                total=len(tensors),
                first=bad[0],
            ),
            remedy=Message("The training that made it diverged; use an earlier checkpoint."),
            path=path,
        )
