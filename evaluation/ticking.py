"""Progress and cancelling inside measurements that compute features for minutes."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from core.measures.features import Extractor
from core.measures.neighbours import VIEWS

Tick = Callable[[int, int], None]


def counted(extractor: Extractor, total: int, tick: Tick | None) -> Extractor:
    """Return an extractor that tells `tick`, before every batch, how many of `total` images it has seen.

    Parameters
    ----------
    tick
        Raises to stop; None is told nothing.
    """
    if tick is None:
        return extractor
    seen = 0

    def features(pixels: Tensor) -> Tensor:
        nonlocal seen
        tick(min(seen, total), total)
        seen += len(pixels)
        return extractor.features(pixels)

    return Extractor(extractor.name, features)


def in_all_views(*counts: int) -> int:
    """Return how many pictures so many images are in all their turned and mirrored views."""
    return VIEWS * sum(counts)
