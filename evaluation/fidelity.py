"""Class fidelity: whether an independent classifier predicts the target class of each image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from core.few import count_in_words
from core.jobs.stream import JobContext
from core.message import Message
from core.models.classification.learnt import digest_of, read_learnt
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
    "The predictions of a classifier that takes no part in training, selection and curation are compared with the "
    "target classes, and with its predictions on photographs that it was not trained on. High numbers show that the "
    "classes are distinguishable, not that the images are realistic."
)

Source = Literal["measured", "recorded", "unknown"]
"""Where the accuracy on photographs comes from: measured here, or from the classifier's own description."""


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
    known = not_learnt(network, real, synthetic)
    step = _steps(len(synthetic) + len(known), context or JobContext())
    generated, matrix = _accuracy(network, synthetic, side, step, by_lesion=False)
    on_real, source = _on_photographs(
        network, known, synthetic, lambda: _accuracy(network, known, side, step, by_lesion=True)[0]
    )
    level, words = _verdict(generated, on_real, source, len(synthetic.counts))
    name = f"{network.architecture.key}@{network.sha256[:8]}"
    return Finding(
        KEY,
        TITLE,
        level,
        words,
        (Paragraph(ABOUT), Figure(plots.matrix_figure(matrix, CLASS_CODES), _caption(name)), _table(matrix)),
        _data(name, generated, on_real, source, matrix),
    )


def not_learnt(network: LoadedNetwork, real: ImageSet, synthetic: ImageSet) -> ImageSet:
    """Return the photographs of the set's classes that a classifier has not learnt from; none if that is not known."""
    learnt = read_learnt(network.path)
    if learnt is None:
        return real.only([])
    rows = [
        row
        for row, image in enumerate(real.images)
        if image.code in synthetic.counts and not learnt & {digest_of(image.name), digest_of(image.path.name)}
    ]
    return real.only(rows)


def _on_photographs(
    network: LoadedNetwork, known: ImageSet, synthetic: ImageSet, measure: Callable[[], Accuracy]
) -> tuple[Accuracy | None, Source]:
    """Return what the classifier reaches on photographs of the same classes that it has not learnt from."""
    if known.counts and set(known.counts) == set(synthetic.counts):
        return measure(), "measured"
    record = None if network.record is None else network.record.validation
    if record is None or set(synthetic.counts) != set(network.classes):
        return None, "unknown"
    low, high = record.interval or (None, None)
    return Accuracy(record.balanced_accuracy, low, high, record.images), "recorded"


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


def _verdict(generated: Accuracy, real: Accuracy | None, source: Source, classes: int) -> tuple[Level, Message]:
    words = Message(

            "Target class recovered with balanced accuracy {value:.3f} (95 % CI {low:.3f} to "
            "{high:.3f}, n = {count}; chance {chance:.3f}).",
        value=generated.value, low=generated.low, high=generated.high, count=count_in_words(generated.n),
        chance=1 / classes,
    )  # fmt: skip
    if real is None:
        none = Message("There are no photographs of these classes that the classifier has certainly not learnt from.")
        return "unknown", Message("{first} {second}", first=words, second=none)
    words = Message("{first} {second}", first=words, second=_about_photographs(real, source))
    if classes == 1 or _is_chance(real, classes):
        return "unknown", words
    if _is_chance(generated, classes):
        return "bad", words
    return ("good" if generated.value >= NEAR * real.value else "doubt"), words


def _about_photographs(real: Accuracy, source: Source) -> Message:
    known = {"real": real.value, "count": count_in_words(real.n)}
    if source == "measured":
        return Message("Photographs that the classifier has not learnt from: {real:.3f} (n = {count}).", **known)
    return Message("Photographs that its maker held out, by its description: {real:.3f} (n = {count}).", **known)


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


def _data(name: str, generated: Accuracy, real: Accuracy | None, source: Source, matrix: Labels) -> dict[str, Any]:
    return {
        "evaluator": name,
        "generated": _accuracy_json(generated),
        "real": real and _accuracy_json(real),
        "real_source": source,
        "classes": list(CLASS_CODES),
        "matrix": matrix.tolist(),
    }


def _accuracy_json(found: Accuracy) -> dict[str, Any]:
    return {"balanced_accuracy": found.value, "low": found.low, "high": found.high, "n": found.n}
