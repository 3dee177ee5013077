"""The auxiliary classifier: found, read safely, judged, and ready to be asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from core.errors import ModelArchitectureError, ModelMissingError
from core.taxonomy import CLASS_CODES
from core.utils.path_manager import PathManager
from core.utils.safe_weights import read_weights, sha256_of
from xai.architectures import ARCHITECTURES, RESNET18
from xai.classifier_record import ClassifierRecord, read_record
from xai.explanation import GateVerdict
from xai.gate import ValidationRecord, combine, judge_head, judge_record
from xai.preprocessing import LEGACY, Preprocessing
from xai.untrained import untrained_by_answers, untrained_by_weights

LEGACY_FILE: Final = "classifier.pth"
WEIGHTS_FILE: Final = "model.safetensors"
RECORD_FILE: Final = "classifier.json"
UNNAMED: Final = "unnamed"
MAX_BYTES: Final = 1 << 30

_PREFIX: Final = re.compile(r"^(?:(?:module|model)\.)+")
_HEAD: Final = ("fc.weight", "fc.bias")


@dataclass(frozen=True, eq=False)
class Classifier:
    """A network in evaluation mode with frozen weights, and what is known about it.

    Attributes
    ----------
    classes
        Name of each logit: class codes, `unnamed` for the predecessor's eighth, `output i` where nothing is known.
    provenance
        The gate's verdict on the classifier itself, whatever the image.
    sha256
        Of the weights file.
    """

    net: nn.Module
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    provenance: GateVerdict
    sha256: str
    path: Path
    device: torch.device
    validation: ValidationRecord | None = None
    temperature: float = 1.0
    index: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", {name: i for i, name in enumerate(self.classes)})

    def logits(self, pixels: Tensor) -> Tensor:
        """Return the logits (N, K) of pixels (N, 3, H, W) in 0..1, on the classifier's device."""
        logits: Tensor = self.net(self.preprocessing(pixels.to(self.device)))
        return logits


def load_classifier(path: Path | None = None, device: torch.device | None = None) -> Classifier:
    """Read a classifier and judge where it comes from.

    Parameters
    ----------
    path
        The predecessor's `classifier.pth`; a folder with `classifier.json` and `model.safetensors`, or that weights
        file; None for the starter classifier.
    device
        Where it will run; the CPU if None.

    Raises
    ------
    ModelRefusedError
        One of its kinds: missing, truncated, unsafe, too large, NaN, or tensors that do not fit the architecture.
    """
    weights, record_file = _locate(path or PathManager().starter_classifier_dir)
    record = None if record_file is None else read_record(record_file)
    tensors = _strip_prefixes(read_weights(weights, max_bytes=MAX_BYTES), weights)
    net, head_problem = _build(tensors, record, weights)
    preprocessing = LEGACY if record is None else record.preprocessing
    head_problem = head_problem or _head_problem(net, preprocessing, record)
    classes = _class_names(net, record)
    return Classifier(
        net.to(memory_format=torch.channels_last).to(device or torch.device("cpu")),
        preprocessing,
        classes,
        _provenance(classes, head_problem, record),
        sha256_of(weights),
        weights,
        device or torch.device("cpu"),
        None if record is None else record.validation,
        1.0 if record is None else record.temperature,
    )


def _locate(path: Path) -> tuple[Path, Path | None]:
    if path.is_dir():
        if (path / RECORD_FILE).is_file():
            return path / WEIGHTS_FILE, path / RECORD_FILE
        if (path / LEGACY_FILE).is_file():
            return path / LEGACY_FILE, None
        raise ModelMissingError(
            f"The folder {path} holds neither {RECORD_FILE} with {WEIGHTS_FILE} nor {LEGACY_FILE}.",
            remedy="Name the folder of a classifier, or none for the starter classifier.",
            path=path,
        )
    if not path.exists():
        raise ModelMissingError(
            f"There is no classifier at {path}.",
            remedy="Name a classifier.pth or a classifier folder, or none for the starter classifier.",
            path=path,
        )
    record = path.with_name(RECORD_FILE)
    return path, record if path.name == WEIGHTS_FILE and record.is_file() else None


def _strip_prefixes(tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    stripped = {_PREFIX.sub("", name): tensor for name, tensor in tensors.items()}
    if len(stripped) != len(tensors):
        raise _misfit(path, "the same tensor twice, with and without a prefix")
    return stripped


def _build(tensors: Mapping[str, Tensor], record: ClassifierRecord | None, path: Path) -> tuple[nn.Module, str | None]:
    """Return the network, frozen and in evaluation mode, and what is wrong with its head, if anything."""
    architecture = RESNET18 if record is None else record.architecture
    classes = _head_size(tensors, record, path)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = ARCHITECTURES[architecture](classes)
    missing, shapes = _differences(net.state_dict(), tensors)
    extra = sorted(tensors.keys() - net.state_dict().keys())
    body = [name for name in (*missing, *shapes) if name not in _HEAD]
    if body or extra:
        raise _misfit(path, _describe(body, extra), architecture)
    fitting = {name: tensor for name, tensor in tensors.items() if name not in shapes}
    net.load_state_dict(fitting, strict=False)
    absent = [*missing, *shapes]
    return net.eval().requires_grad_(False), f"the file lacks a fitting {' and '.join(absent)}" if absent else None


def _head_size(tensors: Mapping[str, Tensor], record: ClassifierRecord | None, path: Path) -> int:
    head = tensors.get("fc.weight")
    size = len(record.classes) if record is not None else len(CLASS_CODES)
    if head is None:
        return size
    if head.ndim != 2 or head.shape[0] < 2:
        raise _misfit(path, f"a head of shape {tuple(head.shape)}")
    if record is not None and head.shape[0] != size:
        raise _misfit(path, f"a head of {head.shape[0]} outputs, where {RECORD_FILE} names {size} classes")
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
        f"{path.name} does not fit the architecture {architecture}: {found}.",
        remedy="Use a torchvision ResNet-18 with a linear head `fc`, or a folder whose classifier.json names another.",
        path=path,
    )


def _head_problem(net: nn.Module, preprocessing: Preprocessing, record: ClassifierRecord | None) -> str | None:
    if record is not None and not record.trained_head:
        return f"{RECORD_FILE} says so"
    head = _head(net)
    problem = untrained_by_weights(head.weight, head.bias)
    return problem or untrained_by_answers(lambda pixels: net(preprocessing(pixels)))


def _head(net: nn.Module) -> nn.Linear:
    head = net.get_submodule("fc")
    if not isinstance(head, nn.Linear):
        raise TypeError(f"the head of an architecture must be linear, not {type(head).__name__}")
    return head


def _class_names(net: nn.Module, record: ClassifierRecord | None) -> tuple[str, ...]:
    if record is not None:
        return record.classes
    outputs = _head(net).out_features
    if outputs == len(CLASS_CODES):
        return CLASS_CODES
    if outputs == len(CLASS_CODES) + 1:
        return (*CLASS_CODES, UNNAMED)
    return tuple(f"output {index}" for index in range(outputs))


def _provenance(classes: Sequence[str], head_problem: str | None, record: ClassifierRecord | None) -> GateVerdict:
    head = judge_head(classes, head_problem)
    if head.level == "red":
        return head
    return combine(head, judge_record(None if record is None else record.validation, len(classes)))
