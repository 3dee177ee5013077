"""Whether a file is what its name says: read by the same code that will use it, before it gets its place."""

from __future__ import annotations

from pathlib import Path

from core.errors import ModelTruncatedError
from core.message import Message
from core.models.pack import why_unusable
from download.naming import CLASSIFIER, STATISTICS, class_of


def check_content(path: Path) -> None:
    """Read a file wholly, as it will be read when it is used; nothing in it is run.

    Parameters
    ----------
    path
        Named as in `naming.wanted`.

    Raises
    ------
    ModelRefusedError
        If it is damaged, unsafe, of another architecture, or holds NaN or infinity.
    InputRefusedError
        If it is no table of colour statistics.
    """
    if path.name == STATISTICS:
        _check_statistics(path)
        return
    _refuse_at_sight(path)
    if path.name == CLASSIFIER:
        _check_classifier(path)
    elif (code := class_of(path.name)) is not None:
        _check_generator(path, code)


def _refuse_at_sight(path: Path) -> None:
    """Look at the first bytes: what cannot hold weights is refused before torch, which takes seconds, is loaded."""
    if problem := why_unusable(path):
        raise ModelTruncatedError(
            Message("{problem}.", problem=problem),
            remedy=Message("Copy or download it again; it was not loaded."),
            path=path,
        )


def _check_statistics(path: Path) -> None:
    from core.generator.color import load_color_statistics

    load_color_statistics(path)


def _check_classifier(path: Path) -> None:
    from core.models.classification.loading import load_network

    load_network(path)


def _check_generator(path: Path, code: str) -> None:
    import torch

    from core.cache.cache_manager import CacheManager
    from core.generator.model_manager import ModelManager
    from core.models.discovery import ClassModel

    model = ClassModel(code, True, path, "checkpoint")
    ModelManager(CacheManager(max_bytes=0)).load(model, torch.device("cpu"), "fp32")
