"""The lock next to a requirements file: exact versions with the SHA-256 of PyPI's files, made by scripts/lock.py."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

LOCK: Final = "requirements.lock"
BUILD_VARIABLE: Final = "UV_TORCH_BACKEND"
"""Names a build of torch other than PyPI's, such as ``cpu``; uv then takes torch from PyTorch's own index."""

_BUILT_AGAIN: Final = ("torch", "torchvision")
_OF_CUDA: Final = ("nvidia-", "cuda-", "triton")


def lock_beside(requirements: Path) -> Path | None:
    """Return the lock that is next to a requirements file, or None if there is none."""
    lock = requirements.with_name(LOCK)
    return lock if lock.is_file() else None


def constraints(lock: Path, folder: Path, *, other_build: bool) -> Path:
    """Return the file that holds uv to the locked versions.

    Parameters
    ----------
    folder
        Where a file may be written.
    other_build
        Whether torch is not PyPI's. Of torch and torchvision the lock then gives the version alone, because its
        checksums are those of PyPI's files; torch itself says which version of CUDA's libraries it needs.
    """
    if not other_build:
        return lock
    path = folder / "isicgui-constraints.txt"
    path.write_text(without_pypis_torch(lock.read_text(encoding="utf-8")), encoding="utf-8")
    return path


def without_pypis_torch(text: str) -> str:
    """Return a lock without the checksums of PyPI's torch, and without the libraries of CUDA that it needs."""
    entries = (_relaxed(entry) for entry in re.split(r"\n(?=[A-Za-z0-9])", text))
    return "\n".join(entry for entry in entries if entry is not None) + "\n"


def _relaxed(entry: str) -> str | None:
    name = entry.partition("==")[0]
    if name.startswith(_OF_CUDA):
        return None
    return entry.partition(" \\\n")[0] if name in _BUILT_AGAIN else entry


def build_is_chosen() -> bool:
    """Tell whether somebody chose a build of torch in the process environment."""
    return BUILD_VARIABLE in os.environ
