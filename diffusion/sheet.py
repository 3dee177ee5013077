"""`python -m diffusion.sheet PACK --output FILE`: unselected samples of a model pack, one row a class.

Uses nothing but diffusers, so that it shows the pack and not this program's own sampler.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import DDPMScheduler, DPMSolverMultistepScheduler, UNet2DModel
from PIL import Image
from torch import Tensor

from core.taxonomy import CLASSES
from core.training.runtime import resolve_precision
from diffusion.model import NULL_CLASS

CLIPPED_LAMBDA = -5.1
"""The cosine schedule's first log-SNR is minus infinity for all purposes; the solver starts where this value is."""


def build_solver(folder: Path) -> DPMSolverMultistepScheduler:
    """Return SDE-DPM-Solver++ (Lu et al., 2022) on the pack's schedule, with x0 clamped to -1..1 or its percentile."""
    return DPMSolverMultistepScheduler.from_config(
        DDPMScheduler.from_pretrained(folder).config,
        algorithm_type="sde-dpmsolver++",
        thresholding=True,
        sample_max_value=1.0,
        lambda_min_clipped=CLIPPED_LAMBDA,
    )


@torch.inference_mode()
def sample(
    net: UNet2DModel, solver: DPMSolverMultistepScheduler, labels: Tensor, steps: int, guidance: float, seed: int
) -> Tensor:
    """Return (N, 3, S, S) uint8 samples of the given labels.

    Parameters
    ----------
    guidance
        1 samples the class as learnt; above it, what sets the class apart is exaggerated (Ho & Salimans, 2022).
    """
    generator = torch.Generator().manual_seed(seed)
    size = net.config.sample_size
    images = torch.randn(len(labels), 3, size, size, generator=generator)
    dtype = resolve_precision("auto", images.device)
    solver.set_timesteps(steps)
    for timestep in solver.timesteps:
        with torch.autocast("cpu", dtype=dtype, enabled=dtype is not None):
            velocity = predict(net, images, timestep, labels, guidance)
        images = solver.step(velocity.float(), timestep, images, generator=generator).prev_sample
    return ((images + 1) * 127.5).clamp(0, 255).byte()


def predict(net: UNet2DModel, images: Tensor, timestep: Tensor, labels: Tensor, guidance: float) -> Tensor:
    """Return the network's prediction, moved away from that of no class by `guidance`."""
    with_class: Tensor = net(images, timestep, class_labels=labels).sample
    if guidance == 1:
        return with_class
    without: Tensor = net(images, timestep, class_labels=torch.full_like(labels, NULL_CLASS)).sample
    return without + guidance * (with_class - without)


def arrange(images: Tensor, columns: int) -> Image.Image:
    """Put (N, 3, S, S) uint8 images side by side, `columns` a row."""
    rows = images.unflatten(0, (-1, columns)).permute(0, 3, 1, 4, 2)
    return Image.fromarray(rows.flatten(0, 1).flatten(1, 2).contiguous().numpy())


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(prog="python -m diffusion.sheet", description=__doc__)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--output", type=Path, required=True, help="PNG file to write")
    parser.add_argument("--columns", type=int, default=8, help="samples of each class")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    net = UNet2DModel.from_pretrained(options.pack).eval()
    solver = build_solver(options.pack)
    rows = [
        sample(net, solver, torch.full((options.columns,), c), options.steps, options.guidance, options.seed + c)
        for c in range(len(CLASSES))
    ]
    arrange(torch.cat(rows), options.columns).save(options.output)


if __name__ == "__main__":
    main()
