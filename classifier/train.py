"""`python -m classifier.train --data DIR --output DIR`: train a lesion classifier from scratch."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

import torch

from classifier.config import ClassifierConfig
from classifier.data import read_splits
from classifier.trainer import ClassifierTrainer
from core.training.runtime import CHECKPOINT, StopRequest, prepare_run


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(prog="python -m classifier.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run")
    parser.add_argument("--resume", action="store_true", help="continue from last.pt in the output folder")
    defaults = ClassifierConfig()
    parser.add_argument("--epochs", type=int, default=defaults.epochs)
    parser.add_argument("--max-minutes", type=float, default=None)
    parser.add_argument("--batch-size", type=int, default=defaults.batch_size)
    parser.add_argument("--learning-rate", type=float, default=defaults.learning_rate)
    parser.add_argument("--image-size", type=int, default=defaults.image_size)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--threads", type=int, default=defaults.threads)
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default=defaults.precision)
    parser.add_argument("--device", default=defaults.device)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train and leave best.pt in the output folder."""
    options = parse_arguments(arguments)
    names = {field.name for field in fields(ClassifierConfig)}
    config = ClassifierConfig(**{name: value for name, value in vars(options).items() if name in names})
    torch.set_num_threads(config.threads)
    prepare_run(options.output, asdict(config), resume=options.resume)
    train, validation, _ = read_splits(options.data, config)
    trainer = ClassifierTrainer(config, train, validation, options.output)
    if options.resume:
        trainer.resume(options.output / CHECKPOINT)
    with StopRequest().listening() as stop:
        trainer.run(stop)


if __name__ == "__main__":
    main()
