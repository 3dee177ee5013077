"""`python -m classifier.export --data DIR --run DIR --output DIR`: ship a trained classifier with its quality.

Writes `model.safetensors` (fp16 state dict of a torchvision ResNet-18), `classifier.json` (the same description that
the weights carry in their metadata under the key `isicgui`) and `README.md`, the model card. Everything is measured
with the rounded weights that ship.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from classifier.card import write_card
from classifier.config import ClassifierConfig
from classifier.data import Split, read_extra, read_splits
from classifier.metrics import fit_temperature
from classifier.model import build_classifier, predict_logits
from classifier.report import Report, measure
from core.taxonomy import CLASS_CODES
from core.training.runtime import Checkpoint, load_checkpoint
from core.utils.atomic import write_bytes_atomic, write_text_atomic

WEIGHTS_FILE = "model.safetensors"
DESCRIPTION_FILE = "classifier.json"

Description = dict[str, object]


def half_weights(model: nn.Module) -> dict[str, Tensor]:
    """Return the state dict with floating-point tensors rounded to fp16."""
    state = model.state_dict()
    return {name: (t.half() if t.is_floating_point() else t).contiguous() for name, t in state.items()}


def load_shipped(folder: Path) -> tuple[nn.Module, Description]:
    """Load an exported classifier: the network in fp32 and evaluation mode, and its description."""
    model = build_classifier()
    model.load_state_dict(load_file(folder / WEIGHTS_FILE))
    description: Description = json.loads((folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
    return model.eval(), description


def write_classifier(model: nn.Module, folder: Path, description: Description) -> None:
    """Write weights and description; each file appears complete or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(description, indent=2) + "\n"
    data = save(half_weights(model), metadata={"format": "pt", "isicgui": json.dumps(description)})
    write_bytes_atomic(folder / WEIGHTS_FILE, data)
    write_text_atomic(folder / DESCRIPTION_FILE, text)


def describe(
    config: ClassifierConfig, state: Checkpoint, test: Split, report: Report, temperature: float
) -> Description:
    """Return the description that ships: how to feed the network and how far to believe it."""
    return {
        "format": 1,
        "architecture": "resnet18",
        "classes": list(CLASS_CODES),
        "image_size": config.image_size,
        "mean": state["mean"],
        "std": state["std"],
        "resize": "bilinear antialias",
        "split_hash": test.fingerprint,
        "val_balanced_accuracy": round(report.balanced_accuracy, 4),
        "val_n": report.images,
        "val_lesions": report.lesions,
        "val_balanced_accuracy_ci95": [round(bound, 4) for bound in report.interval],
        "temperature": round(temperature, 4),
        "trained_head": True,
        "strength_p5": None,
        "trained_on": "HAM10000 (ISIC 2018 Task 3 training images), split by lesion, from random weights",
        "licence": "CC BY-NC 4.0",
    }


def rounded(state: Checkpoint) -> nn.Module:
    """Return the checkpoint's network with its weights rounded to what ships."""
    model = build_classifier()
    model.load_state_dict(state["model"])
    model.load_state_dict(half_weights(model))
    return model.eval()


def export(data: Path, run: Path, output: Path, hardware: str) -> None:
    """Measure the best checkpoint of `run` on the lesions that it never saw, and write the shipped folder."""
    state = load_checkpoint(run / "best.pt", torch.device("cpu"))
    config = ClassifierConfig(**state["config"])
    train, validation, test = read_splits(data, config)
    extra = read_extra(data, config)
    model = rounded(state)
    logits = predict_logits(model, validation.pixels, state["mean"], state["std"])
    temperature = fit_temperature(logits.double().numpy(), validation.labels.numpy())
    report = measure(model, test, state["mean"], state["std"], temperature)
    others = measure(model, extra, state["mean"], state["std"], temperature) if extra else None
    write_classifier(model, output, describe(config, state, test, report, temperature))
    write_card(output, config, state, (train, validation), report, others, hardware)


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and export."""
    parser = argparse.ArgumentParser(prog="python -m classifier.export", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv")
    parser.add_argument("--run", type=Path, required=True, help="output folder of classifier.train")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--hardware", default=platform.processor() or platform.machine(), help="for the model card")
    options = parser.parse_args(arguments)
    export(options.data, options.run, options.output, options.hardware)


if __name__ == "__main__":
    main()
