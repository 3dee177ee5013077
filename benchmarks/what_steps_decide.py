"""At which timestep a picture's colour, layout, shape and texture are decided: what the caption of the scrubber says.

    python -m benchmarks.what_steps_decide [--each N]

Prints, for each timestep, how far the average colour of the predicted image is from the finished one (0..255), and the
correlation of the two within bands of spatial frequency, averaged over images of three classes of the starter models.
Last measured 2026-11-20 (20 steps, bf16 on a CPU): the table in ``gui/gallery/teaching.py``.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.cancel import CancelToken
from core.events import ImageDone, Step
from core.generation import GenerationRequest
from core.generator.image_generator import ImageGenerator
from core.images import read_image
from core.utils.path_manager import PathManager

BANDS = ((0.5, 3.5), (3.5, 12.0), (12.0, 1e9))
"""Cycles across the picture."""

CLASSES = ("MEL", "NV", "BCC")

Row = tuple[float, ...]


def main() -> None:
    """Make images and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=3, help="images of each class [default: 3]")
    options = parser.parse_args()
    found = measure(options.each)
    print("timestep  colour   1-3 cycles  4-12 cycles  finer")
    for timestep in sorted(found, reverse=True):
        colour, low, middle, high = np.mean(found[timestep], axis=0)
        print(f"{timestep:8d}  {colour:6.1f}   {low:10.2f}  {middle:11.2f}  {high:5.2f}")


def measure(each: int) -> dict[int, list[Row]]:
    """Return a row for each image at each timestep: colour distance, correlation in each band."""
    found: dict[int, list[Row]] = defaultdict(list)
    predicted: list[tuple[int, NDArray[np.uint8]]] = []
    with tempfile.TemporaryDirectory() as output:
        counts = tuple((code, each) for code in CLASSES)
        request = GenerationRequest(counts, PathManager().default_models_dir, Path(output), batch_size=1)
        for event in ImageGenerator().generate(request, CancelToken()):
            if isinstance(event, Step) and event.preview is not None:
                predicted.append((event.timestep, event.preview.predicted.copy()))
            elif isinstance(event, ImageDone):
                finished = read_image(event.file)
                for timestep, picture in predicted:
                    found[timestep].append(compare(picture, finished))
                predicted = []
    return found


def compare(picture: NDArray[np.uint8], finished: NDArray[np.uint8]) -> Row:
    """Return the largest distance of the average colours, and the correlation of two (H, W, 3) pictures by band."""
    colour = float(np.abs(picture.mean((0, 1)) - finished.mean((0, 1))).max())
    pairs = zip(split(picture), split(finished), strict=True)
    return (colour, *(float(np.corrcoef(a.ravel(), b.ravel())[0, 1]) for a, b in pairs))


def split(picture: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
    """Return what a picture is made of in each band."""
    spectrum = np.fft.fft2(picture.astype(np.float64), axes=(0, 1))
    height, width = picture.shape[:2]
    cycles = np.hypot(np.fft.fftfreq(height)[:, None] * height, np.fft.fftfreq(width)[None] * width)
    masks = (((cycles >= low) & (cycles < high))[..., None] for low, high in BANDS)
    return [np.fft.ifft2(spectrum * mask, axes=(0, 1)).real for mask in masks]


if __name__ == "__main__":
    main()
