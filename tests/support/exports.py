"""Small collections to export, and an obvious reading of what an export holds."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

from core.generation import PlannedImage
from dataset.export.plan import plan_export
from dataset.export.request import ExportOptions
from dataset.export.writing import export
from dataset.png import encode_png
from tests.support.datasets import make_recipe, pixels_of


def put(output, code, number, seed, *, pixels=None, **changes):
    """Write an image by hand, as an older run or another machine would have left it."""
    recipe = make_recipe(PlannedImage(code, number, seed), **changes)
    path = Path(output) / code / f"ISIC_{number:07d}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(pixels_of(seed) if pixels is None else pixels, recipe))
    return path


def export_to(output, target, **options):
    """Export and return the plan."""
    plan = plan_export(output, ExportOptions(target, **options))
    *_, last = export(plan)
    assert last.status == "completed"
    return plan


def files_of(folder):
    """Return {path relative to the folder: bytes}."""
    folder = Path(folder)
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def manifest(folder):
    with (Path(folder) / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def json_lines(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def digest(data):
    return hashlib.sha256(data).hexdigest()
