"""A classifier's weights and record, found and read safely into a network in evaluation mode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from core.errors import ModelArchitectureError, ModelMissingError
from core.message import Message
from core.models.classification.architectures import ARCHITECTURES, RESNET18, Architecture
from core.models.classification.preprocessing import LEGACY, Preprocessing
from core.models.classification.record import ClassifierRecord, read_record
from core.models.safe_weights import TwiceError, read_weights, sha256_of, without_wrappers
from core.taxonomy import CLASS_CODES

LEGACY_FILE: Final = "classifier.pth"
WEIGHTS_FILE: Final = "model.safetensors"
RECORD_FILE: Final = "classifier.json"
UNNAMED: Final = "unnamed"
MAX_BYTES: Final = 1 << 30


@dataclass(frozen=True, eq=False)
class LoadedNetwork:
    """A network in evaluation mode with frozen weights, and the file that it came from.

    Attributes
    ----------
    classes
        Name of each logit: class codes, `unnamed` for ISICGenerator's eighth, `output i` where nothing is known.
    record
        The content of `classifier.json`; None where there is none.
    head_problem
        What the file lacks of the head, which is random then; None if the head was read.
    sha256
        Of the weights file.
    """

    net: nn.Module
    architecture: Architecture
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    record: ClassifierRecord | None
    head_problem: str | None
    sha256: str
    path: Path
    device: torch.device

    @property
    def head(self) -> nn.Linear:
        """The linear layer that gives the logits."""
        return self.architecture.head_of(self.net)

    def logits(self, pixels: Tensor) -> Tensor:
        """Return the logits (N, K) of pixels (N, 3, H, W) in 0..1, on the network's device."""
        logits: Tensor = self.net(self.preprocessing(pixels.to(self.device)))
        return logits

    def features(self, pixels: Tensor) -> Tensor:
        """Return what the linear head sees of pixels (N, 3, H, W) in 0..1: activations (N, D)."""
        seen: list[Tensor] = []
        with self.head.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0])):
            self.logits(pixels)
        return seen[0].flatten(1)


def load_network(path: Path, device: torch.device | None = None) -> LoadedNetwork:
    """Read a classifier's network.

    Parameters
    ----------
    path
        ISICGenerator's `classifier.pth`; a folder with `classifier.json` and `model.safetensors`, or that weights
        file.
    device
        Where it will run; the CPU if None.

    Raises
    ------
    ModelRefusedError
        One of its kinds: missing, truncated, unsafe, too large, NaN, or tensors that do not fit the architecture.
    """
    weights, record_file = _locate(path)
    record = None if record_file is None else read_record(record_file)
    tensors = _strip_prefixes(read_weights(weights, max_bytes=MAX_BYTES), weights)
    architecture = ARCHITECTURES[RESNET18 if record is None else record.architecture]
    net, head_problem = _build(tensors, architecture, record, weights)
    place = device or torch.device("cpu")
    return LoadedNetwork(
        net.to(memory_format=torch.channels_last).to(place),
        architecture,
        LEGACY if record is None else record.preprocessing,
        _class_names(architecture.head_of(net).out_features, record),
        record,
        head_problem,
        sha256_of(weights),
        weights,
        place,
    )


def _locate(path: Path) -> tuple[Path, Path | None]:
    if path.is_dir():
        if (path / RECORD_FILE).is_file():
            return path / WEIGHTS_FILE, path / RECORD_FILE
        if (path / LEGACY_FILE).is_file():
            return path / LEGACY_FILE, None
        raise ModelMissingError(
            Message(
                "The folder {path} holds neither {record_file} with {weights_file} nor {legacy_file}.",
                path=path,
                record_file=RECORD_FILE,
                weights_file=WEIGHTS_FILE,
                legacy_file=LEGACY_FILE,
            ),
            remedy=Message("Name the folder of a classifier, or none for the starter classifier."),
            path=path,
        )
    if not path.exists():
        raise ModelMissingError(
            Message("There is no classifier at {path}.", path=path),
            remedy=Message("Name a classifier.pth or a classifier folder, or none for the starter classifier."),
            path=path,
        )
    record = path.with_name(RECORD_FILE)
    return path, record if path.name == WEIGHTS_FILE and record.is_file() else None


def _strip_prefixes(tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    try:
        return without_wrappers(tensors)
    except TwiceError as error:
        raise _misfit(path, str(error)) from error


def _build(
    tensors: Mapping[str, Tensor], architecture: Architecture, record: ClassifierRecord | None, path: Path
) -> tuple[nn.Module, str | None]:
    """Return the network, frozen and in evaluation mode, and what the file lacks of its head, if anything."""
    weight, bias = (f"{architecture.head}.{name}" for name in ("weight", "bias"))
    classes = _head_size(tensors.get(weight), record, path, architecture.key)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = architecture.build(classes)
    missing, shapes = _differences(net.state_dict(), tensors)
    extra = sorted(tensors.keys() - net.state_dict().keys())
    body = [name for name in (*missing, *shapes) if name not in (weight, bias)]
    if body or extra:
        raise _misfit(path, _describe(body, extra), architecture.key)
    fitting = {name: tensor for name, tensor in tensors.items() if name not in shapes}
    net.load_state_dict(fitting, strict=False)
    absent = [*missing, *shapes]
    return net.eval().requires_grad_(False), f"the file lacks a fitting {' and '.join(absent)}" if absent else None


def _head_size(head: Tensor | None, record: ClassifierRecord | None, path: Path, architecture: str) -> int:
    size = len(record.classes) if record is not None else len(CLASS_CODES)
    if head is None:
        return size
    if head.ndim != 2 or head.shape[0] < 2:
        raise _misfit(path, f"a head of shape {tuple(head.shape)}", architecture)
    if record is not None and head.shape[0] != size:
        found = f"a head of {head.shape[0]} outputs, where {RECORD_FILE} names {size} classes"
        raise _misfit(path, found, architecture)
    return int(head.shape[0])


def _differences(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> tuple[list[str], list[str]]:
    # Batch norm's counter is absent from old files and does nothing in evaluation mode.
    missing = [n for n in expected if n not in found and not n.endswith("num_batches_tracked")]
    return missing, [n for n, tensor in expected.items() if n in found and found[n].shape != tensor.shape]


def _describe(body: Sequence[str], extra: Sequence[str]) -> str:
    parts = []
    if body:
        parts.append(f"{len(body)} missing or differently shaped tensors (first {body[0]})")
    if extra:
        parts.append(f"{len(extra)} unknown tensors (first {extra[0]})")
    return " and ".join(parts)


def _misfit(path: Path, found: str, architecture: str = RESNET18) -> ModelArchitectureError:
    return ModelArchitectureError(
        Message(
            "{name} does not fit the architecture {architecture}: {found}.",
            name=path.name,
            architecture=architecture,
            found=found,
        ),
        remedy=Message(
            "Use a torchvision ResNet-18 with a linear head `fc`, or a folder whose classifier.json names another."
        ),
        path=path,
    )


def _class_names(outputs: int, record: ClassifierRecord | None) -> tuple[str, ...]:
    if record is not None:
        return record.classes
    if outputs == len(CLASS_CODES):
        return CLASS_CODES
    if outputs == len(CLASS_CODES) + 1:
        return (*CLASS_CODES, UNNAMED)
    return tuple(f"output {index}" for index in range(outputs))
