"""What a network answers to every held-out image, and `test_predictions.csv`, from which any score can be redone."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import nn

from classifier.data import Split
from classifier.evaluation import Answers
from classifier.scores import Floats
from core.errors import InputRefusedError
from core.files.atomic import write_text_atomic
from core.files.reading import DamagedFileError, read_input
from core.files.text import cell_text, csv_line
from core.message import Message
from core.models.classification.loading import Preprocessing

PREDICTIONS_FILE: Final = "test_predictions.csv"
_BATCH: Final = 64
_LOGIT: Final = "logit_"


@torch.inference_mode()
def logits_of(net: nn.Module, preprocessing: Preprocessing, split: Split) -> Floats:
    """Return the logits of every image, float64 (N, K), by a network in evaluation mode on whatever device."""
    device = next(net.parameters()).device
    batches = (preprocessing(batch.to(device) / 255) for batch in split.pixels.split(_BATCH))
    return torch.cat([net(batch).double().cpu() for batch in batches]).numpy()


def answer(
    net: nn.Module, preprocessing: Preprocessing, split: Split, classes: Sequence[str], temperature: float
) -> Answers:
    """Return the network's answers to a split."""
    return Answers(
        classes=tuple(classes),
        labels=split.labels.numpy().astype(np.int64),
        logits=logits_of(net, preprocessing, split),
        temperature=np.full(len(split), temperature),
        lesions=split.lesions,
        image_ids=split.image_ids,
    )


def write_predictions(path: Path, answers: Answers) -> None:
    """Write one row for each image: id, lesion, true and predicted class, temperature, probabilities and logits."""
    columns = ("image_id", "lesion_id", "class", "predicted", "temperature")
    head = [*columns, *(f"p_{code}" for code in answers.classes), *(f"{_LOGIT}{code}" for code in answers.classes)]
    write_text_atomic(path, "".join((csv_line(head), *map(csv_line, _rows(answers)))))


def _rows(answers: Answers) -> Iterator[list[object]]:
    probabilities = answers.calibrated
    for row in range(len(answers)):
        yield [
            answers.image_ids[row],
            answers.lesions[row],
            answers.classes[answers.labels[row]],
            answers.classes[probabilities[row].argmax()],
            float(answers.temperature[row]),
            *(f"{p:.6f}" for p in probabilities[row]),
            *(float(logit) for logit in answers.logits[row]),
        ]


def read_predictions(path: Path) -> Answers:
    """Read what `write_predictions` wrote.

    Raises
    ------
    InputRefusedError
        If the file is missing or is no such table.
    """
    try:
        text = read_input(path, what="a table of predictions").decode("utf-8")
        table = csv.DictReader(io.StringIO(text, newline=""))
        rows = list(table)
        classes = tuple(name.removeprefix(_LOGIT) for name in table.fieldnames or () if name.startswith(_LOGIT))
        return _answers(rows, classes)
    except (OSError, KeyError, ValueError, TypeError, csv.Error, DamagedFileError) as error:
        raise InputRefusedError(
            Message("{path} is no table of predictions: {error}.", path=path, error=str(error)[:300]),
            remedy=Message("Finish the run with --resume."),
            path=path,
        ) from error


def _answers(rows: Sequence[dict[str, str]], classes: tuple[str, ...]) -> Answers:
    if not rows or not classes:
        raise ValueError("it holds no answers")
    found = Answers(
        classes=classes,
        labels=np.array([classes.index(row["class"]) for row in rows], dtype=np.int64),
        logits=np.array([[float(row[_LOGIT + code]) for code in classes] for row in rows]).reshape(-1, len(classes)),
        temperature=np.array([float(row["temperature"]) for row in rows]),
        lesions=tuple(cell_text(row["lesion_id"]) for row in rows),
        image_ids=tuple(cell_text(row["image_id"]) for row in rows),
    )
    if not (np.isfinite(found.logits).all() and np.isfinite(found.temperature).all() and (found.temperature > 0).all()):
        raise ValueError("a logit or a temperature is no number")
    return found


def join(answers: Sequence[Answers]) -> Answers:
    """Put the answers of several networks with the same classes together.

    Raises
    ------
    ValueError
        If they differ in their classes.
    """
    if len({a.classes for a in answers}) != 1:
        raise ValueError("only classifiers of the same classes can be put together")
    return Answers(
        classes=answers[0].classes,
        labels=np.concatenate([a.labels for a in answers]),
        logits=np.concatenate([a.logits for a in answers]),
        temperature=np.concatenate([a.temperature for a in answers]),
        lesions=tuple(name for a in answers for name in a.lesions),
        image_ids=tuple(name for a in answers for name in a.image_ids),
    )
