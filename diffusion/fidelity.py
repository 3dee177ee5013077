"""Whether an independent classifier predicts the target class of each image."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from core.errors import InputRefusedError
from core.message import Message
from core.models.classification.loading import LoadedNetwork
from core.taxonomy import CLASS_CODES, CLASS_INDEX
from measures.bootstrap import CONFIDENCE, resampled_counts
from measures.features import Images, in_batches
from photographs.labelled import LabelledImage, labels_of, lesion_hash
from photographs.pixels import load_pixels
from photographs.splits import split_by_lesion

Labels = NDArray[np.int64]

SPLIT_SEEDS: Final = range(20)
"""Splits by lesion among which the classifier's own is looked for."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Balanced accuracy, the mean over the classes of the share that is recognised, with its 95 % interval if known."""

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, eq=False)
class Fidelity:
    """What a classifier makes of generated images.

    Attributes
    ----------
    evaluator
        Architecture and beginning of the SHA-256 of the classifier.
    generated
        Balanced accuracy on generated images, the target class being the right one.
    matrix
        Counts, (7, 7): rows are classes asked for, columns classes seen, canonical order.
    real
        The same classifier's balanced accuracy on photographs of lesions that it has not seen.
    real_source
        `measured` here, `recorded` in its own description, or `unknown`.
    """

    evaluator: str
    generated: Accuracy
    matrix: Labels
    real: Accuracy | None
    real_source: Literal["measured", "recorded", "unknown"]

    @property
    def recall(self) -> Mapping[str, float]:
        """Share of each class's images that is recognised."""
        asked = self.matrix.sum(axis=1)
        return {code: float(self.matrix[i, i] / asked[i]) for i, code in enumerate(CLASS_CODES) if asked[i]}


def measure_fidelity(
    network: LoadedNetwork, pixels: Images, labels: Labels, photographs: Sequence[LabelledImage] = ()
) -> Fidelity:
    """Classify generated images, and photographs for comparison.

    Parameters
    ----------
    labels
        Class that each image was asked for, (N,), canonical order.
    photographs
        A data set. Those of its lesions that the classifier's own split held out are classified; if its description
        names no split that is known here, its recorded accuracy is taken.

    Raises
    ------
    InputRefusedError
        If the classifier does not know a target class.
    """
    seen = predict(network, pixels, labels)
    real, source = _on_photographs(network, photographs, int(pixels.shape[-1]))
    name = f"{network.architecture.key}@{network.sha256[:8]}"
    matrix = confusion_matrix(labels, seen, labels=np.arange(len(CLASS_CODES)))
    return Fidelity(name, balanced_accuracy(labels, seen, range(len(labels))), matrix, real, source)


def predict(network: LoadedNetwork, pixels: Images, labels: Labels) -> Labels:
    """Return the class that the classifier finds most likely among the seven, (N,), canonical order."""
    known = [index for index, name in enumerate(network.classes) if name in CLASS_INDEX]
    canonical = np.array([CLASS_INDEX[network.classes[index]] for index in known], dtype=np.int64)
    if unknown := set(labels.tolist()) - set(canonical.tolist()):
        names = ", ".join(CLASS_CODES[label] for label in sorted(unknown))
        raise InputRefusedError(
            Message("The classifier {path} has no class {names}.", path=network.path, names=names),
            remedy=Message("Evaluate with a classifier of all generated classes."),
            path=network.path,
        )
    return canonical[in_batches(network.logits, pixels)[:, known].argmax(axis=1)]


def balanced_accuracy(labels: Labels, predicted: Labels, groups: Sequence[Hashable]) -> Accuracy:
    """Return the balanced accuracy with its interval by bootstrap of groups within their class."""
    right = labels == predicted
    counts = resampled_counts(groups, strata=labels.tolist())
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    value = np.mean([right[rows].mean() for rows in classes])
    draws = np.mean([counts[:, rows] @ right[rows] / counts[:, rows].sum(axis=1) for rows in classes], axis=0)
    low, high = np.percentile(draws, CONFIDENCE)
    return Accuracy(float(value), float(low), float(high), len(labels))


def _on_photographs(
    network: LoadedNetwork, photographs: Sequence[LabelledImage], size: int
) -> tuple[Accuracy | None, Literal["measured", "recorded", "unknown"]]:
    """Return the accuracy on unseen photographs, read at the generated images' size: both lose the same detail."""
    validation = None if network.record is None else network.record.validation
    if validation is None:
        return None, "unknown"
    unseen = held_out_of(validation.split_hash, photographs)
    if not unseen:
        low, high = validation.interval or (None, None)
        return Accuracy(validation.balanced_accuracy, low, high, validation.images), "recorded"
    pixels = load_pixels(unseen, size)
    labels = labels_of(pixels.images)
    lesions = [image.lesion_id for image in pixels.images]
    return balanced_accuracy(labels, predict(network, pixels.array, labels), lesions), "measured"


def held_out_of(split_hash: str, photographs: Sequence[LabelledImage]) -> tuple[LabelledImage, ...]:
    """Return the test images of the split by lesion that has a given fingerprint; none if no split tried here has."""
    if not any(image.lesion_id != image.image_id for image in photographs):
        return ()
    splits = (split_by_lesion(photographs, split_seed=seed).test for seed in SPLIT_SEEDS)
    return next((test for test in splits if lesion_hash(test) == split_hash), ())
