"""The auxiliary classifier: found, read safely, judged, and ready to be asked.

A classification head that was never trained is recognised from its numbers and from its answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.models.classification.architectures import Architecture
from core.models.classification.loading import (
    RECORD_FILE,
    ClassifierRecord,
    LoadedNetwork,
    Preprocessing,
    ValidationRecord,
    load_network,
)
from core.utils.path_manager import PathManager
from measures.features import equal_length
from measures.reference import Reference, read_reference
from xai.explanation import GateVerdict
from xai.gate import combine, judge_head, judge_order, judge_record

ROUNDING: Final = 1.004
"""Room for weights stored as bfloat16; one optimiser step at a usual rate moves some weight much further than this."""

MAX_KS: Final = 3.0
"""Bound of sqrt(n) times the Kolmogorov-Smirnov distance: a fresh head exceeds it with probability 3e-8."""

MAX_ENTROPY: Final = 0.98
"""Mean entropy over log K on the probe pictures from which the answers are taken to be the same for everything."""

_PROBES: Final = 12
_PROBE_SIDE: Final = 96


def untrained_by_weights(weight: Tensor, bias: Tensor) -> str | None:
    """Say why a linear head looks freshly initialised, or return None.

    Fresh weights are uniform within a bound that follows from the layer's size (the defaults of torch, Glorot and He);
    training pushes some of thousands of weights over that sharp edge at once. A bias of exactly zero in every class is
    an initial value too: the gradient of a trained one is never exactly zero.

    Parameters
    ----------
    weight, bias
        Shapes (K, D) and (K,).
    """
    if bool((bias == 0).all()):
        return "the bias of every class is exactly 0, as before training"
    outputs, inputs = weight.shape
    bounds = (1 / math.sqrt(inputs), math.sqrt(6 / (inputs + outputs)), math.sqrt(6 / inputs))
    values = weight.double().flatten().numpy()
    if any(_is_uniform(values, bound) for bound in bounds):
        return "its weights are spread exactly as random initial weights are"
    return None


def _is_uniform(values: NDArray[np.float64], bound: float) -> bool:
    if np.abs(values).max() > bound * ROUNDING:
        return False
    expected = np.clip((np.sort(values) + bound) / (2 * bound), 0, 1)
    n = len(values)
    steps = np.arange(n + 1) / n
    distance = max((steps[1:] - expected).max(), (expected - steps[:-1]).max())
    return bool(distance * math.sqrt(n) < MAX_KS)


def untrained_by_answers(logits: Callable[[Tensor], Tensor]) -> str | None:
    """Say why the answers to a set of very different drawn pictures look like those of no training, or return None.

    Parameters
    ----------
    logits
        Maps pictures (N, 3, H, W) in 0..1 to (N, K).
    """
    with torch.no_grad():
        answers = logits(probe_pictures()).double().cpu()
    log_p = answers.log_softmax(1)
    entropy = float(-(log_p.exp() * log_p).sum(1).mean() / math.log(answers.shape[1]))
    if entropy > MAX_ENTROPY:
        return "it finds all classes equally likely for very different pictures"
    return None


def probe_pictures() -> Tensor:
    """Return drawn blotches on plain grounds of many colours, (12, 3, 96, 96) in 0..1, always the same ones."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1 : 1 : _PROBE_SIDE * 1j, -1 : 1 : _PROBE_SIDE * 1j]
    return torch.stack([_blotch(rng, x, y) for _ in range(_PROBES)])


def _blotch(rng: np.random.Generator, x: NDArray[np.float64], y: NDArray[np.float64]) -> Tensor:
    ground, colour = rng.uniform(0, 1, (2, 3, 1, 1))
    centre, radii = rng.uniform(-0.4, 0.4, 2), rng.uniform(0.2, 0.8, 2)
    distance = ((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2
    inside = 1 / (1 + np.exp(8 * (distance - 1)))
    picture = ground + (colour - ground) * inside + rng.normal(0, 0.05, (3, *x.shape))
    return torch.from_numpy(picture.clip(0, 1)).float()


@dataclass(frozen=True, eq=False)
class Classifier:
    """A network in evaluation mode with frozen weights, and what is known about it.

    Attributes
    ----------
    classes
        Name of each logit: class codes, `unnamed` for ISICGenerator's eighth, `output i` where nothing is known.
    provenance
        The gate's verdict on the classifier itself, whatever the image.
    sha256
        Of the weights file.
    reference
        What its training images look like to it, if that was kept next to it.
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
        ISICGenerator's `classifier.pth`; a folder with `classifier.json` and `model.safetensors`, or that weights
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
