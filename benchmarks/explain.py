"""Times the explanation of an image by each method: `python -m benchmarks.explain [--images N] [--methods ig,shapley]`.

Last measured 2026-11-28 with the starter classifier and drawn lesions, on 2 quiet cores of an AMD EPYC, torch 2.14:
Integrated Gradients median 0.94 s an image (0.32 to 4.42, n = 5; 32 to 256 steps; 1.88 s of processor time); exact
Shapley values of 12 superpixels (`--players 14`, all 4,096 coalitions) median 14.79 s (14.38 to 14.93, n = 3; 29.3 s
of processor time).
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from xai.explain import explain_image, get_classifier
from xai.explanation import ExplainOptions, Explanation
from xai.methods import METHODS


def drawn_lesion(side: int, seed: int) -> np.ndarray:
    """Return a dark blotch on skin, uint8, shape (side, side, 3)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    inside = 1 / (1 + np.exp(12 * (np.hypot(x, y) - rng.uniform(0.3, 0.6))))[..., None]
    picture = (1 - inside) * (224, 180, 160) + inside * rng.uniform(30, 120, 3) + rng.normal(0, 8, (side, side, 3))
    return picture.clip(0, 255).astype(np.uint8)


def measure(side: int, seed: int, method: str, players: int) -> tuple[float, float, Explanation]:
    """Return wall and processor seconds of one explanation, and the explanation."""
    options = ExplainOptions((method,), device="cpu", players=players)
    wall, processor = time.perf_counter(), time.process_time()
    (found,) = explain_image(drawn_lesion(side, seed), options)
    return time.perf_counter() - wall, time.process_time() - processor, found


def main() -> None:
    """Print wall and processor time of each method: medians and ranges over the images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=5)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--players", type=int, default=12)
    parser.add_argument("--methods", default=",".join(METHODS))
    options = parser.parse_args()
    start = time.perf_counter()
    get_classifier(None, "cpu")
    print(f"classifier read and judged in {time.perf_counter() - start:.2f} s, {torch.get_num_threads()} threads")
    for method in options.methods.split(","):
        runs = [measure(options.side, seed, method, options.players) for seed in range(options.images)]
        walls, processor = sorted(run[0] for run in runs), np.median([run[1] for run in runs])
        passes = sorted(run[2].steps for run in runs)
        print(
            f"{method:10}  median {np.median(walls):6.2f} s ({walls[0]:.2f} to {walls[-1]:.2f}, n = {len(walls)}), "
            f"processor {processor:6.2f} s, {passes[0]} to {passes[-1]} steps"
        )


if __name__ == "__main__":
    main()
