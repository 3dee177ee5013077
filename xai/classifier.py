"""The auxiliary classifier: found, read safely, judged, and ready to be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from core.models.classification.architectures import Architecture
from core.models.classification.loading import RECORD_FILE, LoadedNetwork, load_network
from core.models.classification.preprocessing import Preprocessing
from core.models.classification.record import ClassifierRecord, ValidationRecord
from core.utils.path_manager import PathManager
from measures.features import equal_length
from measures.reference import Reference, read_reference
from xai.explanation import GateVerdict
from xai.gate import combine, judge_head, judge_order, judge_record
from xai.untrained import untrained_by_answers, untrained_by_weights


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
    reference
        What its training images look like to it, if that was kept beside it.
    """

    net: nn.Module
    architecture: Architecture
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    provenance: GateVerdict
    sha256: str
    path: Path
    device: torch.device
    validation: ValidationRecord | None
    temperature: float
    reference: Reference | None
    index: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", {name: i for i, name in enumerate(self.classes)})

    def logits(self, pixels: Tensor) -> Tensor:
        """Return the logits (N, K) of pixels (N, 3, H, W) in 0..1, on the classifier's device."""
        logits: Tensor = self.net(self.preprocessing(pixels.to(self.device)))
        return logits

    def distance(self, pixels: Tensor) -> float | None:
        """Return how far a picture (1, 3, H, W) in 0..1 lies from the training images; None without a reference."""
        if self.reference is None:
            return None
        seen: list[Tensor] = []
        head = self.architecture.head_of(self.net)
        with torch.no_grad(), head.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0])):
            self.logits(pixels)
        features = equal_length(seen[0].flatten(1)).double().cpu().numpy()
        return float(self.reference.distances(features)[0])


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
    loaded = load_network(path or PathManager().starter_classifier_dir, device)
    return Classifier(
        loaded.net,
        loaded.architecture,
        loaded.preprocessing,
        loaded.classes,
        _provenance(loaded.classes, _head_problem(loaded), loaded.record),
        loaded.sha256,
        loaded.path,
        loaded.device,
        None if loaded.record is None else loaded.record.validation,
        1.0 if loaded.record is None else loaded.record.temperature,
        read_reference(loaded.path.parent, loaded.sha256),
    )


def _head_problem(loaded: LoadedNetwork) -> str | None:
    if loaded.head_problem is not None:
        return loaded.head_problem
    if loaded.record is not None and not loaded.record.trained_head:
        return f"{RECORD_FILE} says so"
    problem = untrained_by_weights(loaded.head.weight.cpu(), loaded.head.bias.cpu())
    return problem or untrained_by_answers(loaded.logits)


def _provenance(classes: Sequence[str], head_problem: str | None, record: ClassifierRecord | None) -> GateVerdict:
    head = judge_head(classes, head_problem)
    if head.level == "red":
        return head
    order = [judge_order(classes)] if record is None else []
    return combine(head, *order, judge_record(None if record is None else record.validation, len(classes)))
