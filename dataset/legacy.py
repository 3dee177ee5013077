"""Images that lie in a class folder without a line in the journal: the predecessor's, copied ones, and rescued ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from core.errors import InputRefusedError
from core.files.opening import open_regular
from dataset.recipe import Recipe
from dataset.record import SOURCE, ImageRecord, sane_time, time_of_file
from dataset.sidecar import read_sidecar

_MOST: Final = 2**53
_MAX_TEXT: Final = 4096

Rows = Mapping[tuple[str, str], Mapping[str, str]]


def is_complete_png(path: Path) -> bool:
    """Whether a file begins and ends as a PNG does; the predecessor left half files when it was killed."""
    with open_regular(path) as file:
        head = file.read(8)
        size = file.seek(0, 2)
        file.seek(max(0, size - 12))
        return head == b"\x89PNG\r\n\x1a\n" and file.read(12)[4:8] == b"IEND"


def describe_by_recipe(path: Path, class_code: str, number: int) -> ImageRecord | None:
    """Return the record of an image from the recipe inside it, or None if it carries none of this class."""
    recipe = embedded_recipe(path)
    if recipe is None or recipe.class_code != class_code:
        return None
    return ImageRecord.from_recipe(path, number, recipe)


def describe_by_sidecar(path: Path, class_code: str, number: int, rows: Rows) -> ImageRecord:
    """Return the record of an image without opening it; what nothing tells stays empty."""
    sidecar = read_sidecar(path)
    recipe = sidecar_recipe(sidecar)
    if recipe is not None and recipe.class_code == class_code:
        return ImageRecord.from_recipe(path, number, recipe)
    row = rows.get((class_code, path.name)) or rows.get((class_code, path.stem)) or {}
    return ImageRecord(
        path=path,
        class_code=class_code,
        isic_number=number,
        seed=_whole(sidecar.get("seed")),
        run_id="",
        generated_at=_seconds(row.get("generated_at"), path),
        source=_text(row.get("source")) or SOURCE,
        noise_hash=_text(sidecar.get("noise_hash")),
        sampler="ddpm" if sidecar else "",
        steps=_whole(sidecar.get("inference_steps")),
        weights=_weights(sidecar),
    )


def embedded_recipe(path: Path) -> Recipe | None:
    """Return the recipe inside a PNG, or None."""
    from dataset.png import read_recipe  # brings Pillow and numpy, which the window's start does without

    try:
        return read_recipe(path)
    except InputRefusedError:
        return None


def sidecar_recipe(sidecar: Mapping[str, Any]) -> Recipe | None:
    """Return the recipe that a sidecar holds, or None."""
    try:
        return Recipe.from_json(sidecar.get("recipe") or {})
    except InputRefusedError:
        return None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST else None


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= _MAX_TEXT else ""


def _seconds(text: str | None, path: Path) -> float:
    try:
        seconds = float(text or "")
    except ValueError:
        return time_of_file(path)
    return seconds if sane_time(seconds) == seconds else time_of_file(path)


def _weights(sidecar: Mapping[str, Any]) -> str:
    model = sidecar.get("model")
    location = _text(model.get("model_path")) if isinstance(model, dict) else ""
    return location.replace("\\", "/").rpartition("/")[2]
