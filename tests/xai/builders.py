"""Explanations made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.taxonomy import CLASS_CODES
from xai.explanation import Classification, Explanation, GateVerdict

GREEN = GateVerdict("green")
RED = GateVerdict("red", ("The classifier's head is not trained on these classes: it is random.",))


def explanation(values=None, gate=GREEN, **fields):
    """Return an explanation of a grey 8 x 6 picture, with an even attribution unless `values` is given."""
    image = np.full((8, 6, 3), 150, np.uint8)
    attribution = np.full((8, 6, 3), 0.01, np.float32) if values is None else spread(values)
    probabilities = dict(zip(CLASS_CODES, (0.7, 0.1, 0.1, 0.04, 0.03, 0.02, 0.01), strict=True))
    logits = {code: float(np.log(p)) for code, p in probabilities.items()}
    made = Explanation(
        method="ig", target="MEL", baseline="skin", image=image, attribution=attribution, score=2.0, baseline_score=0.5,
        delta=0.001, relative_delta=0.0007, steps=32, gate=gate, classifier_sha256="ab" * 32, seconds=1.5,
        classification=Classification("MEL", probabilities, logits, gate), notes=("Explained: MEL (as given).",),
    )  # fmt: skip
    return replace(made, **fields)


def spread(values):
    """Return an attribution (H, W, 3) whose channels sum to `values` (H, W)."""
    return np.repeat(np.asarray(values, np.float32)[..., None] / 3, 3, axis=2)
