"""Everything that decides a classifier's training run, in one place, saved with the run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClassifierConfig:
    """Settings of one run.

    Attributes
    ----------
    image_size
        Side of the square input in pixels.
    epochs
        Passes of as many draws as there are training images.
    max_minutes
        Wall-clock limit, or None; the learning rate reaches its end at whichever limit comes first.
    test_fraction, validation_fraction
        Part of each class's lesions held out for the final report, and part of the others for selection.
    sampling_power
        0 draws all classes equally often, 1 as often as they occur.
    """

    image_size: int = 128
    epochs: int = 36
    max_minutes: float | None = None
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    sampling_power: float = 0.0
    test_fraction: float = 0.15
    validation_fraction: float = 0.12
    seed: int = 42
    threads: int = 2
    precision: str = "auto"
    device: str = "cpu"
