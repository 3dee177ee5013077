"""Colour and sharpness: plain numbers of each image that show at once what a feature space may hide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.message import Message
from evaluation import plots
from evaluation.finding import Finding
from evaluation.sets import ImageSet
from measures.bootstrap import CONFIDENCE, resampled_counts
from reports.model import Figure, Level, Paragraph, Table

Floats = NDArray[np.float64]

NAMES: Final = ("red", "green", "blue", "spread", "saturation", "sharpness")
UNITS: Final[Mapping[str, str]] = {
    "red": "mean, 0 to 255",
    "green": "mean, 0 to 255",
    "blue": "mean, 0 to 255",
    "spread": "standard deviation of the grey values",
    "saturation": "mean of (largest - smallest) / largest of R, G, B",
    "sharpness": "log10 of the variance of the Laplacian of the grey values, plus 1",
}
REPEATS: Final = 1000
SMALL: Final = 0.5
LARGE: Final = 1.5
"""Differences of means, in deviations of the real photographs, that the interval does not exclude: usual below `SMALL`,
something else above `LARGE`."""

ABOUT: Final = (
    "Mean and spread of simple numbers of each image, in both sets at the same size. The difference is in units of the "
    "real photographs' own standard deviation, with its 95 % interval over lesions and images."
)


@dataclass(frozen=True, slots=True)
class Difference:
    """How far the mean of a number lies from that of real photographs, in their standard deviations."""

    synthetic: float
    real: float
    deviation: float
    difference: float
    low: float
    high: float

    @property
    def least(self) -> float:
        """The smallest size of the difference that its interval allows; 0 if that covers 0."""
        return max(0.0, self.low, -self.high)


def image_numbers(pixels: NDArray[np.uint8]) -> Floats:
    """Return the numbers `NAMES` of each image, (N, 6), of uint8 RGB (N, 3, S, S)."""
    values = pixels.astype(np.float64)
    grey = values.mean(axis=1)
    largest, smallest = values.max(axis=1), values.min(axis=1)
    saturation = (largest - smallest) / np.maximum(largest, 1.0)
    laplacian = (
        grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:] + grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] - 4 * grey[:, 1:-1, 1:-1]
    )
    sharpness = np.log10(laplacian.var(axis=(1, 2)) + 1)
    return np.column_stack([values.mean(axis=(2, 3)), grey.std(axis=(1, 2)), saturation.mean(axis=(1, 2)), sharpness])


def numbers_of(images: ImageSet, side: int) -> Floats:
    """Return the numbers of a whole set."""
    return np.concatenate([image_numbers(block) for block in images.blocks(side)])


def appearance_section(synthetic: ImageSet, real: ImageSet, side: int, seed: int = 0) -> Finding:
    """Compare the sets."""
    first, second = numbers_of(synthetic, side), numbers_of(real, side)
    names = [image.name for image in synthetic.images]
    found = differences(first, second, names, real.lesions, seed)
    level, words = _verdict(found)
    shown = {name: (first[:, i], second[:, i]) for i, name in enumerate(NAMES)}
    rows = [
        (
            name,
            f"{one.synthetic:.2f}",
            f"{one.real:.2f}",
            f"{one.difference:+.2f} ({one.low:+.2f} to {one.high:+.2f})",
            UNITS[name],
        )
        for name, one in found.items()
    ]
    table = Table(
        ("", "synthetic", "real", "difference in deviations", "unit"),
        rows,
        f"n = {len(first)} and {len(second)}",
        words=frozenset({0, 4}),
        folded=True,
    )
    picture = Figure(plots.histogram_figure(shown), "Colour and sharpness of both sets")
    data = {name: asdict(one) for name, one in found.items()} | {"n_synthetic": len(first), "n_real": len(second)}
    return Finding(
        "appearance", Message("Colour and sharpness"), level, words, (Paragraph(ABOUT), picture, table), data
    )


def differences(
    synthetic: Floats, real: Floats, names: list[str], lesions: list[str], seed: int = 0
) -> Mapping[str, Difference]:
    """Return how far each number's mean is from that of real photographs, with bootstrap intervals."""
    draws = [
        counts @ values / counts.sum(axis=1, keepdims=True)
        for values, groups in ((synthetic, names), (real, lesions))
        for counts in (resampled_counts(groups, repeats=REPEATS, seed=seed),)
    ]
    deviation = np.maximum(real.std(axis=0), 1e-9)
    low, high = np.percentile((draws[0] - draws[1]) / deviation, CONFIDENCE, axis=0)
    means = synthetic.mean(axis=0), real.mean(axis=0)
    value = (means[0] - means[1]) / deviation
    return {
        name: Difference(*(float(column[i]) for column in (*means, deviation, value, low, high)))
        for i, name in enumerate(NAMES)
    }


def _verdict(found: Mapping[str, Difference]) -> tuple[Level, Message]:
    name, worst = max(found.items(), key=lambda item: (item[1].least, abs(item[1].difference)))
    words = Message(

            "Largest difference: {name}, {value:+.2f} standard deviations of the real photographs (95 "
            "% CI {low:+.2f} to {high:+.2f}).",
        name=name, value=worst.difference, low=worst.low, high=worst.high,
    )  # fmt: skip
    return ("good" if worst.least < SMALL else "doubt" if worst.least < LARGE else "bad"), words
