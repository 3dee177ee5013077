"""Keeps every denoising step of a batch, one compressed file per image."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.files.atomic import output_errors, write_bytes_atomic
from core.files.own import own_folder
from core.generator.sampler import StepState, to_uint8
from dataset.layout import Layout

if TYPE_CHECKING:
    from torch import Tensor


class Trajectory:
    """The steps of one batch, kept as uint8.

    Parameters
    ----------
    pictures
        What makes pictures in [-1, 1] of what is denoised.
    """

    def __init__(self, pictures: Callable[[Tensor], Tensor]) -> None:
        self._pictures = pictures
        self._noisy: list[NDArray[np.uint8]] = []
        self._predicted: list[NDArray[np.uint8]] = []
        self._timesteps: list[float] = []

    def add(self, state: StepState) -> None:
        """Keep one step."""
        self._noisy.append(to_uint8(self._pictures(state.noisy)))
        self._predicted.append(to_uint8(self._pictures(state.predicted)))
        self._timesteps.append(state.timestep)

    def save(self, position: int, layout: Layout, class_code: str, stem: str) -> Path:
        """Write the steps of the image at `position` of the batch and return the file.

        The arrays are `x_t` and `x0`, uint8 of shape (steps, H, W, 3), and `timesteps`, float32 of shape (steps,).

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            x_t=np.stack([batch[position] for batch in self._noisy]),
            x0=np.stack([batch[position] for batch in self._predicted]),
            timesteps=np.array(self._timesteps, dtype=np.float32),
        )
        path = layout.trajectory(class_code, stem)
        with output_errors(path):
            own_folder(layout.folder, path.parent)
            write_bytes_atomic(path, buffer.getvalue(), tmp_dir=layout.temporary)
        return path


def move_trajectory(path: Path, stem: str) -> None:
    """Follow an image that got another number than planned."""
    with output_errors(path):
        os.replace(path, path.with_name(f"{stem}.npz"))
