"""Progress and stopping inside measurements that compute features for minutes."""

from __future__ import annotations

from torch import Tensor

from core.jobs.stream import JobContext
from measures.features import Extractor
from measures.neighbours import VIEWS


def counted(extractor: Extractor, total: int, context: JobContext) -> Extractor:
    """Return an extractor that reports, before every batch, how many of `total` pictures it has seen."""
    seen = 0

    def features(pixels: Tensor) -> Tensor:
        nonlocal seen
        context.progress(min(seen, total), total, unit="pictures")
        seen += len(pixels)
        return extractor.features(pixels)

    return Extractor(extractor.name, features)


def in_all_views(*counts: int) -> int:
    """Return how many pictures so many images are in all their turned and mirrored views."""
    return VIEWS * sum(counts)
