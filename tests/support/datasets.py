"""A writer of tiny synthetic images, and the invariants that every output folder keeps."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from core.generation import GenerationRequest, parse_counts, plan_class
from dataset.layout import Layout
from dataset.png import read_recipe
from dataset.recipe import Recipe
from dataset.synthetic_dataset import SyntheticDataset, read_records


def make_request(output, classes="MEL=2,NV=1", **options):
    return GenerationRequest(counts=parse_counts(classes), models=Path("models"), output=Path(output), **options)


def make_recipe(planned, **changes):
    values = {
        "class_code": planned.class_code,
        "index": planned.index,
        "seed": planned.seed,
        "noise_hash": f"{planned.seed:016x}",
        "sampler": "dpmpp-2m-sde",
        "steps": 20,
        "scheduler": {"beta_schedule": "squaredcos_cap_v2", "lambda_min_clipped": float("-inf")},
        "guidance": 1.5,
        "weights": "model.safetensors",
        "weights_sha256": "ab" * 32,
        "models": "models",
        "color": None,
        "precision": "fp32",
        "device": "cpu",
        "batch_size": 1,
        "threads": 1,
        "image_size": 8,
        "product_version": "0.1.0",
    }
    return Recipe(**{**values, **changes})


def pixels_of(seed):
    return np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)


def plan(dataset, request):
    return [p for code, count in request.counts for p in plan_class(request, code, count, dataset.seeds(code))]


def fill(dataset, run, acknowledged=None):
    """Store every pending image of a run; `acknowledged` collects (class, seed) as each call returns."""
    for slot in run.pending:
        dataset.store(run, slot, pixels_of(slot.planned.seed), make_recipe(slot.planned))
        if acknowledged is not None:
            acknowledged.add((slot.planned.class_code, slot.planned.seed))


def generate(output, classes="MEL=2,NV=1", acknowledged=None, **options):
    """Carry out a whole run."""
    request = make_request(output, classes, **options)
    with SyntheticDataset.open(output) as dataset:
        run = dataset.begin_run(request, plan(dataset, request))
        fill(dataset, run, acknowledged)
        dataset.end_run(run, "completed")
        return run


def resume(output):
    """Finish every interrupted run."""
    with SyntheticDataset.open(output) as dataset:
        for run in dataset.unfinished():
            fill(dataset, run)
            dataset.end_run(run, "completed")


def image_files(output):
    return sorted(path for path in Path(output).glob("*/*.png") if path.parent.name.isupper())


def table_rows(output):
    with (Path(output) / "synthetic_dataset.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def pixels_by_seed(output):
    """Return {(class, seed): pixel bytes}, the seed taken from inside each picture."""
    found = {}
    for path in image_files(output):
        recipe = read_recipe(path)
        with Image.open(path) as image:
            found[recipe.class_code, recipe.seed] = image.convert("RGB").tobytes()
    return found


def assert_consistent(output):
    """Every picture decodes; files, rows, sidecars and records are one to one; no seed twice; nothing temporary."""
    output = Path(output)
    files = image_files(output)
    for path in files:
        with Image.open(path) as image:
            image.load()
    names = [path.relative_to(output).as_posix() for path in files]
    rows = table_rows(output)
    assert sorted(row["path"] for row in rows) == names
    assert all(row["path"] == f"{row['class']}/{row['filename']}" for row in rows)
    records = read_records(output)
    assert sorted(record.path.relative_to(output).as_posix() for record in records) == names
    seeds = Counter((record.class_code, record.seed) for record in records if record.seed is not None)
    assert [key for key, count in seeds.items() if count > 1] == []
    for record in records:
        if record.run_id:
            sidecar = json.loads(record.path.with_suffix(".json").read_text(encoding="utf-8"))
            assert (sidecar["class"], sidecar["seed"]) == (record.class_code, record.seed)
    raw = Layout(output).journal.read_bytes()
    assert all(json.loads(line)["type"] for line in raw.splitlines())
    assert sorted(output.rglob("*.tmp")) == []
    assert list(Layout(output).temporary.iterdir()) == []
