"""The temperature is found again where it is known, and the diagram counts what a loop counts."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.scores import fit_temperature, probabilities_of, reliability, score_calibration


def drawn(logits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return labels that follow the softmax of the logits exactly."""
    return (rng.random((len(logits), 1)) > probabilities_of(logits).cumsum(1)).sum(1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_temperature_is_recovered(temperature: float):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 7)) * 2
    assert fit_temperature(logits * temperature, drawn(logits, rng)) == pytest.approx(temperature, rel=0.05)


def test_the_right_temperature_calibrates():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(20_000, 7)) * 2
    labels = drawn(logits, rng)
    errors = [
        score_calibration(probabilities_of(each), labels, np.ones((1, len(labels))))["ece"][0]
        for each in (logits, logits * 3)
    ]
    assert errors[0] < 0.02
    assert errors[1] > 0.1


def test_reliability_counts_what_a_loop_counts():
    rng = np.random.default_rng(2)
    probabilities, labels = probabilities_of(rng.normal(size=(400, 4)) * 2), rng.integers(4, size=400)
    diagram = reliability(probabilities, labels)
    assert sum(diagram.count) == 400
    for number in range(15):
        mine = [
            (p.max(), p.argmax() == label)
            for p, label in zip(probabilities, labels, strict=True)
            if number / 15 <= p.max() < (number + 1) / 15
        ]
        assert diagram.count[number] == len(mine)
        if mine:
            assert diagram.confidence[number] == pytest.approx(np.mean([c for c, _ in mine]))
            assert diagram.accuracy[number] == pytest.approx(np.mean([r for _, r in mine]))
        else:
            assert diagram.confidence[number] is diagram.accuracy[number] is None
