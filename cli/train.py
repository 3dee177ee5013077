"""`train autoencoder`, `train diffusion` and `train classifier`: models trained on your photographs."""

from __future__ import annotations

import click

from cli.train_autoencoder import autoencoder_command
from cli.train_check import check_command
from cli.train_classifier import classifier_command
from cli.train_diffusion import diffusion_command

EPILOG = """
\b
Examples
  python main.py train classifier --data PHOTOS --preset quick
  python main.py train autoencoder --data PHOTOS --preset quick
  python main.py train diffusion --data PHOTOS --preset quick
  python main.py train diffusion --data PHOTOS --preset gpu --device cuda --output runs/mine
  python main.py train diffusion --data PHOTOS --output runs/mine --resume

PHOTOS is a folder of class folders, HAM10000 or ISIC 2018 as they are downloaded, or a CSV with the columns
path, class and group. docs/training.md leads from there to a trained and evaluated model in the window.
"""


@click.group(epilog=EPILOG)
def train() -> None:
    """Train a generator, an autoencoder or a classifier on your own photographs."""


train.add_command(autoencoder_command)
train.add_command(diffusion_command)
train.add_command(classifier_command)
train.add_command(check_command)
