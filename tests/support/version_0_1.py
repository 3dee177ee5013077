"""The folders that version 0.1.0 has left (`tests/fixtures/version_0_1`), unpacked as if they had always lain there."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final

from PIL import Image

from core.taxonomy import CLASS_CODES
from tests.support.labelled_data import write_labelled_folder
from tests.support.tiny_classifier import draw_lesion

HERE: Final = "/mnt/isicgui"
"""Where they lay when they were made."""

_ARCHIVE: Final = Path(__file__).parents[1] / "fixtures/version_0_1/folders.zip"
_TEXTS: Final = (".json", ".jsonl", ".csv", ".ini")


def unpack(root: Path) -> Path:
    """Write the folders, with paths that hold here, and return `root`."""
    with zipfile.ZipFile(_ARCHIVE) as archive:
        archive.extractall(root)
    for path in root.rglob("*"):
        if path.suffix in _TEXTS:
            text = path.read_bytes().decode("utf-8")
            path.write_bytes(text.replace(HERE, root.as_posix()).encode("utf-8"))
    return root


def write_inputs(root: Path) -> None:
    """Write the pictures that training and the experiment were given; they are drawn, always the same."""
    write_labelled_folder(root / "photographs", lesions=6, size=16)
    for code in ("MEL", "NV"):
        (root / "lesions" / code).mkdir(parents=True)
        for number in range(1, 3):
            Image.fromarray(draw_lesion(code, number)).save(root / "lesions" / code / f"{number}.png")
    for place, part in enumerate(("train", "test", "synthetic")):
        for code in CLASS_CODES:
            folder = root / "utility" / part / code
            folder.mkdir(parents=True)
            for index in range(3):
                Image.fromarray(draw_lesion(code, 1000 * place + index)).save(folder / f"{part}_{index}.png")
