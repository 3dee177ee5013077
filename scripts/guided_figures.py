"""`python -m scripts.guided_figures`: make the figures of `docs/guided.md` with the starter model.

Every picture in them is generated; no photograph is shown.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

ROOT: Final = Path(__file__).resolve().parents[1]
IMAGES: Final = ROOT / "docs" / "images"
_GAP: Final = 4


def made(folder: Path, *words: str) -> list[Path]:
    """Run a command of the program and return the images that it made, in their order."""
    subprocess.run([sys.executable, "main.py", *words, "--output", str(folder)], cwd=ROOT, check=True)
    return sorted(folder.glob("[A-Z]*/ISIC_*.png"))


def row(name: str, paths: list[Path]) -> None:
    """Write pictures side by side into the folder of the documentation."""
    pictures = [Image.open(path).convert("RGB") for path in paths]
    size = pictures[0].width
    sheet = Image.new("RGB", (len(pictures) * (size + _GAP) - _GAP, size), "white")
    for place, picture in enumerate(pictures):
        sheet.paste(picture, (place * (size + _GAP), 0))
    sheet.save(IMAGES / name, optimize=True)


def main() -> None:
    """Make the three figures."""
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        first, second = made(work / "ends", "generate", "--classes", "MEL=1,NV=1")
        begun = [
            made(work / f"strength{share}", "image2image", str(first), "--class", "BCC", "--strength", str(share))[0]
            for share in (0.25, 0.5, 0.75, 1.0)
        ]
        row("guided-image2image.png", [first, *begun])
        mask = work / "mask.png"
        side = Image.open(second).width
        drawn = Image.fromarray(np.zeros((side, side), np.uint8))
        ImageDraw.Draw(drawn).ellipse((side // 4, side // 4, 3 * side // 4, 3 * side // 4), fill=255)
        drawn.save(mask)
        row(
            "guided-inpaint.png",
            [second, mask, *made(work / "inside", "inpaint", str(second), "--mask", str(mask), "--class", "VASC",
                                 "--count", "3")],
        )  # fmt: skip
        row("guided-interpolate.png", made(work / "way", "interpolate", str(first), str(second), "--count", "6"))


if __name__ == "__main__":
    main()
