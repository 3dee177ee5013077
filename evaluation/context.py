"""What every measurement of an evaluation may use."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch

from core.files.atomic import output_errors
from core.jobs.stream import JobContext
from core.models.classification.loading import LoadedNetwork
from core.utils.path_manager import PathManager
from evaluation.distribution import Side
from evaluation.features import FeatureCache
from evaluation.request import EvaluationRequest
from evaluation.sets import ImageSet
from evaluation.spaces import Space
from measures.lpips import Lpips


@dataclass(frozen=True, eq=False)
class Context:
    """The photographs, and what is computed once for all synthetic sets.

    Attributes
    ----------
    real
        Photographs of lesions that the generator has not seen.
    train
        Those that it has learnt from, or None.
    side
        Side in pixels at which everything is compared.
    network
        A classifier that had no part in generating, or None.
    lpips
        What compares pairs as people do, or None.
    """

    request: EvaluationRequest
    real: ImageSet
    train: ImageSet | None
    side: int
    network: LoadedNetwork | None
    spaces: tuple[Space, ...]
    device: torch.device
    cache: FeatureCache
    lpips: Lpips | None = None
    _sides: dict[tuple[str, str], Side] = field(default_factory=dict)

    def folder_of(self, images: ImageSet) -> Path:
        """Return where files about one synthetic set go: the output folder, or one of its own beside other sets'."""
        output = self.request.output
        folder = output if len(self.request.synthetic) == 1 else output / PathManager.safe_component(images.name)
        with output_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def features(self, images: ImageSet, space: Space, job: JobContext | None = None) -> Side:
        """Return the features of a set in a space, with classes and lesions; computed once."""
        key = space.name, str(images.folder)
        found = self._sides.get(key)
        if found is None or len(found.features) != len(images):
            found = Side(self.cache.features(images, space.extractor, self.side, job), images.labels, images.lesions)
            self._sides[key] = found
        return found
