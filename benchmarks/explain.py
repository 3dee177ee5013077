"""Times the explanation of one image by Integrated Gradients: `python -m benchmarks.explain [--images N]`.

Last measured 2026-11-20 with the starter classifier, drawn lesions, 2 quiet cores of an AMD EPYC with bf16: median
0.54 s an image (0.52 to 3.72, n = 5; 32 steps but for the slowest, which needed 128).
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from xai.explain import explain_image, get_classifier
from xai.explanation import ExplainOptions


def drawn_lesion(side: int, seed: int) -> np.ndarray:
    """Return a dark blotch on skin, uint8, shape (side, side, 3)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    inside = 1 / (1 + np.exp(12 * (np.hypot(x, y) - rng.uniform(0.3, 0.6))))[..., None]
    picture = (1 - inside) * (224, 180, 160) + inside * rng.uniform(30, 120, 3) + rng.normal(0, 8, (side, side, 3))
    return picture.clip(0, 255).astype(np.uint8)


def main() -> None:
    """Print wall and processor time for each image and the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=5)
    parser.add_argument("--side", type=int, default=128)
    options = parser.parse_args()
    start = time.perf_counter()
    get_classifier(None, "cpu")
    print(f"classifier read and judged in {time.perf_counter() - start:.2f} s, {torch.get_num_threads()} threads")
    walls = []
    for seed in range(options.images):
        wall, cpu = time.perf_counter(), time.process_time()
        (found,) = explain_image(drawn_lesion(options.side, seed), ExplainOptions(device="cpu"))
        walls.append(time.perf_counter() - wall)
        print(f"image {seed}: {walls[-1]:.2f} s ({time.process_time() - cpu:.2f} s processor), {found.steps} steps")
    print(f"median {np.median(walls):.2f} s an image")


if __name__ == "__main__":
    main()
