"""Finished trainings on disk, so that an experiment goes on arm by arm; those of another one are never taken."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np

from core.files.arrays import Wanted, read_npz
from core.files.atomic import output_errors, write_bytes_atomic
from core.files.reading import DamagedFileError
from evaluation.utility.arms import Arm
from evaluation.utility.request import Training
from evaluation.utility.training import Outcome

RUNS: Final = "runs"

_ARRAYS: Final = {
    "fingerprint": Wanted("U"),
    "validation": Wanted("f", ndim=2),
    "test": Wanted("f", ndim=2),
    "best_step": Wanted("iu"),
    "score": Wanted("f"),
}


class Store:
    """The trainings of one experiment below its folder.

    Parameters
    ----------
    data
        Fingerprint of the images.
    """

    def __init__(self, output: Path, data: str, training: Training) -> None:
        self._folder = output / RUNS
        self._data, self._training = data, training

    def read(self, arm: Arm, seed: int) -> Outcome | None:
        """Return a finished training of the same images and settings, or None."""
        try:
            found = read_npz(self._path(arm, seed), _ARRAYS, what="a finished training")
        except (FileNotFoundError, DamagedFileError):
            return None
        if str(found["fingerprint"]) != self._fingerprint(arm, seed):
            return None
        return Outcome(found["validation"], found["test"], int(found["best_step"]), float(found["score"]))

    def write(self, arm: Arm, seed: int, outcome: Outcome) -> None:
        """Keep a finished training; raises OutputError if it cannot be written."""
        stream = io.BytesIO()
        np.savez_compressed(
            stream,
            fingerprint=self._fingerprint(arm, seed),
            validation=outcome.validation,
            test=outcome.test,
            best_step=outcome.best_step,
            score=outcome.score,
        )
        path = self._path(arm, seed)
        with output_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes_atomic(path, stream.getvalue())

    def _path(self, arm: Arm, seed: int) -> Path:
        return self._folder / arm.key / f"seed_{seed}.npz"

    def _fingerprint(self, arm: Arm, seed: int) -> str:
        said = {**asdict(arm), "title": "", "seed": seed, "data": self._data, **asdict(self._training)}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
