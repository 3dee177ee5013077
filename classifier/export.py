"""The folder that ships: weights, what they are, how good they are, and on what terms.

`model.safetensors` (fp16 state dict), `classifier.json` (read by `classify`, `explain` and the window; the metadata of
the weights carry the same description under the key `isicgui`, without `strength_p5`, which is measured afterwards),
`README.md` (the model card), `SHA256SUMS` and `learned.txt` (which photographs can test it no more).
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

import reports
from classifier.card import card_of
from classifier.results import Results
from core.errors import ModelRefusedError
from core.files.atomic import write_bytes_atomic, write_text_atomic
from core.files.reading import DamagedFileError, read_json
from core.files.text import finite, finite_json
from core.models.classification.learnt import write_learnt
from core.models.classification.loading import RECORD_FILE, WEIGHTS_FILE
from core.models.safe_weights import read_weights
from reports.markdown import render_markdown

CARD_FILE = "README.md"
SUMS_FILE = "SHA256SUMS"
STRENGTH = "strength_p5"

Description = dict[str, Any]


def half_weights(net: nn.Module) -> dict[str, Tensor]:
    """Return the state dict on the CPU with floating-point tensors rounded to fp16."""
    state = net.state_dict()
    return {n: (t.half() if t.is_floating_point() else t).detach().cpu().contiguous() for n, t in state.items()}


def rounded(net: nn.Module) -> nn.Module:
    """Return a copy in evaluation mode with the weights as they ship, so that what is measured holds for those."""
    clone = copy.deepcopy(net)
    clone.load_state_dict(half_weights(net))
    return clone.eval().requires_grad_(False)


def export_classifier(folder: Path, net: nn.Module, results: Results, learnt: Iterable[str]) -> None:
    """Write the folder; each file appears complete or not at all, `classifier.json` last.

    A `strength_p5` that a `classifier.json` there already has is kept if it belongs to the same weights.

    Parameters
    ----------
    learned
        Ids of the photographs that it was trained on, or selected by.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state, description = half_weights(net), describe(results)
    strength = _strength_of(folder, state)
    data = save(state, metadata={"format": "pt", "isicgui": json.dumps(finite(description), allow_nan=False)})
    write_bytes_atomic(folder / WEIGHTS_FILE, data)
    write_learnt(folder, learnt)
    write_text_atomic(folder / SUMS_FILE, f"{hashlib.sha256(data).hexdigest()}  {WEIGHTS_FILE}\n")
    reports.write(folder / CARD_FILE, render_markdown(card_of(results)))
    write_text_atomic(folder / RECORD_FILE, finite_json({**description, STRENGTH: strength}))


def describe(results: Results) -> Description:
    """Return how to feed the network and how far to believe it.

    `val_...` is measured on lesions that served neither training nor selection, if there are any (`val_measured_on`).
    """
    headline, preprocessing = results.headline, results.preprocessing
    return {
        "format": 1,
        "architecture": results.architecture,
        "classes": list(results.classes),
        "image_size": preprocessing.image_size,
        "mean": list(preprocessing.mean),
        "std": list(preprocessing.std),
        "resize": "bilinear antialias",
        "split_hash": results.fingerprint,
        "val_balanced_accuracy": _rounded(headline.value),
        "val_balanced_accuracy_ci95": [_rounded(headline.low), _rounded(headline.high)],
        "val_chance": _rounded(results.evaluation.chance),
        "val_n": results.evaluation.images,
        "val_lesions": results.evaluation.lesions,
        "val_measured_on": results.measured_on,
        "temperature": _rounded(results.evaluation.temperature),
        "trained_head": True,
        "seed": results.seed,
        "origin": results.origin,
        "trained_on": results.about.data or "unknown data",
        "licence": results.about.licence.name,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _strength_of(folder: Path, state: dict[str, Tensor]) -> float | None:
    """Return the strength that is noted beside the same weights, if it is."""
    weights, record = folder / WEIGHTS_FILE, folder / RECORD_FILE
    if not weights.is_file() or not record.is_file():
        return None
    try:
        before = read_weights(weights)
        noted: dict[str, Any] = read_json(record, dict[str, Any], what="a classifier's record")
    except (ModelRefusedError, DamagedFileError):
        return None  # what is there is replaced
    if before.keys() != state.keys() or not all(torch.equal(before[name], state[name]) for name in state):
        return None
    strength = noted.get(STRENGTH)
    return strength if isinstance(strength, float) and math.isfinite(strength) else None
