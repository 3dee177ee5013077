"""The checksum by which a file is known, whatever its name; no heavy import."""

from __future__ import annotations

import hashlib
from pathlib import Path

from core.files.opening import open_regular


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a regular file as 64 hexadecimal digits, read in pieces; see `open_regular`."""
    digest = hashlib.sha256()
    with open_regular(path) as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
