"""Everything that decides a generator's training run, in one place, saved with the run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DiffusionConfig:
    """Settings of one run.

    Attributes
    ----------
    image_size
        Side of the finished images in pixels.
    widths
        Channels of the UNet's levels, finest first; the two coarsest have self-attention.
    images
        Training images to process, repetitions included.
    max_minutes
        Wall-clock limit, or None; the learning rate reaches its end at whichever limit comes first.
    half_size_share
        Part of the budget, at the start, in which images are shown at half the side: a quarter of the cost while the
        network learns colours and shapes. The network is convolutional, so its weights carry over.
    ema_decay
        Ceiling of the moving average's decay, which warms up as (1 + k) / (10 + k).
    label_dropout
        Share of labels replaced by the null class, for classifier-free guidance.
    sampling_power
        0.5: a class is drawn in proportion to the square root of its number of images.
    min_snr_gamma
        Clamp of the signal-to-noise ratio in the loss weight.
    """

    image_size: int = 128
    widths: tuple[int, ...] = (32, 64, 96, 128, 192, 256)
    attention_head_dim: int = 64
    norm_groups: int = 32
    images: int = 100_000
    max_minutes: float | None = None
    half_size_share: float = 0.0
    batch_size: int = 16
    learning_rate: float = 4e-4
    weight_decay: float = 0.01
    gradient_clip: float = 1.0
    ema_decay: float = 0.9995
    label_dropout: float = 0.1
    sampling_power: float = 0.5
    min_snr_gamma: float = 5.0
    test_fraction: float = 0.15
    seed: int = 42
    threads: int = 2
    precision: str = "auto"
    device: str = "cpu"
    export_minutes: float = 5.0
