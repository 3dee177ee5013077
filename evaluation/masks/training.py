"""`python -m evaluation.masks.training PHOTOS MASKS OUTPUT` trains the segmenter that judges masks.

The lesions that the starter models hold out are held out here, too; the mean Dice on them goes into `segmenter.json`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from core.files.atomic import write_text_atomic
from core.files.opening import sha256_of
from evaluation.masks.overlap import dice
from evaluation.masks.segmenter import RECORD_FILE, SIDE, WEIGHTS_FILE, Segmenter, UNet
from photographs.labelled import LabelledImage
from photographs.masks import Masked, find_masks, read_mask
from photographs.pixels import load_pixels, middle_square
from photographs.sources import read_dataset
from photographs.splits import split_by_lesion
from training.runtime import cosine_rate, dihedral, set_rate

BATCH: Final = 32
PEAK: Final = 3e-3


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, measure and write a segmenter."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.masks.training", description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("masks", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    images = read_dataset(options.photos).images
    masks = find_masks((Masked(image.image_id, image.code, image.path) for image in images), options.masks)
    sys.stdout.write(f"{masks.sentence()}\n")
    masked = [image for image in images if image.image_id in masks.of]
    splits = split_by_lesion(masked)
    net = train(*_load(splits.train, masks.of), epochs=options.epochs, seed=options.seed)
    held_out = [*splits.validation, *splits.test]
    pixels, known = _load(held_out, masks.of)
    score = float(dice(Segmenter(net.eval(), 0.0, {})(pixels), known.numpy()).mean())
    _save(net, options.output, score, len(splits.train), len(held_out), options.epochs)
    sys.stdout.write(f"mean Dice on {len(held_out)} held-out photographs: {score:.4f}\n")


def train(pixels: Tensor, masks: Tensor, *, epochs: int, seed: int) -> UNet:
    """Return a network trained on uint8 pixels (N, 3, S, S) and masks (N, S, S).

    Cross-entropy plus the soft Dice loss, Adam, turned and mirrored pictures in slightly changed colours.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = UNet().train()
    optimizer, steps = torch.optim.AdamW(net.parameters(), PEAK), max(1, len(pixels) // BATCH)
    for step in range(epochs * steps):
        if step % steps == 0:
            order = torch.randperm(len(pixels), generator=generator)
        rows = order[step % steps * BATCH :][:BATCH]
        both = torch.cat([pixels[rows].float() / 255, masks[rows][:, None].float()], dim=1)
        turned = dihedral(both, generator)
        set_rate(optimizer, cosine_rate(step / (epochs * steps), PEAK))
        loss = _loss(net(_recoloured(turned[:, :3], generator)), turned[:, 3:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net


def _recoloured(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Change contrast and colour balance of each picture by up to a fifth."""
    contrast, shift = (torch.rand(len(pixels), 3, 1, 1, generator=generator) * 2 - 1 for _ in range(2))
    return ((pixels - 0.5) * (1 + 0.2 * contrast) + 0.5 + 0.1 * shift).clamp(0, 1)


def _loss(logits: Tensor, masks: Tensor) -> Tensor:
    entropy = functional.binary_cross_entropy_with_logits(logits, masks)
    chance = logits.sigmoid()
    overlap = (2 * (chance * masks).sum((1, 2, 3)) + 1) / (chance.sum((1, 2, 3)) + masks.sum((1, 2, 3)) + 1)
    return entropy + (1 - overlap).mean()


def _load(images: Sequence[LabelledImage], masks: Mapping[str, Path]) -> tuple[Tensor, Tensor]:
    loaded = load_pixels(images, SIDE)
    found = np.stack([_read(masks[image.image_id]) for image in loaded.images])
    return torch.from_numpy(loaded.array), torch.from_numpy(found)


def _read(path: Path) -> npt.NDArray[np.bool_]:
    square = middle_square(read_mask(path)).astype(np.uint8) * np.uint8(255)
    return np.asarray(Image.fromarray(square).resize((SIDE, SIDE), Image.Resampling.BILINEAR)) >= 128


def _save(net: UNet, folder: Path, score: float, train_images: int, held_out: int, epochs: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in net.state_dict().items()}, folder / WEIGHTS_FILE)
    record = {
        "format": 1,
        "side": SIDE,
        "held_out_dice": round(score, 4),
        "held_out_images": held_out,
        "train_images": train_images,
        "epochs": epochs,
        "sha256": sha256_of(folder / WEIGHTS_FILE),
        "trained_on": "HAM10000 with the masks of Tschandl et al. 2020",
        "licence": "CC BY-NC 4.0",
    }
    write_text_atomic(folder / RECORD_FILE, json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
