"""`python -m diffusion.train --data DIR --output DIR`: train a class-conditional generator from scratch."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

import torch

from core.training.runtime import CHECKPOINT, StopRequest, prepare_run
from diffusion.config import DiffusionConfig
from diffusion.data import read_pool
from diffusion.pack import PackDescription, write_pack
from diffusion.trainer import DiffusionTrainer


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(prog="python -m diffusion.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run")
    parser.add_argument("--name", default="isic7-128", help="name of the model pack")
    parser.add_argument("--resume", action="store_true", help="continue from last.pt in the output folder")
    defaults = DiffusionConfig()
    parser.add_argument("--images", type=int, default=defaults.images)
    parser.add_argument("--max-minutes", type=float, default=None)
    parser.add_argument("--half-size-share", type=float, default=defaults.half_size_share)
    parser.add_argument("--batch-size", type=int, default=defaults.batch_size)
    parser.add_argument("--learning-rate", type=float, default=defaults.learning_rate)
    parser.add_argument("--image-size", type=int, default=defaults.image_size)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--threads", type=int, default=defaults.threads)
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default=defaults.precision)
    parser.add_argument("--device", default=defaults.device)
    parser.add_argument("--export-minutes", type=float, default=defaults.export_minutes)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, and leave last.pt and a model pack in the output folder."""
    options = parse_arguments(arguments)
    names = {field.name for field in fields(DiffusionConfig)}
    config = DiffusionConfig(**{name: value for name, value in vars(options).items() if name in names})
    torch.set_num_threads(config.threads)
    prepare_run(options.output, asdict(config), resume=options.resume)
    trainer = DiffusionTrainer(config, read_pool(options.data, config), options.output)
    if options.resume:
        trainer.resume(options.output / CHECKPOINT)
    description = PackDescription(options.name)
    with StopRequest().listening() as stop:
        trainer.run(stop, lambda run: write_pack(run.ema_net(), options.output / options.name, description))


if __name__ == "__main__":
    main()
