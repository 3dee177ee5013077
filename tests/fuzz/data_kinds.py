"""Data sets of photographs, explanations and evaluations, and the caches of these."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import numpy as np
from PIL import Image

from dataset.overview import overview
from evaluation.features import FeatureCache
from evaluation.sets import read_set
from evaluation.utility.arms import Arm
from evaluation.utility.request import Training
from evaluation.utility.store import Store
from evaluation.utility.training import Outcome
from gui.evaluate.run_report import read_report
from photographs.pixels import content_digests, load_pixels
from photographs.sources import read_dataset
from photographs.splits import split_by_lesion
from tests.fuzz.case import Kind
from tests.fuzz.forms import as_json, as_lines, as_table, as_zip, raw
from tests.support.exports import export_to, put
from tests.support.labelled_data import write_csv_dataset, write_ham10000, write_isic2018, write_labelled_folder
from xai.trajectory.folders import is_complete
from xai.validation import read_rows, render_table

ARM = Arm("real", "real")


def read(folder: Path) -> None:
    """Read the photographs, and everything that is done before a training."""
    overview(folder)
    found = read_dataset(folder)
    split_by_lesion(found.images)
    load_pixels(found.images[:3], 8, threads=1)
    content_digests(found.images[:3], threads=1)


def read_table(folder: Path) -> None:
    """Read the photographs that a table lists."""
    found = read_dataset(folder / "photographs.csv")
    load_pixels(found.images[:3], 8, threads=1)


def make_manifest(folder: Path) -> None:
    """Export a collection for text-to-image training: a manifest in lines."""
    for number in range(1, 4):
        put(folder / "from", "MEL", number, number)
    export_to(folder / "from", folder / "set", format="jsonl")


def read_manifest(folder: Path) -> None:
    """Read the manifest, and the set as an evaluation does."""
    read(folder / "set")
    read_set(folder / "set")


def make_pictures(folder: Path) -> None:
    """Write a data set whose pictures have several forms."""
    (folder / "MEL").mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (16, 16, 3), dtype=np.uint8)
    for suffix in ("png", "jpg", "bmp", "tif", "webp", "gif"):
        Image.fromarray(pixels).save(folder / f"MEL/{suffix}.{suffix}")


def read_pictures(folder: Path) -> None:
    """Read them in the ways that there are."""
    from xai.subject import read_subject

    found = read_dataset(folder)
    load_pixels(found.images, 8, threads=1)
    read_set(folder).pixels(8)
    for image in found.images:
        read_subject(image.path)


def make_analysis(folder: Path) -> None:
    """Write the explanations of a picture."""
    from tests.xai.builders import explanation
    from xai.report import save_explanations

    save_explanations([explanation(), explanation()], folder / "ISIC_0000001")
    (folder / "rows.jsonl").write_text(
        '{"image": "a", "code": "MEL", "lesion": "l", "method": "ig", "auc": 0.5}\n' * 2, encoding="utf-8"
    )


def read_analysis(folder: Path) -> None:
    """Show the folder in the window, and ask whether it is complete."""
    from gui.evaluate.report_page import page_of

    report = read_report(folder / "ISIC_0000001")
    page_of(report)
    is_complete(folder / "ISIC_0000001")


def store_of(folder: Path) -> Store:
    """Return the store of a small experiment."""
    return Store(folder, "data", Training("simple_cnn", 8, 2))


def make_stores(folder: Path) -> None:
    """Write a finished training of the utility experiment, and a cache of features."""
    store_of(folder).write(ARM, 1, Outcome(np.zeros((3, 7)), np.ones((4, 7)), 2, 0.5))
    (path,) = (folder / "runs").rglob("*.npz")
    path.rename(folder / "outcome.npz")
    stream = io.BytesIO()
    np.savez(stream, keys=np.array(["a", "b"]), features=np.ones((2, 4), np.float32))
    (folder / "cache/t").mkdir(parents=True)
    (folder / "cache/t/x.npz").write_bytes(stream.getvalue())


def read_stores(folder: Path) -> None:
    """Read both; what cannot be read is computed again."""
    store = store_of(folder)
    store.write(ARM, 1, Outcome(np.zeros((3, 7)), np.ones((4, 7)), 2, 0.5))
    (path,) = (folder / "runs").rglob("*.npz")
    (folder / "outcome.npz").replace(path)
    outcome = store.read(ARM, 1)
    if outcome is not None:
        assert np.isfinite(dataclasses.astuple(outcome)[0]).all()
    FeatureCache(folder / "cache")._open("t")


def read_validation(folder: Path) -> None:
    """Read the rows of a validation of methods."""
    render_table(read_rows(folder / "rows.jsonl"))


DATA_KINDS = {
    "own labels": Kind(lambda f: write_labelled_folder(f, lesions=1, size=8), {"labels.csv": as_table}, read),
    "HAM10000 labels": Kind(
        lambda f: write_ham10000(f, lesions=1, size=8), {"metadata/HAM10000_metadata.csv": as_table}, read
    ),
    "ISIC 2018 labels": Kind(
        lambda f: write_isic2018(f, lesions=1, size=8, groups=True),
        {"ISIC2018_Task3_Training_GroundTruth.csv": as_table, "ISIC2018_Task3_Training_LesionGroupings.csv": as_table},
        read,
    ),
    "label table": Kind(lambda f: write_csv_dataset(f, lesions=1, size=8), {"photographs.csv": as_table}, read_table),
    "manifest": Kind(make_manifest, {"set/manifest.jsonl": as_lines}, read_manifest),
    "pictures": Kind(
        make_pictures, {f"MEL/{s}.{s}": raw for s in ("png", "jpg", "bmp", "tif", "webp", "gif")}, read_pictures
    ),
    "analysis": Kind(make_analysis, {"ISIC_0000001/analysis.json": as_json}, read_analysis, refuses=False),
    "features": Kind(make_stores, {"outcome.npz": as_zip, "cache/t/x.npz": as_zip}, read_stores, refuses=False),
}
