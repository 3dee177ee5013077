"""Features of image sets, kept between runs by what is in the files: the same picture is never computed twice."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.files.arrays import Wanted, read_npz
from core.files.atomic import write_bytes_atomic
from core.files.opening import sha256_of
from core.files.reading import DamagedFileError, damaged
from core.jobs.stream import JobContext
from evaluation.sets import ImageSet
from measures.features import Extractor
from photographs.pixels import read_square

BLOCK: Final = 64
SAVED_EVERY: Final = 512
"""New rows after which the cache is written: what a stop in between costs at most."""

MAX_THREADS: Final = 8

_ARRAYS: Final = {"keys": Wanted("U", ndim=1), "features": Wanted("f", ndim=2)}

Floats = NDArray[np.float64]
Rows = dict[str, NDArray[np.float32]]


class FeatureCache:
    """Features by the SHA-256 of what was looked at, in a folder for each space and size.

    Parameters
    ----------
    folder
        Where the files lie; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._rows: dict[str, Rows] = {}
        self._new: dict[str, list[str]] = {}

    def features(self, images: ImageSet, extractor: Extractor, side: int, context: JobContext | None = None) -> Floats:
        """Return the features (N, D) of a set's middle squares of `side` pixels, float32 accuracy in float64.

        Everything computed so far is kept if the context says stop.
        """
        table = self._open(f"{extractor.name}-{side}")
        try:
            rows = self._collect(images, extractor, side, table, context or JobContext())
        finally:
            self._save(table)
        known = self._rows[table]
        return np.stack([known[key] for key in rows]).astype(np.float64) if rows else np.empty((0, 0))

    @contextmanager
    def remembering(self, extractor: Extractor) -> Iterator[Extractor]:
        """Give an extractor that knows every picture which it, or one like it, has ever seen.

        Pictures are told by their pixels, as turned and mirrored views have no file. Everything computed so far is kept
        if the block ends with an exception.
        """
        table = self._open(f"{extractor.name}-pixels")

        def features(pixels: Tensor) -> Tensor:
            return self._recall(table, pixels, extractor)

        try:
            yield Extractor(extractor.name, features)
        finally:
            self._save(table)

    def _recall(self, table: str, pixels: Tensor, extractor: Extractor) -> Tensor:
        known = self._rows[table]
        keys = [_digest_pixels(picture) for picture in (pixels * 255).round().to(torch.uint8).cpu().numpy()]
        missing = [row for row, key in enumerate(keys) if key not in known]
        if missing:
            computed = extractor.features(pixels[missing]).float().cpu().numpy()
            self._keep(table, [keys[row] for row in missing], computed)
        return torch.from_numpy(np.stack([known[key] for key in keys]))

    def _collect(
        self, images: ImageSet, extractor: Extractor, side: int, table: str, context: JobContext
    ) -> Sequence[str]:
        known, keys = self._rows[table], []
        paths = [image.path for image in images.images]
        with ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as pool:
            for start in range(0, len(paths), BLOCK):
                block = paths[start : start + BLOCK]
                block_keys = list(pool.map(sha256_of, block))
                missing = [i for i, key in enumerate(block_keys) if key not in known]
                self._compute(table, [block[i] for i in missing], [block_keys[i] for i in missing], extractor, side)
                keys += block_keys
                context.progress(len(keys), len(paths), unit="images")
        return keys

    def _compute(self, table: str, paths: Sequence[Path], keys: Sequence[str], extractor: Extractor, side: int) -> None:
        if not paths:
            return
        squares = np.stack([read_square(path, side) for path in paths]).transpose(0, 3, 1, 2)
        self._keep(table, keys, extractor(np.ascontiguousarray(squares)))

    def _keep(self, table: str, keys: Sequence[str], features: NDArray[np.floating[Any]]) -> None:
        kept = next(iter(self._rows[table].values()), None)
        if kept is not None and self._folder is not None and features.shape[1:] != kept.shape:
            raise damaged(self._folder / table, "kept features", f"they have {len(kept)} numbers a picture")
        self._rows[table].update(zip(keys, features.astype(np.float32), strict=True))
        self._new[table] += dict.fromkeys(keys)
        if len(self._new[table]) >= SAVED_EVERY:
            self._save(table)

    def _open(self, name: str) -> str:
        """Read what is kept under a name, once, and return what it is called on disk."""
        table = re.sub(r"[^\w@.-]+", "_", name)
        if table not in self._rows:
            files = sorted((self._folder / table).glob("*.npz")) if self._folder else []
            self._rows[table] = _of_one_length({key: row for file in files for key, row in _read(file).items()})
            self._new[table] = []
        return table

    def _save(self, table: str) -> None:
        """Write what is new into a file of its own: files grow with what is computed, not with its square."""
        keys, rows = self._new[table], self._rows[table]
        if self._folder is None or not keys:
            return
        stream = io.BytesIO()
        np.savez(stream, keys=np.array(keys), features=np.stack([rows[key] for key in keys]))
        name = hashlib.sha256("".join(keys).encode()).hexdigest()[:16]
        with suppress(OSError):  # the features are here, whether or not there is room to keep them for another time
            (self._folder / table).mkdir(parents=True, exist_ok=True)
            write_bytes_atomic(self._folder / table / f"{name}.npz", stream.getvalue())
        self._new[table] = []


def _read(path: Path) -> Rows:
    """Return what a cache file holds; nothing if it is not there or damaged: features can be computed again."""
    try:
        data = read_npz(path, _ARRAYS, what="kept features")
    except (FileNotFoundError, DamagedFileError):
        return {}
    keys, features = data["keys"], data["features"]
    if len(keys) != len(features):
        return {}
    return dict(zip(map(str, keys.tolist()), features.astype(np.float32), strict=True))


def _of_one_length(rows: Rows) -> Rows:
    """Leave out rows of another length than most: a file that was written by something else lies among the others."""
    counts = Counter(len(row) for row in rows.values()).most_common(1)
    return {key: row for key, row in rows.items() if len(row) == counts[0][0]}


def _digest_pixels(picture: NDArray[np.uint8]) -> str:
    return hashlib.sha256(repr(picture.shape).encode() + picture.tobytes()).hexdigest()
