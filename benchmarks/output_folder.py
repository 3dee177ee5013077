"""What an output folder costs: storing an image, opening and reading a folder of many.

    python benchmarks/output_folder.py [IMAGES]        10,000 unless told otherwise

Last measured (2 cores of a cloud machine, network SSD, beside a training run that kept both busy): store 18 to 32 ms,
nearly all of it waiting for five fsyncs (7 ms without); reading 10,000 images 0.7 s (0.22 s of processor time), opening
them for writing 1.5 s (0.44 s of processor time).
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.generation import GenerationRequest, PlannedImage, plan_class
from dataset.recipe import Recipe
from dataset.synthetic_dataset import SyntheticDataset, read_records

SIZE = 128


def recipe_of(planned: PlannedImage) -> Recipe:
    """Return a recipe of usual length."""
    return Recipe(
        class_code=planned.class_code, index=planned.index, seed=planned.seed, noise_hash="0" * 16,
        sampler="dpmpp-2m-sde", steps=20, scheduler={f"option_{i}": i for i in range(25)}, guidance=1.5,
        weights="diffusion_pytorch_model.safetensors", weights_sha256="0" * 64, models="starter", color=None,
        precision="fp32", device="cpu", batch_size=1, threads=2, image_size=SIZE, product_version="0",
    )  # fmt: skip


def fill(folder: Path, count: int) -> float:
    """Store `count` images and return the seconds for each."""
    request = GenerationRequest((("MEL", count),), Path("models"), folder)
    pixels = np.random.default_rng(0).normal(128, 40, (SIZE, SIZE, 3)).clip(0, 255).astype(np.uint8)
    with SyntheticDataset.open(folder) as dataset:
        run = dataset.begin_run(request, list(plan_class(request, "MEL", count, frozenset())))
        began = time.perf_counter()
        for slot in run.slots:
            dataset.store(run, slot, pixels, recipe_of(slot.planned))
        seconds = (time.perf_counter() - began) / count
        dataset.end_run(run, "completed")
    return seconds


def seconds_of(work: Callable[[], object]) -> float:
    """Return the best of three."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"store one image, durably: {fill(folder, count) * 1e3:.1f} ms")
        print(f"read a folder of {count} images: {seconds_of(lambda: read_records(folder)):.2f} s")
        print(f"open it for writing: {seconds_of(lambda: SyntheticDataset.open(folder).close()):.2f} s")


if __name__ == "__main__":
    main()
