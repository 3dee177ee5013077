"""An autoencoder's pack: the folder that diffusers itself loads, with how it was made and what it reaches."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from core.diffusers_parts import AutoencoderKL
from core.doctor import SUMS_NAME
from core.files.atomic import output_errors, write_bytes_atomic
from core.models.networks import WEIGHTS_FILE
from core.models.safe_weights import sha256_of
from diffusion.autoencoder.statistics import LatentStatistics
from diffusion.pack import TRAINING_FILE

REPORT_FILE: Final = "reconstruction.json"
CARD_FILE: Final = "README.md"


def write_autoencoder(
    net: AutoencoderKL, statistics: LatentStatistics, folder: Path, training: Mapping[str, object]
) -> None:
    """Write the pack into `folder`; every file is replaced in one move, other files (a report, a card) stay.

    Parameters
    ----------
    net
        The network to ship, usually the moving average; it is stored in fp16.
    statistics
        Become `latents_mean` and `latents_std` of `config.json`.
    training
        Content of `training.json`.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    """
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix="isicgui-pack-"
        ) as temporary:  # what a kill leaves there, the system removes
            staged = Path(temporary)
            _shipped(net, statistics).save_pretrained(staged)
            (staged / TRAINING_FILE).write_text(json.dumps(training, indent=2) + "\n", encoding="utf-8")
            for file in staged.iterdir():
                write_bytes_atomic(folder / file.name, file.read_bytes())  # safetensors' own is private to its owner
        sums = f"{sha256_of(folder / WEIGHTS_FILE)}  {WEIGHTS_FILE}\n"
        write_bytes_atomic(folder / SUMS_NAME, sums.encode())


def _shipped(net: AutoencoderKL, statistics: LatentStatistics) -> AutoencoderKL:
    shipped = copy.deepcopy(net).half()
    shipped.register_to_config(latents_mean=list(statistics.mean), latents_std=list(statistics.std))
    return shipped
