"""A classifier's weights and record, found and read safely into a network in evaluation mode.

`classifier.json` is what a classifier says about itself; `Preprocessing` goes from an image's own pixels to what it was
trained on, differentiably.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate

from core.errors import ModelArchitectureError, ModelMissingError, ModelTruncatedError, UnknownClassError
from core.files.reading import DamagedFileError, read_json
from core.files.text import plain
from core.message import Message
from core.models.classification.architectures import ARCHITECTURES, RESNET18, Architecture
from core.models.safe_weights import TwiceError, read_weights, sha256_of, without_wrappers
from core.taxonomy import CLASS_CODES, parse_class

Triple = tuple[float, float, float]

IMAGENET_MEAN: Final[Triple] = (0.485, 0.456, 0.406)
IMAGENET_STD: Final[Triple] = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Resize to a square, then normalise. A picture that is no square is squeezed: every pixel counts.

    Attributes
    ----------
    image_size
        Side of the square that the network sees, in pixels.
    mean, std
        Per channel, for pixels in 0..1: what is subtracted, and what the rest is divided by.
    """

    image_size: int
    mean: Triple
    std: Triple

    def __call__(self, pixels: Tensor) -> Tensor:
        """Map (N, 3, H, W) in 0..1 to the network's input (N, 3, image_size, image_size)."""
        size = (self.image_size, self.image_size)
        if pixels.shape[-2:] != size:
            pixels = interpolate(pixels, size=size, mode="bilinear", align_corners=False, antialias=True)
        return (pixels - _channels(self.mean, pixels)) / _channels(self.std, pixels)


LEGACY: Final = Preprocessing(224, IMAGENET_MEAN, IMAGENET_STD)
"""What ISICGenerator does before its `classifier.pth`."""


def _channels(values: Triple, like: Tensor) -> Tensor:
    return like.new_tensor(values).view(1, 3, 1, 1)


def to_tensor(image: NDArray[np.uint8] | NDArray[np.float32]) -> Tensor:
    """Return (H, W, 3) as a float32 tensor (1, 3, H, W); a copy; uint8 is mapped to 0..1."""
    pixels = torch.tensor(np.ascontiguousarray(image)).permute(2, 0, 1).unsqueeze(0).float()
    return pixels / 255 if image.dtype == np.uint8 else pixels


FORMAT: Final = 1
MAX_IMAGE_SIZE: Final = 1024
_LARGEST: Final = 1024**2


@dataclass(frozen=True, slots=True)
class ValidationRecord:
    """What the maker of a classifier measured on lesions that it was not trained on.

    Attributes
    ----------
    balanced_accuracy
        Mean recall over the classes, 0..1.
    images
        Number of images it was measured on.
    split_hash
        Fingerprint of the held-out lesions.
    strength_p5
        5th percentile over the validation images of |logit - logit at the skin baseline|, or None.
    interval
        95 % interval of the balanced accuracy, or None.
    chance
        Balanced accuracy of a guess among the classes that were measured; None if the record does not say it.
    """

    balanced_accuracy: float
    images: int
    split_hash: str
    strength_p5: float | None = None
    interval: tuple[float, float] | None = None
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class ClassifierRecord:
    """The content of `classifier.json`, checked.

    Attributes
    ----------
    classes
        Class code of each logit.
    temperature
        Divides the logits before the softmax, so that probabilities are calibrated.
    validation
        None if the record names no accuracy or no split that it was measured on.
    """

    architecture: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    trained_head: bool
    temperature: float
    validation: ValidationRecord | None


def read_record(path: Path) -> ClassifierRecord:
    """Read and check `classifier.json`.

    Raises
    ------
    ModelTruncatedError
        If it is no JSON object.
    ModelArchitectureError
        If a value is missing or impossible.
    """
    try:
        data: dict[str, Any] = read_json(path, dict[str, Any], what="a classifier's record", limit=_LARGEST)
    except (OSError, DamagedFileError) as error:
        raise ModelTruncatedError(
            Message("{path} cannot be read as JSON.", path=path),
            remedy=Message("Copy the classifier's folder again."),
            path=path,
        ) from error
    try:
        return _record(data)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, UnknownClassError) as error:
        raise ModelArchitectureError(
            Message(
                "{path} describes no classifier that this program knows: {error}.", path=path, error=plain(str(error))
            ),
            remedy=Message("Export the classifier again with this version of the program."),
            path=path,
        ) from error


def _record(data: Mapping[str, Any]) -> ClassifierRecord:
    if data["format"] != FORMAT:
        raise ValueError(f"format {data['format']} is unknown")
    if data["architecture"] not in ARCHITECTURES:
        raise ValueError(f"architecture {data['architecture']} is unknown")
    classes = tuple(parse_class(code) for code in data["classes"])
    if len(set(classes)) != len(classes) or len(classes) < 2:
        raise ValueError("a class is named twice, or fewer than two are")
    return ClassifierRecord(
        data["architecture"],
        classes,
        Preprocessing(_image_size(data["image_size"]), _triple(data["mean"]), _triple(data["std"], above_zero=True)),
        data.get("trained_head") is True,
        _positive(data.get("temperature") or 1.0),
        _validation(data),
    )


def _validation(data: Mapping[str, Any]) -> ValidationRecord | None:
    accuracy, images, split = (data.get(key) for key in ("val_balanced_accuracy", "val_n", "split_hash"))
    if accuracy is None or not images or not split:
        return None
    if not 0 <= float(accuracy) <= 1:
        raise ValueError(f"a balanced accuracy of {accuracy} is impossible")
    strength = data.get("strength_p5")
    low, high = data.get("val_balanced_accuracy_ci95") or (None, None)
    return ValidationRecord(
        float(accuracy),
        int(images),
        str(split),
        None if strength is None else _finite(strength),
        None if low is None or high is None else (_finite(low), _finite(high)),
        _chance(data.get("val_chance")),
    )


def _chance(value: Any) -> float | None:
    if value is not None and not 0 < float(value) <= 1:
        raise ValueError(f"a chance of {value} is impossible")
    return None if value is None else float(value)


def _image_size(value: Any) -> int:
    if not isinstance(value, int) or not 1 <= value <= MAX_IMAGE_SIZE:
        raise ValueError(f"an image size of {value} is impossible")
    return value


def _triple(values: Any, *, above_zero: bool = False) -> Triple:
    r, g, b = (_positive(value) if above_zero else float(value) for value in values)
    if not all(map(math.isfinite, (r, g, b))):
        raise ValueError("mean and std must be numbers")
    return r, g, b


def _positive(value: Any) -> float:
    if (number := _finite(value)) <= 0:
        raise ValueError(f"{value} is not above 0")
    return number


def _finite(value: Any) -> float:
    if not math.isfinite(number := float(value)):
        raise ValueError(f"{value} is no number")
    return number


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
