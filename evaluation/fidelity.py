"""Class fidelity: whether an independent classifier predicts the target class of each image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from core.jobs.stream import JobContext
from core.message import Message
from core.models.classification.loading import LoadedNetwork
from core.taxonomy import CLASS_CODES
from diffusion.fidelity import Accuracy, balanced_accuracy, predict
from evaluation import plots
from evaluation.finding import Finding
from evaluation.sets import NO_CLASS, ImageSet
from reports.model import Figure, Level, Paragraph, Table

Labels = NDArray[np.int64]

KEY: Final = "fidelity"
TITLE: Final = Message("Class fidelity")
NEAR: Final = 0.8
"""Share of the balanced accuracy on real photographs from which the fidelity counts as good."""

PART: Final = 64
"""Images between two looks at whether to stop."""

ABOUT: Final = (
    "The predictions of the independent classifier are compared with the target classes, and with its predictions on "
    "real photographs. High numbers show that the classes are distinguishable, not that the images are realistic; on "
    "photographs that the classifier was trained on its accuracy is inflated."
)


def fidelity_section(
    network: LoadedNetwork | None,
    synthetic: ImageSet,
    real: ImageSet,
    side: int,
    context: JobContext | None = None,
) -> Finding:
    """Classify both sets at the same size; a set without classes, or no classifier, gives an unknown verdict.

    Parameters
    ----------
    context
        Told how many images are classified, and of how many.
    """
    if network is None:
        return _unknown(Message("There is no classifier."))
    if not synthetic.counts:
        return _unknown(Message("Class fidelity needs a target class for each image."))
    known = real.only([row for row, image in enumerate(real.images) if image.code in synthetic.counts])
    step = _steps(len(synthetic) + len(known), context or JobContext())
    generated, matrix = _accuracy(network, synthetic, side, step, by_lesion=False)
    on_real = _accuracy(network, known, side, step, by_lesion=True)[0] if len(known) else None
    level, words = _verdict(generated, on_real, len(synthetic.counts))
    name = f"{network.architecture.key}@{network.sha256[:8]}"
    return Finding(
        KEY,
        TITLE,
        level,
        words,
        (Paragraph(ABOUT), Figure(plots.matrix_figure(matrix, CLASS_CODES), _caption(name)), _table(matrix)),
        _data(name, generated, on_real, matrix),
    )


def _unknown(words: Message) -> Finding:
    return Finding(KEY, TITLE, "unknown", words)


def _steps(total: int, context: JobContext) -> Callable[[int], None]:
    done = 0

    def step(count: int) -> None:
        nonlocal done
        done += count
        context.progress(done, total, unit="images")

    return step


def _accuracy(
    network: LoadedNetwork, images: ImageSet, side: int, step: Callable[[int], None], *, by_lesion: bool
) -> tuple[Accuracy, Labels]:
    rows = [row for row, label in enumerate(images.labels.tolist()) if label != NO_CLASS]
    some = images.only(rows)
    labels = some.labels
    answers = []
    for block in some.blocks(side):
        for start in range(0, len(block), PART):
            part = block[start : start + PART]
            answers.append(predict(network, part, labels))
            step(len(part))
    seen = np.concatenate(answers)
    groups = some.lesions if by_lesion else [image.name for image in some.images]
    matrix = confusion_matrix(labels, seen, labels=np.arange(len(CLASS_CODES)))
    return balanced_accuracy(labels, seen, groups), matrix


def _verdict(generated: Accuracy, real: Accuracy | None, classes: int) -> tuple[Level, Message]:
    words = Message(

            "Target class recovered with balanced accuracy {value:.3f} (95 % CI {low:.3f} to "
            "{high:.3f}, n = {n}; chance {chance:.3f}).",
        value=generated.value, low=generated.low, high=generated.high, n=generated.n, chance=1 / classes,
    )  # fmt: skip
    if real is not None:
        beside = Message("{first} Real photographs: {real:.3f}.", first=words, real=real.value)
        words = beside
    if classes == 1 or real is None or _is_chance(real, classes):
        return "unknown", words
    if _is_chance(generated, classes):
        return "bad", words
    return ("good" if generated.value >= NEAR * real.value else "doubt"), words


def _is_chance(found: Accuracy, classes: int) -> bool:
    return found.low is not None and found.low <= 1 / classes


def _table(matrix: Labels) -> Table:
    asked = matrix.sum(axis=1)
    rows = [
        (code, str(asked[i]), f"{matrix[i, i] / asked[i]:.2f}", CLASS_CODES[int(matrix[i].argmax())])
        for i, code in enumerate(CLASS_CODES)
        if asked[i]
    ]
    return Table(
        ("target class", "n", "recall", "most frequent prediction"),
        rows,
        "Recall of each class",
        words=frozenset({0, 3}),
        folded=True,
    )


def _caption(name: str) -> str:
    return f"Target classes and classes predicted by {name}; numbers of images"


def _data(name: str, generated: Accuracy, real: Accuracy | None, matrix: Labels) -> dict[str, Any]:
    return {
        "evaluator": name,
        "generated": _accuracy_json(generated),
        "real": real and _accuracy_json(real),
        "classes": list(CLASS_CODES),
        "matrix": matrix.tolist(),
    }


def _accuracy_json(found: Accuracy) -> dict[str, Any]:
    return {"balanced_accuracy": found.value, "low": found.low, "high": found.high, "n": found.n}
