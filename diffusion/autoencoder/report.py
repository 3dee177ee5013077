"""What an autoencoder keeps of photographs that it has not seen: the ceiling of everything made from its latents."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.diffusers_parts import AutoencoderKL
from core.files.atomic import write_text_atomic
from core.files.text import finite_json
from core.models.classification.loading import LoadedNetwork, load_network
from core.precision import Precision
from diffusion.autoencoder.losses import PerceptualLoss
from diffusion.autoencoder.pack import REPORT_FILE
from diffusion.autoencoder.reconstruct import COLUMNS, reconstruct, reconstruction_sheet
from diffusion.fidelity import balanced_accuracy, predict
from measures.bootstrap import bootstrap_by_group
from measures.features import PIXELS, Extractor, default_evaluator, extractor_of
from measures.kid import MIN_IMAGES, kid
from measures.likeness import psnr, ssim
from photographs.labelled import LabelledImage, labels_of
from photographs.pixels import load_pixels

SHEET_FILE: Final = "reconstruction.png"

_COMPARED: Final = 1000
"""Most training photographs that distances are measured to, evenly spaced."""

_SHOWN: Final = 32
_BATCH: Final = 32

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Value:
    """A mean with its 95 % interval under resampling of lesions."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the judge, a classifier that had no part in training, says of photographs and of their reconstructions.

    Attributes
    ----------
    same
        Share of the photographs whose reconstruction gets the same class.
    on_photographs, on_reconstructions
        Balanced accuracy.
    """

    judge: str
    same: Value
    on_photographs: Value
    on_reconstructions: Value


@dataclass(frozen=True, slots=True)
class ReconstructionReport:
    """Everything that was measured.

    Attributes
    ----------
    measured_on
        Part of the data set: `test`, or `validation` where nothing else was held out.
    psnr, ssim
        In dB; -1..1.
    perceptual
        Squared distance in the judge's features, 0..4: the stand-in for LPIPS, whose weights are not free to ship.
    kernel_distance, floor
        From the reconstructions, and from the photographs themselves, to training photographs: [value, low, high];
        None where there are too few.
    features
        Space of these distances.
    """

    images: int
    lesions: int
    measured_on: str
    image_size: int
    psnr: Value
    ssim: Value
    perceptual: Value | None
    features: str
    kernel_distance: tuple[float, float, float] | None
    floor: tuple[float, float, float] | None
    agreement: Agreement | None

    @property
    def sentence(self) -> str:
        """The main numbers in plain words."""
        parts = [f"PSNR {self.psnr.mean:.1f} dB, SSIM {self.ssim.mean:.3f}"]
        if self.kernel_distance is not None and self.floor is not None:
            parts.append(f"kernel distance {self.kernel_distance[0]:.4f} (photographs {self.floor[0]:.4f})")
        if self.agreement is not None:
            parts.append(f"the judge sees the same class in {self.agreement.same.mean:.1%}")
        where = f"{self.images} photographs of {self.lesions} lesions that were not trained on"
        return f"{'; '.join(parts)}; on {where} ({self.measured_on})."

    def to_json(self) -> dict[str, Any]:
        """Return the content of the report's file."""
        return asdict(self)


def measure_reconstruction(
    net: AutoencoderKL,
    held_out: Sequence[LabelledImage],
    train: Tensor,
    *,
    measured_on: str,
    precision: Precision = "fp32",
    judge: LoadedNetwork | None = None,
) -> tuple[ReconstructionReport, Tensor, Tensor]:
    """Measure an autoencoder on photographs, and return the report, their pixels, and the reconstructions'.

    Parameters
    ----------
    train
        Training photographs (N, 3, S, S) uint8, which distances are measured to.
    judge
        The classifier that gives features and classes; plain pixels, and no classes, if None.

    Raises
    ------
    InputRefusedError
        If the photographs cannot be read.
    """
    read = load_pixels(held_out, train.shape[-1])
    pixels, lesions = torch.from_numpy(read.array), [image.lesion_id for image in read.images]
    made = reconstruct(net, pixels, precision)
    extractor = PIXELS if judge is None else extractor_of(judge)
    distance, floor = _distances(extractor, made, pixels, train)
    report = ReconstructionReport(
        images=len(pixels),
        lesions=len(set(lesions)),
        measured_on=measured_on,
        image_size=int(train.shape[-1]),
        psnr=_value(_pairwise(psnr, pixels, made), lesions),
        ssim=_value(_pairwise(ssim, pixels, made), lesions),
        perceptual=None if judge is None else _value(_perceptual(judge, pixels, made), lesions),
        features=extractor.name,
        kernel_distance=distance,
        floor=floor,
        agreement=None if judge is None else _agreement(judge, pixels, made, labels_of(read.images), lesions),
    )
    return report, pixels, made


def load_judge(device: torch.device) -> LoadedNetwork | None:
    """Return the classifier that judges, or None where none ships."""
    path = default_evaluator()
    return None if path is None else load_network(path, device)


def save_sheet(pixels: Tensor, made: Tensor, folder: Path) -> None:
    """Write a sheet of photographs with their reconstructions below; not into a pack, which is passed on."""
    shown = [int(i) for i in np.linspace(0, len(pixels) - 1, min(_SHOWN, len(pixels) // COLUMNS * COLUMNS))]
    if shown:
        reconstruction_sheet(pixels[shown], made[shown]).save(folder / SHEET_FILE)


def write_report(report: ReconstructionReport, folder: Path) -> Path:
    """Write the numbers into a pack and return their file."""
    write_text_atomic(folder / REPORT_FILE, finite_json(report.to_json()))
    return folder / REPORT_FILE


def _pairwise(measure: Callable[[Any, Any], float], pixels: Tensor, made: Tensor) -> Floats:
    pairs = zip(pixels.permute(0, 2, 3, 1).numpy(), made.permute(0, 2, 3, 1).numpy(), strict=True)
    return np.array([measure(first, second) for first, second in pairs])


def _perceptual(judge: LoadedNetwork, pixels: Tensor, made: Tensor) -> Floats:
    distance = PerceptualLoss(judge)
    parts = []
    with torch.no_grad():
        for batch in torch.arange(len(pixels)).split(_BATCH):
            first, second = (part[batch].to(judge.device).float() / 127.5 - 1 for part in (made, pixels))
            parts.append(distance.each(first, second).cpu())
    return torch.cat(parts).double().numpy()


def _distances(
    extractor: Extractor, made: Tensor, pixels: Tensor, train: Tensor
) -> tuple[tuple[float, float, float] | None, tuple[float, float, float] | None]:
    if min(len(pixels), len(train)) < MIN_IMAGES:
        return None, None
    known = extractor(train[:: -(-len(train) // _COMPARED)])
    found = [kid(extractor(images), known) for images in (made, pixels)]
    distance, floor = ((one.value, one.low, one.high) for one in found)
    return distance, floor


def _agreement(
    judge: LoadedNetwork, pixels: Tensor, made: Tensor, labels: NDArray[np.int64], lesions: Sequence[Hashable]
) -> Agreement:
    of_photographs, of_made = (predict(judge, images, labels) for images in (pixels, made))
    right = (balanced_accuracy(labels, seen, lesions) for seen in (of_photographs, of_made))
    before, after = (Value(one.value, one.low or 0.0, one.high or 0.0) for one in right)
    name = f"{judge.architecture.key}@{judge.sha256[:8]}"
    return Agreement(name, _value((of_photographs == of_made).astype(np.float64), lesions), before, after)


def _value(values: Floats, lesions: Sequence[Hashable]) -> Value:
    finite = np.where(np.isfinite(values), values, np.nan)
    if np.isnan(finite).all():
        return Value(float("nan"), float("nan"), float("nan"))
    kept = ~np.isnan(finite)
    groups = [lesion for lesion, is_kept in zip(lesions, kept.tolist(), strict=True) if is_kept]
    own = finite[kept]
    low, high = bootstrap_by_group(lambda rows: float(own[rows].mean()), groups, repeats=1000)
    return Value(float(own.mean()), low, high)
