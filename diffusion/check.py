"""`python -m diffusion.check PACK --data DIR`: does a generator know lesions that it has not seen as well as its own?

Prints, as JSON, the training loss of the pack's weights on the training images and on as many images of held-out
lesions, with the same timesteps and noise. A held-out loss well above the other is memorisation.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import DDPMScheduler, UNet2DModel

from core.dataset.labelled import LabelledImage, hold_out_lesions, labels_of, read_labels, read_pixels
from core.training.runtime import resolve_precision
from diffusion.config import DiffusionConfig
from diffusion.loss import diffusion_loss


@torch.inference_mode()
def mean_loss(
    net: UNet2DModel, scheduler: DDPMScheduler, images: Sequence[LabelledImage], gamma: float, seed: int
) -> float:
    """Return the mean weighted loss over `images`, in batches of 32, with timesteps and noise drawn from `seed`."""
    pixels = torch.from_numpy(read_pixels(images, net.config.sample_size))
    labels = torch.from_numpy(labels_of(images))
    generator = torch.Generator().manual_seed(seed)
    dtype = resolve_precision("auto", pixels.device)
    total = 0.0
    for part, names in zip(pixels.split(32), labels.split(32), strict=True):
        with torch.autocast("cpu", dtype=dtype, enabled=dtype is not None):
            loss = diffusion_loss(net, scheduler, part.float() / 127.5 - 1, names, gamma, generator)
        total += float(loss.item()) * len(names)
    return total / len(labels)


def matched(train: Sequence[LabelledImage], held: Sequence[LabelledImage]) -> list[LabelledImage]:
    """Return training images with the class counts of `held`, the first of each class by image id."""
    wanted = [image.code for image in held]
    return [i for code in sorted(set(wanted)) for i in [t for t in train if t.code == code][: wanted.count(code)]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    config = DiffusionConfig()
    parser = argparse.ArgumentParser(prog="python -m diffusion.check", description=__doc__)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv")
    parser.add_argument("--test-fraction", type=float, default=config.test_fraction)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    images = [image for image in read_labels(options.data) if image.split != "val"]
    held, train = hold_out_lesions(images, options.test_fraction, "test")
    net, scheduler = UNet2DModel.from_pretrained(options.pack).eval(), DDPMScheduler.from_pretrained(options.pack)
    same = matched(train, held)
    held = sorted(held, key=lambda image: image.code)
    losses = [mean_loss(net, scheduler, part, config.min_snr_gamma, options.seed) for part in (held, same)]
    result = {"held_out_loss": losses[0], "training_loss": losses[1], "images": [len(held), len(same)]}
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
