"""Features of image sets, kept between runs by what is in the files: the same picture is never computed twice."""

from __future__ import annotations

import hashlib
import io
import os
import re
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.dataset.pixels import read_square
from core.measures.features import Extractor
from core.utils.atomic import write_bytes_atomic
from evaluation.sets import ImageSet

BLOCK: Final = 64
SAVED_EVERY: Final = 512
"""New rows after which the cache is written: what a stop in between costs at most."""

MAX_THREADS: Final = 8

Floats = NDArray[np.float64]
Tick = Callable[[int, int], None]
"""Told how many images of a set are done, and of how many; raises to stop."""


class FeatureCache:
    """Features by the SHA-256 of a picture file, one file for each space and size.

    Parameters
    ----------
    folder
        Where the files lie; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._rows: dict[str, dict[str, NDArray[np.float32]]] = {}
        self._new: dict[str, int] = {}

    def features(self, images: ImageSet, extractor: Extractor, side: int, tick: Tick | None = None) -> Floats:
        """Return the features (N, D) of a set's middle squares of `side` pixels, float32 accuracy in float64.

        Everything computed so far is kept if `tick` raises.
        """
        table = re.sub(r"[^\w@.-]+", "_", f"{extractor.name}-{side}")
        known = self._load(table)
        try:
            rows = self._collect(images, extractor, side, table, tick)
        finally:
            self._save(table)
        return np.stack([known[key] for key in rows]).astype(np.float64) if rows else np.empty((0, 0))

    def _collect(
        self, images: ImageSet, extractor: Extractor, side: int, table: str, tick: Tick | None
    ) -> Sequence[str]:
        known, keys = self._rows[table], []
        paths = [image.path for image in images.images]
        with ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as pool:
            for start in range(0, len(paths), BLOCK):
                block = paths[start : start + BLOCK]
                block_keys = list(pool.map(_digest, block))
                missing = [i for i, key in enumerate(block_keys) if key not in known]
                self._compute(table, [block[i] for i in missing], [block_keys[i] for i in missing], extractor, side)
                keys += block_keys
                if tick is not None:
                    tick(len(keys), len(paths))
        return keys

    def _compute(self, table: str, paths: Sequence[Path], keys: Sequence[str], extractor: Extractor, side: int) -> None:
        if not paths:
            return
        squares = np.stack([read_square(path, side) for path in paths]).transpose(0, 3, 1, 2)
        for key, row in zip(keys, extractor(np.ascontiguousarray(squares)), strict=True):
            self._rows[table][key] = row.astype(np.float32)
        self._new[table] += len(paths)
        if self._new[table] >= SAVED_EVERY:
            self._save(table)

    def _load(self, table: str) -> dict[str, NDArray[np.float32]]:
        if table not in self._rows:
            self._rows[table] = _read(self._folder / f"{table}.npz") if self._folder else {}
            self._new[table] = 0
        return self._rows[table]

    def _save(self, table: str) -> None:
        rows = self._rows[table]
        if self._folder is None or not self._new[table]:
            return
        stream = io.BytesIO()
        np.savez(stream, keys=np.array(list(rows)), features=np.stack(list(rows.values())))
        with suppress(OSError):  # the features are here, whether or not there is room to keep them for another time
            self._folder.mkdir(parents=True, exist_ok=True)
            write_bytes_atomic(self._folder / f"{table}.npz", stream.getvalue())
        self._new[table] = 0


def _read(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return what a cache file holds; nothing if it is not there or damaged: features can be computed again."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as data:
            keys, features = data["keys"], data["features"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}
    if features.ndim != 2 or len(keys) != len(features) or not np.isfinite(features).all():
        return {}
    return dict(zip(map(str, keys.tolist()), features.astype(np.float32), strict=True))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
