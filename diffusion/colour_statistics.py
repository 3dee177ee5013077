"""`python -m diffusion.colour_statistics --data DIR --output FILE`: the colours that each class should have.

Writes `color_statistics.json` in ISICGenerator's form, ``{CLASS: {"rgb": {"mean": [r, g, b], "std": [r, g, b]}}}`` in
0..255, measured on the training lesions of the starter models' split.

Both numbers are averages over images of the image's own mean and of its own standard deviation. This is what makes
`core.generator.color` neutral: it moves an image's mean m and deviation s to 0.35 m_t + 0.65 m and 0.35 s_t + 0.65 s,
which leaves the averages over a class as they are exactly if m_t and s_t are those averages (but for its clipping, and
for its truncation to whole numbers, which takes half a step). The deviation of all pixels of a class taken together
also holds the differences between its images: it is half as large again, and would raise the contrast of every image.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from core.errors import ISICGUIError
from core.files.atomic import explain_os_error, write_text_atomic
from core.generator.color import ColorStatistics
from core.taxonomy import CLASS_CODES
from photographs.pixels import load_pixels
from photographs.sources import read_dataset
from photographs.splits import split_by_lesion

SIZE: Final = 128
"""Side in pixels at which the starter generator draws; finer pictures have a little more contrast."""


def class_statistics(pixels: npt.NDArray[np.uint8], codes: Sequence[str]) -> dict[str, ColorStatistics]:
    """Return the statistics of each class that occurs, in canonical order.

    Parameters
    ----------
    pixels
        uint8 RGB, shape (N, 3, S, S).
    codes
        Class code of each image, N of them.
    """
    means = np.array([image.mean(axis=(1, 2)) for image in pixels], dtype=np.float64)
    deviations = np.array([image.std(axis=(1, 2)) for image in pixels], dtype=np.float64)
    of_class = {code: np.array([its_code == code for its_code in codes]) for code in CLASS_CODES if code in codes}
    return {code: _average(means[chosen], deviations[chosen]) for code, chosen in of_class.items()}


def measure_statistics(data: Path, size: int = SIZE) -> tuple[dict[str, ColorStatistics], tuple[str, ...]]:
    """Return the statistics of a data set's training lesions (split seed 0), and what a person should know of the data.

    Raises
    ------
    InputRefusedError
        If the data set or too many of its files cannot be read.
    """
    photographs = read_dataset(data)
    pixels = load_pixels(split_by_lesion(photographs.images).train, size)
    notes = (*photographs.notes, *([pixels.warning] if pixels.warning else []))
    return class_statistics(pixels.array, [image.code for image in pixels.images]), notes


def render_statistics(statistics: dict[str, ColorStatistics]) -> str:
    """Return the content of `color_statistics.json`."""
    return json.dumps({code: {"rgb": entry.to_json()} for code, entry in statistics.items()}, indent=2) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m diffusion.colour_statistics", description="Measure the colours of each class."
    )
    parser.add_argument("--data", type=Path, required=True, help="data set of labelled photographs")
    parser.add_argument("--output", type=Path, required=True, help="file to write, such as color_statistics.json")
    parser.add_argument("--size", type=int, default=SIZE, help="side in pixels at which to measure (default: 128)")
    options = parser.parse_args(arguments)
    try:
        statistics, notes = measure_statistics(options.data, options.size)
        _write(options.output, render_statistics(statistics))
    except ISICGUIError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stderr.write("".join(f"{line}\n" for line in (*notes, f"{', '.join(statistics)} written to {options.output}.")))
    return 0


def _write(path: Path, text: str) -> None:
    try:
        write_text_atomic(path, text)
    except OSError as error:
        raise explain_os_error(error, path) from error


def _average(means: npt.NDArray[np.float64], deviations: npt.NDArray[np.float64]) -> ColorStatistics:
    return ColorStatistics(_triple(means.mean(axis=0)), _triple(deviations.mean(axis=0)))


def _triple(values: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    red, green, blue = (round(float(value), 2) for value in values)
    return red, green, blue


if __name__ == "__main__":
    sys.exit(main())
