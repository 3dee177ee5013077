"""Reads weights files without ever running what is inside them; every way to fail has its own typed error.

Keras files are recognised by their first bytes, so that their owner hears what to do with them. Names of tensors are
handed on without what wrappers put before them: parallel training, compilation, averages, whole pipelines.
"""

from __future__ import annotations

import math
import os
import pickle
import pickletools
import re
import struct
import warnings
import zipfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import torch
from pydantic import Field
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from core.errors import (
    ModelArchitectureError,
    ModelMissingError,
    ModelNotFiniteError,
    ModelRefusedError,
    ModelTooLargeError,
    ModelTruncatedError,
    ModelUnsafeError,
)
from core.files.opening import NotRegularFileError, open_regular
from core.files.opening import sha256_of as sha256_of
from core.files.reading import DamagedFileError, Schema, check_object, parse_json
from core.message import Message
from core.models.pickle_limits import AbsurdPickleError, check_pickles

MAX_BYTES: Final = 2 * 1024**3
WRAPPERS: Final = ("model_state_dict", "state_dict", "model")

MAX_HEADER_BYTES: Final = 8 * 1024**2
"""Of a safetensors file: what 80,000 tensors are described in."""

MAX_DIMENSIONS: Final = 8

_ZIP: Final = b"PK\x03\x04"
_SHOWN_NAME: Final = 80
_LENGTH: Final = struct.Struct("<Q")
_DTYPES: Final = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
_STORED: Final = ("F32", "F16", "BF16", "F64", "I64")
"""What a safetensors file calls them, and the counters of batch norm."""

_SAFE_TORCH: Final = (2, 10)
"""Before this version the safe reader itself could be made to corrupt memory (CVE-2026-24747)."""

_IMPORTING_OPCODES: Final = frozenset({"GLOBAL", "STACK_GLOBAL", "INST"})
_HARMLESS: Final = (
    "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter", "collections.OrderedDict",
    "torch.FloatStorage", "torch.HalfStorage", "torch.BFloat16Storage", "torch.LongStorage",
)  # fmt: skip
"""Names in every state dict; if torch complains about the beginning of one, the file ends in the middle of it."""

_DAMAGE: Final = (
    pickle.UnpicklingError, RuntimeError, EOFError, LookupError, ValueError, TypeError, AttributeError, AssertionError,
    OverflowError, MemoryError, struct.error,
)  # fmt: skip
"""What torch's reader raises for a damaged file, depending on where the damage is."""


class _Entry(Schema):
    """What the header of a safetensors file says of one tensor, as far as the library does not check it itself."""

    dtype: Annotated[str, Field(max_length=16)]
    shape: Annotated[list[int], Field(max_length=MAX_DIMENSIONS)]


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
        If it holds something else than named tensors of floating-point numbers.
    ModelNotFiniteError
        If a tensor holds NaN or infinity.
    ModelRefusedError
        If Keras saved it; the remedy is the command that imports it.
    """
    _check_size(path, max_bytes)
    try:
        refuse_keras(path)
        content = _read_safetensors(path) if path.suffix == ".safetensors" else read_pickled(path, max_bytes=max_bytes)
    except OSError as error:
        raise _unreadable(path, error) from error
    tensors = _named_tensors(content, path)
    _check_bytes(sum(t.numel() * t.element_size() for t in tensors.values()), max_bytes, path)
    _check_kinds(tensors, path)
    _check_finite(tensors, path)
    return tensors


def read_pickled(path: Path, *, max_bytes: int = MAX_BYTES, device: torch.device | str = "cpu") -> Any:
    """Return what `torch.save` wrote, tensors and plain values only; nothing in the file is executed.

    Raises
    ------
    ModelTooLargeError, ModelTruncatedError, ModelUnsafeError
        If it would unpack to more than `max_bytes`, is damaged or absurd, or asks for code to be run.
    OSError
        If it cannot be read.
    """
    _require_safe_torch(path)
    _check_zip(path, max_bytes)
    try:
        check_pickles(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return torch.load(path, map_location=device, weights_only=True)
    except AbsurdPickleError as error:
        raise _damaged(path, error.why) from error
    except _DAMAGE as error:
        raise _refusal(path, error) from error


def _require_safe_torch(path: Path) -> None:
    if tuple(int(part) for part in re.findall(r"\d+", torch.__version__)[:2]) < _SAFE_TORCH:
        raise ModelRefusedError(
            Message(
                "{name} is not opened: PyTorch {version} can be attacked through such files.",
                name=path.name,
                version=torch.__version__,
            ),
            remedy=Message("Update PyTorch to 2.10 or newer, or use a .safetensors file."),
            path=path,
        )


def _check_size(path: Path, max_bytes: int) -> None:
    try:
        with open_regular(path) as stream:
            size = os.fstat(stream.fileno()).st_size
    except (FileNotFoundError, NotRegularFileError, ValueError) as error:  # ValueError: a path with a zero byte
        raise ModelMissingError(
            Message("There is no weights file {path}.", path=path),
            remedy=Message("Check the name, or download the models first."),
            path=path,
        ) from error
    except OSError as error:
        raise _unreadable(path, error) from error
    _check_bytes(size, max_bytes, path)


def _unreadable(path: Path, error: OSError) -> ModelMissingError:
    return ModelMissingError(
        Message("{path} cannot be read: {strerror}.", path=path, strerror=error.strerror),
        remedy=Message("Check the file's permissions."),
        path=path,
    )


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


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        _check_header(path)
        tensors: dict[str, Tensor] = load_file(path, device="cpu")
    except DamagedFileError as error:
        raise _damaged(path, error.message.rstrip(".")) from error
    except (SafetensorError, *_DAMAGE) as error:
        raise _truncated(path) from error
    return tensors


def _check_header(path: Path) -> None:
    """Check what would keep the library busy for long; offsets and sizes it checks itself."""
    with path.open("rb") as stream:
        beginning = stream.read(_LENGTH.size)
        if len(beginning) < _LENGTH.size or (length := _LENGTH.unpack(beginning)[0]) > MAX_HEADER_BYTES:
            raise _truncated(path)
        header: dict[str, Any] = parse_json(stream.read(length), dict[str, Any], what="a safetensors header")
    header.pop("__metadata__", None)
    entries: dict[str, _Entry] = check_object(header, dict[str, _Entry], what="a safetensors header")
    odd = [(name, entry.dtype) for name, entry in entries.items() if entry.dtype not in _STORED]
    if odd:
        raise _odd_tensors(path, odd)


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


def _damaged(path: Path, why: str) -> ModelTruncatedError:
    return ModelTruncatedError(
        Message("{name} is damaged, or no weights file: {why}.", name=path.name, why=why),
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
    strangers = [key for key, value in content.items() if not isinstance(key, str) or not isinstance(value, Tensor)]
    if strangers:
        names = ", ".join(_shown(key) for key in strangers[:3])
        raise _no_state_dict(path, Message("entries that are no tensors ({names})", names=names))
    return dict(content)


def _shown(name: object) -> str:
    """Return a name from a file as it may stand in a sentence: not too long, and printable."""
    text = name if isinstance(name, str) else f"a {type(name).__name__}"
    short = text if len(text) <= _SHOWN_NAME else text[:_SHOWN_NAME] + "..."
    return short if short.isprintable() else ascii(short)[1:-1]


def _check_kinds(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Refuse what no network here computes with: sparse, quantised, absent or stretched numbers, integers, others."""
    odd = [(name, kind) for name, tensor in tensors.items() if (kind := _odd_kind(tensor))]
    if odd:
        raise _odd_tensors(path, odd)


def _odd_tensors(path: Path, odd: Sequence[tuple[str, str]]) -> ModelArchitectureError:
    return ModelArchitectureError(
        Message(
            "{name} holds tensors that are no ordinary weights: {names}.",
            name=path.name,
            names=", ".join(f"{_shown(name)} ({kind})" for name, kind in odd[:3]) + (", ..." if odd[3:] else ""),
        ),
        remedy=Message("Save the weights as dense tensors of 16-bit or 32-bit floating-point numbers."),
        path=path,
    )


def is_dense(tensor: Tensor) -> bool:
    """Whether a tensor has its numbers, each in its place: it is not sparse, quantised or without content."""
    return tensor.device.type != "meta" and tensor.layout == torch.strided and not tensor.is_quantized


def _odd_kind(tensor: Tensor) -> str:
    """Return what is odd about a tensor as torch calls it; "" if nothing is. A single whole number is a counter."""
    if not is_dense(tensor):
        return f"{tensor.device.type}, {tensor.layout}, {tensor.dtype}".replace("torch.", "")
    if tensor.dim() > MAX_DIMENSIONS:
        return f"{tensor.dim()} dimensions"
    if tensor.dtype not in _DTYPES and not (tensor.dtype == torch.int64 and tensor.numel() == 1):
        return str(tensor.dtype).removeprefix("torch.")
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        return f"{tensor.numel()} numbers in {tensor.untyped_storage().nbytes()} bytes"
    return ""


def _no_state_dict(path: Path, found: str) -> ModelArchitectureError:
    return ModelArchitectureError(
        Message("{name} holds {found}.", name=path.name, found=found),
        remedy=Message("Save the model's state_dict(), directly or under 'model_state_dict'."),
        path=path,
    )


def _check_finite(tensors: Mapping[str, Tensor], path: Path) -> None:
    bad = [name for name, tensor in tensors.items() if not _is_finite(tensor)]
    if bad:
        raise ModelNotFiniteError(
            Message(
                "{name} holds NaN or infinity in {count} of {total} tensors, first in {first}.",
                name=path.name,
                count=len(bad),
                total=len(tensors),
                first=_shown(bad[0]),
            ),
            remedy=Message("The training that made it diverged; use an earlier checkpoint."),
            path=path,
        )


def _is_finite(tensor: Tensor) -> bool:
    # Thirty times as fast as `isfinite`, which makes a tensor of answers; NaN comes through as NaN.
    return not tensor.numel() or all(math.isfinite(value.item()) for value in torch.aminmax(tensor))


_HDF5: Final = b"\x89HDF\r\n\x1a\n"
_KERAS_MEMBER: Final = "model.weights.h5"


def refuse_keras(path: Path) -> None:
    """Refuse a file that Keras saved.

    Raises
    ------
    ModelRefusedError
        If it is one; the remedy is the command that imports it.
    """
    with path.open("rb") as stream:
        beginning = stream.read(len(_HDF5))
    if beginning == _HDF5:
        raise ModelRefusedError(
            Message(
                "{name} is an HDF5 file, as Keras saves them; classifiers are read here as PyTorch weights.",
                name=path.name,
            ),
            remedy=Message('Import it once with: python main.py models import "{path}" --output FOLDER', path=path),
            path=path,
        )
    if beginning.startswith(_ZIP) and _is_keras_archive(path):
        raise ModelRefusedError(
            Message("{name} is a Keras archive; classifiers are read here as PyTorch weights.", name=path.name),
            remedy=Message(
                "Save it in Keras with model.save('model.h5'), then: python main.py models import model.h5 "
                "--output FOLDER"
            ),
            path=path,
        )


def _is_keras_archive(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return _KERAS_MEMBER in archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


_WRAPPERS: Final = ("module", "_orig_mod", "ema_model", "ema", "unet", "model", "net", "online_model")
_PREFIX: Final = re.compile(rf"^(?:(?:{'|'.join(_WRAPPERS)})\.)+")
_AVERAGED: Final = re.compile(r"^(?:\w+\.)*?ema(?:_model)?\.")

T = TypeVar("T")


class TwiceError(ValueError):
    """One tensor stands in a file under several prefixes, and it is not clear which one is meant."""


def without_wrappers(tensors: Mapping[str, T], own: Collection[str] = ()) -> dict[str, T]:
    """Return tensors under their own names, whatever prefixes wrappers have put before them, in any order.

    Where a file holds a network and its average (`online_model.`, `ema_model.`), the average is meant.

    Parameters
    ----------
    own
        Beginnings of names that belong to the network itself although they look like a wrapper's.

    Raises
    ------
    TwiceError
        If a tensor stands in the file twice.
    """
    averaged = {name: value for name, value in tensors.items() if _AVERAGED.match(name)}
    rest = {_bare(name, own) for name in tensors.keys() - averaged.keys()}
    chosen = averaged if averaged and {_bare(name, own) for name in averaged} & rest else tensors
    found = {_bare(name, own): value for name, value in chosen.items()}
    if len(found) != len(chosen):
        raise TwiceError("the same tensor twice, with and without a prefix")
    return found


def _bare(name: str, own: Collection[str]) -> str:
    return name if any(name.startswith(begin) for begin in own) else _PREFIX.sub("", name)
