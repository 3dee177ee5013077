"""One training of one arm: so many steps, the best state chosen by the validation lesions, the test asked once."""

from __future__ import annotations

import copy
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classifier.batches import Batches, loss_weights
from classifier.config import ClassifierConfig
from classifier.data import Split, channel_statistics
from classifier.learner import Learner, begin
from classifier.model import predict_logits
from classifier.scores import epoch_metrics
from core.models.classification.loading import Triple
from core.precision import resolve_device
from core.taxonomy import CLASSES
from evaluation.utility.arms import Arm, training_rows
from evaluation.utility.data import Material, Part
from evaluation.utility.request import Training
from training.runtime import class_weights, finite
from training.settings import load_settings

Logits = NDArray[np.float32]
Statistics = tuple[Triple, Triple]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one trained classifier says.

    Attributes
    ----------
    validation, test
        Logits, (N, K).
    best_step
        Step of the state that is kept.
    score
        Its balanced accuracy on the validation lesions.
    """

    validation: Logits
    test: Logits
    best_step: int
    score: float


def config_of(training: Training, arm: Arm, seed: int, device: str) -> ClassifierConfig:
    """Return the settings of one training; raises SettingsRefusedError if they are impossible."""
    values = {
        "architecture": training.architecture,
        "image_size": training.image_size,
        "batch_size": max(2, training.batch_size),
        "learning_rate": training.learning_rate,
        "balance": arm.balance,
        "seed": seed,
        "device": device,
    }
    return load_settings(ClassifierConfig, overrides=values)


class ArmTrainer:
    """Trains the arms of one experiment.

    Parameters
    ----------
    device
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    """

    def __init__(self, material: Material, training: Training, device: str) -> None:
        self._material, self._training = material, training
        self._device_name, self._device = device, resolve_device(device)
        together = (material.train, material.synthetic)
        self._pixels = torch.cat([part.pixels for part in together])
        self._labels = torch.cat([part.labels for part in together])
        self._real = np.arange(len(material.train))
        self._synthetic = np.arange(len(material.train), len(self._labels))

    def train(self, arm: Arm, seed: int) -> Generator[int, None, Outcome]:
        """Train one classifier; yield the number of each step that is done, and return what the classifier says."""
        rows = training_rows(arm, self._real, self._synthetic, self._labels.numpy(), seed)
        config = config_of(self._training, arm, seed, self._device_name)
        chosen = torch.from_numpy(rows)
        statistics = channel_statistics(self._pixels[chosen.unique()])
        weights = loss_weights(self._labels[chosen], len(CLASSES)) if arm.balance == "weights" else None
        learner = Learner(config, begin(config, statistics), weights, self._device)
        generator = torch.Generator().manual_seed(seed)
        batches = Batches(config, self._split(), None, self._device)
        best: tuple[float, int, dict[str, Tensor]] | None = None
        for step, numbers in enumerate(self._draws(arm, chosen, generator), 1):
            learner.train()
            learner.schedule.before_step((step - 1) / self._training.steps)
            loss, _ = learner.loss(batches.make(numbers, generator))
            finite(loss, step)
            learner.step(loss)
            yield step
            if step in self._looks():
                score = self._score(learner, statistics)
                if best is None or score > best[0]:
                    best = score, step, copy.deepcopy(learner.best_net.state_dict())
        assert best is not None  # the last step is a look
        learner.best_net.load_state_dict(best[2])
        answers = [self._ask(learner, part, statistics) for part in (self._material.validation, self._material.test)]
        return Outcome(answers[0], answers[1], best[1], best[0])

    def _split(self) -> Split:
        names = tuple(map(str, range(len(self._labels))))
        return Split(self._pixels, self._labels, names, names, "")

    def _draws(self, arm: Arm, rows: Tensor, generator: torch.Generator) -> Iterator[Tensor]:
        """Yield the rows of each step: every row equally often, or every class equally often."""
        size, chances = self._training.batch_size, class_weights(self._labels[rows], len(CLASSES), power=0.0)
        waiting = rows[:0]
        for _ in range(self._training.steps):
            while len(waiting) < size:
                if arm.balance == "sampling":
                    order = torch.multinomial(chances, len(rows), replacement=True, generator=generator)
                else:
                    order = torch.randperm(len(rows), generator=generator)
                waiting = torch.cat([waiting, rows[order]])
            yield waiting[:size]
            waiting = waiting[size:]

    def _looks(self) -> set[int]:
        steps, looks = self._training.steps, self._training.looks
        return {max(1, round(steps * number / looks)) for number in range(1, looks + 1)}

    def _score(self, learner: Learner, statistics: Statistics) -> float:
        part = self._material.validation
        logits = self._ask(learner, part, statistics)
        return float(epoch_metrics(logits.astype(np.float64), part.labels.numpy())["balanced_accuracy"])

    def _ask(self, learner: Learner, part: Part, statistics: Statistics) -> Logits:
        answers: Logits = predict_logits(learner.best_net, part.pixels, *statistics, dtype=learner.dtype).numpy()
        return answers
