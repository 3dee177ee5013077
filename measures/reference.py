"""How far a picture lies from the photographs that a classifier was trained on, measured by what its head sees.

Kept beside a classifier as `reference.npz`: no photographs, only features of a sample of the training images, and the
distance that 99 % of real held-out images stay below. Distances are the mean to the nearest few (Sun et al., 2022,
Out-of-Distribution Detection with Deep Nearest Neighbors, arXiv:2204.06507, with features of equal length as there).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import InputRefusedError
from core.files.arrays import Wanted, read_npz
from core.files.atomic import write_bytes_atomic
from core.files.reading import DamagedFileError
from core.message import Message

REFERENCE_FILE: Final = "reference.npz"
NEIGHBOURS: Final = 5
MOST: Final = 512
PERCENTILE: Final = 99.0

_LARGEST: Final = 64 * 1024**2
_ARRAYS: Final = {
    "features": Wanted("f", ndim=2),
    "threshold": Wanted("f"),
    "held_out": Wanted("iu"),
    "sha256": Wanted("U"),
}

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reference:
    """What a picture is compared with.

    Attributes
    ----------
    features
        Of training images, float16, shape (N, D), of equal length.
    threshold
        The distance that `PERCENTILE` of real held-out images stay below.
    held_out
        Number of those images.
    sha256
        Of the classifier's weights.
    """

    features: NDArray[np.float16]
    threshold: float
    held_out: int
    sha256: str

    def distances(self, features: Floats) -> Floats:
        """Return the mean distance of each of (M, D) features to its nearest neighbours; shape (M,).

        Raises
        ------
        InputRefusedError
            If they are of another length than the reference's.
        """
        if features.shape[1] != self.features.shape[1]:
            raise InputRefusedError(
                Message("The {name} of this classifier was measured with another network.", name=REFERENCE_FILE),
                remedy=Message("Copy the classifier's folder again, or remove that file."),
            )
        return _distances(features, self.features.astype(np.float64))

    def save(self, folder: Path) -> None:
        """Write it beside a classifier.

        Raises
        ------
        OSError
            If that is not possible.
        """
        stream = io.BytesIO()
        np.savez_compressed(
            stream,
            features=self.features,
            threshold=np.float64(self.threshold),
            held_out=np.int64(self.held_out),
            sha256=np.array(self.sha256),
        )
        write_bytes_atomic(folder / REFERENCE_FILE, stream.getvalue())


def measure_reference(train: Floats, held_out: Floats, sha256: str, *, seed: int = 0) -> Reference:
    """Take a sample of the training images and measure how far real held-out ones are from it.

    Parameters
    ----------
    train, held_out
        Features of equal length, shapes (N, D) and (M, D), of images that share no lesion.
    sha256
        Of the classifier's weights.
    seed
        Of the sample.

    Raises
    ------
    InputRefusedError
        If there are too few images to speak of a 99th percentile or of neighbours.
    """
    if len(train) < NEIGHBOURS or len(held_out) < NEIGHBOURS:
        raise InputRefusedError(
            Message(
                "{train} training and {held_out} held-out images are too few for a reference.",
                train=len(train),
                held_out=len(held_out),
            ),
            remedy=Message("Use at least {neighbours} of each.", neighbours=NEIGHBOURS),
        )
    chosen = np.sort(np.random.default_rng(seed).permutation(len(train))[:MOST])
    features = train[chosen].astype(np.float16)
    distances = _distances(held_out, features.astype(np.float64))
    return Reference(features, float(np.percentile(distances, PERCENTILE)), len(held_out), sha256)


def read_reference(folder: Path, sha256: str) -> Reference | None:
    """Read the reference of these weights beside a classifier, or return None where there is none that can be read."""
    try:
        data = read_npz(folder / REFERENCE_FILE, _ARRAYS, what="a reference", limit=_LARGEST)
    except (FileNotFoundError, DamagedFileError):
        return None
    features, threshold, held_out = data["features"], float(data["threshold"]), int(data["held_out"])
    whole = len(features) >= NEIGHBOURS and features.shape[1] > 0 and threshold >= 0 and held_out >= 0
    return Reference(features, threshold, held_out, sha256) if whole and str(data["sha256"]) == sha256 else None


def _distances(features: Floats, reference: Floats) -> Floats:
    squared = (features**2).sum(1)[:, None] - 2 * features @ reference.T + (reference**2).sum(1)[None]
    nearest = np.sort(np.sqrt(np.maximum(squared, 0)), axis=1)[:, :NEIGHBOURS]
    mean: Floats = nearest.mean(axis=1)
    return mean
