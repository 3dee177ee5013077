"""`classifier.json`: what a classifier says about itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import ModelArchitectureError, ModelTruncatedError, UnknownClassError
from core.files.reading import DamagedFileError, read_json
from core.files.text import plain
from core.message import Message
from core.models.classification.architectures import ARCHITECTURES
from core.models.classification.preprocessing import Preprocessing, Triple
from core.taxonomy import parse_class

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
    """

    balanced_accuracy: float
    images: int
    split_hash: str
    strength_p5: float | None = None
    interval: tuple[float, float] | None = None


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
    )


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
