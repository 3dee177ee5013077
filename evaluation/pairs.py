"""How well images repeat their references: PSNR, SSIM, MAE, MSE and LPIPS of paired folders.

Only for pairs that belong together (reconstruction, inpainting, translation). Between a generated image and a
photograph that has nothing to do with it these numbers mean nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.images import read_image
from core.jobs.stream import JobContext
from core.message import Message
from evaluation.finding import Finding
from evaluation.sets import ImageSet, SetImage
from measures.bootstrap import bootstrap_by_group
from measures.likeness import Image, mae, mse, psnr, ssim
from reports.model import Level, Paragraph, Table


@dataclass(frozen=True, slots=True)
class Band:
    """What a number is called: `limits` separate excellent, good, fair and poor."""

    limits: tuple[float, float, float]
    higher_is_better: bool

    def name(self, value: float) -> str:
        """Return `excellent`, `good`, `fair` or `poor`."""
        beaten = [value > limit if self.higher_is_better else value < limit for limit in self.limits]
        return next((name for name, good in zip(NAMES, beaten, strict=False) if good), NAMES[-1])


NAMES: Final = ("excellent", "good", "fair", "poor")
BANDS: Final[Mapping[str, Band]] = {
    "psnr": Band((40.0, 30.0, 20.0), higher_is_better=True),
    "ssim": Band((0.95, 0.85, 0.70), higher_is_better=True),
    "mae": Band((5.0, 15.0, 30.0), higher_is_better=False),
    "mse": Band((100.0, 500.0, 1000.0), higher_is_better=False),
    "dice": Band((0.9, 0.7, 0.5), higher_is_better=True),
    "iou": Band((0.8, 0.5, 0.3), higher_is_better=True),
}
"""The bands of an earlier program's README, so that its numbers can be compared."""

LEVELS: Final[Mapping[str, Level]] = {"excellent": "good", "good": "good", "fair": "doubt", "poor": "bad"}


Measure = Callable[[Image, Image], float]
_MEASURES: Final[Mapping[str, Measure]] = {"psnr": psnr, "ssim": ssim, "mae": mae, "mse": mse}
_UNITS: Final = {"psnr": "PSNR, dB", "ssim": "SSIM", "mae": "MAE (0..255)", "mse": "MSE (0..255)", "lpips": "LPIPS"}


_ABOUT_LPIPS: Final = Message("LPIPS measures how different two images look: 0 for the same, larger for others.")
_NO_LPIPS: Final = Message("LPIPS is not measured: give torchvision's AlexNet with --lpips.")


def match(images: ImageSet, others: ImageSet) -> list[tuple[SetImage, SetImage]]:
    """Return the images that have a partner: of the same path without its suffix, else of the same unique name."""
    by_path = {_stem(image.name): image for image in others.images}
    names = Counter(PurePosixPath(image.name).stem for image in others.images)
    by_name = {PurePosixPath(i.name).stem: i for i in others.images if names[PurePosixPath(i.name).stem] == 1}
    found = ((i, by_path.get(_stem(i.name)) or by_name.get(PurePosixPath(i.name).stem)) for i in images.images)
    return [(image, other) for image, other in found if other is not None]


def _stem(name: str) -> str:
    return PurePosixPath(name).with_suffix("").as_posix()


def compare_pairs(
    images: ImageSet, references: ImageSet, context: JobContext | None = None, lpips: Measure | None = None
) -> Finding:
    """Measure each image against the reference of its name.

    Parameters
    ----------
    context
        Told how many pairs are done, and of how many.
    lpips
        Measures how different two images look; None where its weights are not there.
    """
    pairs = match(images, references)
    measures = {**_MEASURES, "lpips": lpips} if lpips is not None else _MEASURES
    values: dict[str, list[float]] = {key: [] for key in measures}
    misfits, context = 0, context or JobContext()
    for number, (image, other) in enumerate(pairs):
        context.progress(number, len(pairs), unit="pairs")
        first, second = read_image(image.path), read_image(other.path)
        if first.shape == second.shape:
            for key, measure in measures.items():
                values[key].append(measure(first, second))
        else:
            misfits += 1
    return _section({key: np.array(found) for key, found in values.items()}, len(images), len(pairs), misfits)


def _section(values: Mapping[str, NDArray[np.float64]], images: int, pairs: int, misfits: int) -> Finding:
    title = Message("Image pairs")
    compared = pairs - misfits
    counts = {"images": images, "pairs": compared, "unmatched": images - pairs, "different_size": misfits}
    if not compared:
        verdict = Message("No image has a reference of its name and size, so no pair can be compared.")
        return Finding("pairs", title, "unknown", verdict, data=dict(counts))
    found = {key: summarise(key, column) for key, column in values.items()}
    ssim_, psnr_ = found["ssim"], found["psnr"]
    identical = int(np.isinf(values["psnr"]).sum())
    decisive = ssim_ if ssim_["mean"] is not None else psnr_
    band = decisive["band"] or NAMES[0]
    verdict = Message(
        "{pairs} pairs compared, {identical} of them identical; by structural similarity they are {band}.",
        pairs=compared,
        identical=identical,
        band=band,
    )
    parts = (
        Table(
            ("", "mean", "95 % interval", "n", "band"),
            [_row(_UNITS[key], one) for key, one in found.items()],
            words=frozenset({0, 4}),
            folded=True,
        ),
        Paragraph(
            Message(
                "These numbers say how well an image repeats its reference, not whether it looks real. PSNR leaves out "
                "identical images, whose PSNR is infinite. {unmatched} images have no reference of their name; "
                "{misfits} have one of another size.",
                unmatched=images - pairs,
                misfits=misfits,
            ),
            "muted",
        ),
        Paragraph(_ABOUT_LPIPS if "lpips" in found else _NO_LPIPS, "muted"),
    )
    return Finding("pairs", title, LEVELS[band], verdict, parts, {**counts, "identical": identical, **found})


def summarise(key: str, values: NDArray[np.float64]) -> dict[str, Any]:
    """Return mean, 95 % bootstrap interval, n and band of the finite values for JSON; null where there are none.

    LPIPS has no bands.
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return {"mean": None, "low": None, "high": None, "n": 0, "band": None}
    mean, band = float(finite.mean()), BANDS.get(key)
    low, high = bootstrap_by_group(lambda rows: float(finite[rows].mean()), range(len(finite)), repeats=1000)
    return {"mean": mean, "low": low, "high": high, "n": len(finite), "band": band and band.name(mean)}


def _row(title: str, found: Mapping[str, Any]) -> Sequence[str]:
    if found["mean"] is None:
        return title, "\u2013", "\u2013", "0", "\u2013"
    return (
        title,
        f"{found['mean']:.4g}",
        f"{found['low']:.4g} .. {found['high']:.4g}",
        str(found["n"]),
        found["band"] or "\u2013",
    )
