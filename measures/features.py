"""Images as points: the features in which distances between sets of images are measured.

Three things are decided about images, each in a space of its own, so that nothing is judged by what chose it:

=============  ================================================  =====================================================
what           who does it                                       where
=============  ================================================  =====================================================
selection      of the best weights: colour and texture           `measures.texture`, `diffusion.evaluation`
curation       of a set: the auxiliary classifier                `default_curator`, `evaluation.curation`
judgement      of a generator or a set: the independent          `default_evaluator`, `evaluation`, `diffusion.judge`
=============  ================================================  =====================================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, normalize

from core.models.classification.folding import folded
from core.models.classification.loading import LoadedNetwork, load_network
from core.utils.path_manager import PathManager

INDEPENDENT_CLASSIFIER: Final = "classifier-independent"
"""Starter classifier that judges: kept out of explanations, guidance, selection and curation."""

PIXEL_SIDE: Final = 32
_BATCH: Final = 64

Images = NDArray[np.uint8] | Tensor
"""Shape (N, 3, S, S), uint8."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Extractor:
    """Turns images into features.

    Attributes
    ----------
    name
        What distances in these features must be called by, such as ``HAM(resnet18@ab12cd34)``: the architecture and
        the beginning of the SHA-256 of the weights.
    features
        Maps pixels (n, 3, S, S), float32 in 0..1, to features (n, D).
    """

    name: str
    features: Callable[[Tensor], Tensor]

    def __call__(self, images: Images) -> Floats:
        """Return the features (N, D), float64, of uint8 images (N, 3, S, S)."""
        return in_batches(self.features, images)


def load_extractor(path: Path, device: torch.device | None = None) -> Extractor:
    """Return the features before the head of a classifier, of its folder or file.

    Raises
    ------
    ModelRefusedError
        If the classifier cannot be used.
    """
    return extractor_of(load_network(path, device))


def judging_extractor(device: torch.device | None = None) -> Extractor:
    """Return the features of the classifier that judges; plain pixels, which see colour and layout only, without it."""
    path = default_evaluator()
    return PIXELS if path is None else load_extractor(path, device)


def extractor_of(network: LoadedNetwork) -> Extractor:
    """Return the features before the head of a classifier that is loaded already, each image's at equal length.

    Without that a class that excites the network strongly (vascular lesions do) outweighs the others in a cubic kernel.
    """
    name = f"HAM({network.architecture.key}@{network.sha256[:8]})"
    quick = replace(network, net=folded(network.net))
    return Extractor(name, lambda pixels: equal_length(quick.features(pixels)))


def equal_length(features: Tensor) -> Tensor:
    """Scale each row of (N, D) to the length sqrt(D), so that its mean square is 1; rows of zeros stay."""
    return normalize(features, dim=1) * features.shape[1] ** 0.5


def default_evaluator() -> Path | None:
    """Return the starter classifier that judges images, the independent one; None if it is not there."""
    place = PathManager().starter_dir / INDEPENDENT_CLASSIFIER
    return place if place.is_dir() else None


def default_curator() -> Path | None:
    """Return the starter classifier that curates sets, the auxiliary one; None if it is not there."""
    place = PathManager().starter_classifier_dir
    return place if place.is_dir() else None


def is_judge(path: Path | None) -> bool:
    """Return whether a classifier is the one that judges where nobody names another."""
    judge = default_evaluator()
    return path is not None and judge is not None and path.resolve() == judge.resolve()


def in_batches(function: Callable[[Tensor], Tensor], images: Images) -> Floats:
    """Apply a function of pixels in 0..1 to uint8 images, 64 at a time, in fp32 and without gradients."""
    parts = torch.as_tensor(images).split(_BATCH)
    with torch.inference_mode():
        answers = [function(part.float() / 255).double().cpu() for part in parts]
    return torch.cat(answers).numpy()


def small_pixels(pixels: Tensor) -> Tensor:
    """Return pixels (N, 3, S, S) as rows (N, 3072): averaged over the cells of a 32 x 32 grid."""
    return adaptive_avg_pool2d(pixels, PIXEL_SIDE).flatten(1)


PIXELS: Final = Extractor(f"pixels {PIXEL_SIDE}x{PIXEL_SIDE}", small_pixels)
"""The features that need no classifier."""
