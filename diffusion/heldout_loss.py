"""Does a generator know lesions that it has not seen as well as its own? If not, it has learnt photographs by heart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from core.diffusers_parts import AutoencoderKL, FlowMatchEulerDiscreteScheduler, UNet2DModel
from diffusion.config import DiffusionConfig
from diffusion.draws import FixedDraws, ImageSet, Shown
from diffusion.evaluation import on_device
from diffusion.latent.latents import LatentSet, views_of
from diffusion.loss import diffusion_loss
from diffusion.model import NoiseSchedule
from measures.bootstrap import bootstrap_by_group
from photographs.labelled import LabelledImage
from photographs.pixels import Pixels
from training.runtime import resolve_precision

_BATCH: Final = 32

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LossGap:
    """The training loss on unseen and on seen lesions, with the same classes, timesteps and noise.

    Attributes
    ----------
    held_out, train
        Mean loss on photographs of held-out and of training lesions.
    low, high
        95 % interval of the difference, held out minus training: clearly above 0 is memorisation.
    n
        Photographs on either side.
    """

    held_out: float
    train: float
    low: float
    high: float
    n: int


def measure_loss_gap(
    net: UNet2DModel,
    scheduler: NoiseSchedule,
    labels: Mapping[str, int | None],
    train: Pixels,
    held_out: Pixels,
    gamma: float | None,
    autoencoder: AutoencoderKL | None = None,
) -> LossGap:
    """Compare the loss on held-out photographs with that on as many training photographs of the same classes.

    Parameters
    ----------
    labels
        The network's label of each class code, None for a network without labels; other classes are left out.
    gamma
        Clamp of the signal-to-noise ratio in the loss weight, as in training.
    autoencoder
        Of a network that generates latent images, on its device.
    """
    seen, unseen = matched(train.images, [image.code if image.code in labels else "" for image in held_out.images])
    losses = [
        image_losses(net, scheduler, _shown(*_chosen(part, rows, labels), autoencoder), gamma)
        for part, rows in ((train, seen), (held_out, unseen))
    ]
    difference = losses[1] - losses[0]
    lesions = [held_out.images[row].lesion_id for row in unseen]
    low, high = bootstrap_by_group(lambda rows: float(difference[rows].mean()), lesions)
    return LossGap(float(losses[1].mean()), float(losses[0].mean()), low, high, len(seen))


def matched(train: Sequence[LabelledImage], wanted: Sequence[str]) -> tuple[list[int], list[int]]:
    """Pair each wanted class code with a training image of that class, each used once, until they run out.

    Returns
    -------
    Indices into `train` and into `wanted`, of equal length.
    """
    free: defaultdict[str, list[int]] = defaultdict(list)
    for index in reversed(range(len(train))):
        free[train[index].code].append(index)
    pairs = [(free[code].pop(), position) for position, code in enumerate(wanted) if free[code]]
    return [index for index, _ in pairs], [position for _, position in pairs]


@torch.inference_mode()
def image_losses(net: UNet2DModel, scheduler: NoiseSchedule, images: Shown, gamma: float | None) -> Floats:
    """Return the loss of each photograph, (N,), at a timestep and with noise that depend on its position alone."""
    draws = FixedDraws(images, _times_of(scheduler))
    return torch.cat(list(_batch_losses(net, scheduler, draws, gamma))).double().cpu().numpy()


def _times_of(scheduler: NoiseSchedule) -> DiffusionConfig:
    """Return settings with the timesteps of a schedule: those of a rectified flow, or whole ones."""
    train = scheduler.config.num_train_timesteps
    if isinstance(scheduler, FlowMatchEulerDiscreteScheduler):
        return DiffusionConfig(train_timesteps=train, prediction_type="flow")
    return DiffusionConfig(train_timesteps=train)


def _batch_losses(
    net: UNet2DModel, scheduler: NoiseSchedule, draws: FixedDraws, gamma: float | None
) -> Iterator[torch.Tensor]:
    device = next(net.parameters()).device
    dtype = resolve_precision("auto", device)
    for batch in DataLoader(draws, batch_size=_BATCH):
        draw = on_device(batch, device)
        with torch.autocast(device.type, dtype=dtype, enabled=dtype is not None):
            yield diffusion_loss(net, scheduler, draw, gamma)


def _shown(pixels: torch.Tensor, labels: torch.Tensor, autoencoder: AutoencoderKL | None) -> Shown:
    if autoencoder is None:
        return ImageSet(pixels, labels)
    return LatentSet(views_of(autoencoder, pixels, 1), labels)


def _chosen(part: Pixels, rows: Sequence[int], labels: Mapping[str, int | None]) -> tuple[torch.Tensor, torch.Tensor]:
    pixels = torch.from_numpy(part.array[list(rows)])
    return pixels, torch.tensor([labels[part.images[row].code] or 0 for row in rows])
