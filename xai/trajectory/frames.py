"""The trajectory itself: what the image was at some of its denoising steps, and what it was predicted to become."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from core.errors import InputRefusedError
from core.generator.sampler import StepState
from core.jobs.stream import JobContext
from core.message import Message
from xai.trajectory.source import ImageSource


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One kept denoising step.

    Attributes
    ----------
    step
        1 to the number of steps.
    timestep
        The t that the network was asked about.
    noisy
        x_t, float32, shape (H, W, 3), around [-1, 1].
    predicted
        The predicted x0, float32, shape (H, W, 3), in [-1, 1].
    picture
        The predicted x0 as `generate` would save it, uint8, shape (H, W, 3); of the last step the saved image itself.
    """

    step: int
    timestep: float
    noisy: NDArray[np.float32] = field(repr=False)
    predicted: NDArray[np.float32] = field(repr=False)
    picture: NDArray[np.uint8] = field(repr=False)

    @property
    def name(self) -> str:
        """The timestep as it stands in file names: `980`, or `12.5` where timesteps are fractional."""
        return f"{self.timestep:g}"

    @property
    def noisy_picture(self) -> NDArray[np.uint8]:
        """x_t as a picture."""
        scaled = ((self.noisy + 1) / 2).clip(0, 1) * 255
        return scaled.astype(np.uint8)


def draw_frames(
    source: ImageSource,
    every: int,
    context: JobContext | None = None,
) -> tuple[list[Frame], tuple[float, ...]]:
    """Draw an image and keep every `every`-th step, the first and the last always.

    Parameters
    ----------
    context
        Told of every step, and asked whether to go on.

    Returns
    -------
    The frames, at least one, and the timesteps of all steps.

    Raises
    ------
    JobStopped
        As soon as that is asked for.
    InputRefusedError
        If the image comes out as NaN or infinity.
    """
    context = context or JobContext()
    frames, timesteps = [], []
    context.progress(0, source.settings.steps, unit="steps")
    with source.circumstances():
        for state in source.drawing().states():
            timesteps.append(state.timestep)
            context.progress(state.step, state.steps, unit="steps")
            if (state.step - 1) % every == 0 or state.step == state.steps:
                frames.append(_frame(state, source))
    if not np.isfinite(frames[-1].predicted).all():
        raise InputRefusedError(
            Message(
                "The image with seed {seed} contains NaN or infinity in {precision}.",
                seed=source.planned.seed,
                precision=source.model.precision,
            ),
            remedy=Message("Try --precision fp32; if that does not help, the model is damaged or trained too little."),
        )
    return frames, tuple(timesteps)


def _frame(state: StepState, source: ImageSource) -> Frame:
    shown = state.sample if state.step == state.steps else state.predicted
    noisy, predicted = (_array(source.model.pictures(tensor[:1])) for tensor in (state.noisy, state.predicted))
    return Frame(state.step, state.timestep, noisy, predicted, source.finish(shown[:1])[0])


def _array(batch: Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(batch[0].movedim(0, -1).float().cpu().numpy())


def strip(frames: list[Frame]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return x_t and the predicted pictures of all frames, uint8, shape (F, H, W, 3) each."""
    return np.stack([f.noisy_picture for f in frames]), np.stack([f.picture for f in frames])
