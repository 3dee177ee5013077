"""The files of an output folder: each is set aside where it is damaged, and the rest goes on."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

from core.errors import ISICGUIError
from core.files.folder_lock import who_holds
from core.files.opening import sha256_of
from core.generation import RunChanges
from core.generator.image_generator import ImageGenerator
from dataset.curation import Decision, render_curation
from dataset.export.plan import plan_export
from dataset.export.request import ExportOptions
from dataset.export.writing import export
from dataset.layout import Layout
from dataset.ratings import Rating, read_ratings, write_ratings
from dataset.reading import read_deletions, read_records, read_run_ids
from dataset.synthetic_dataset import SyntheticDataset
from gui.gallery.scan import read_notes
from gui.workers.unfinished import find_unfinished
from tests.fuzz.case import Kind
from tests.fuzz.forms import as_json, as_lines, as_recipe, as_table, lines_of
from tests.support.datasets import fill, generate, make_request, plan
from tests.support.exports import put

JOURNAL = ".isicgui/journal.jsonl"
LOCK = ".isicgui/lock.json"
IMAGE = "MEL/ISIC_0000002.png"


def make(folder: Path) -> None:
    """Write a folder with a finished run, two deletions, one of them brought back, ratings and an interrupted run."""
    generate(folder, "MEL=4,NV=1")
    write_ratings(folder, {("MEL", "ISIC_0000002.png"): Rating(4), ("NV", "ISIC_0000001.png"): Rating(0, True)})
    with SyntheticDataset.open(folder) as dataset:
        holder = (folder / LOCK).read_bytes()
        dataset.trash.delete([folder / "MEL/ISIC_0000001.png"])
        again = dataset.trash.delete([folder / "MEL/ISIC_0000003.png"])
        dataset.trash.restore(again.trash_id)
        request = make_request(folder, "DF=2", seed=7)
        run = dataset.begin_run(request, plan(dataset, request))
        fill(dataset, dataclasses.replace(run, slots=run.slots[:1]))
        gone = make_request(folder, "BKL=1", seed=8)
        discarded = dataset.begin_run(gone, plan(dataset, gone))
        fill(dataset, discarded)
        dataset.discard_run(discarded)
    (folder / LOCK).write_bytes(holder)


def make_legacy(folder: Path) -> None:
    """Write what the predecessor left: pictures with sidecars and a table, no journal."""
    generate(folder, "MEL=3")
    shutil.rmtree(folder / ".isicgui")
    (folder / JOURNAL).parent.mkdir()
    for path in folder.glob("MEL/*.png"):
        from PIL import Image

        with Image.open(path) as image:
            pixels = image.convert("RGB")
        pixels.save(path)


def read(folder: Path) -> None:
    """Look at the folder as the window does, then open it for writing and do everything that can be done in it."""
    _look(folder)
    with SyntheticDataset.open(folder) as dataset:
        runs = dataset.unfinished()
        deletions = dataset.trash.deletions
        "".join(dataset.notices).encode()
        for deletion in deletions[:1]:
            _allowed(dataset.trash.restore, deletion.trash_id)
        _allowed(dataset.trash.empty)
        for run in runs[:1]:
            _allowed(fill, dataset, run)
        for run in runs[1:]:
            _allowed(dataset.discard_run, run)
    _export(folder)
    changes = RunChanges(models=folder / "no models")
    _allowed(lambda: list(ImageGenerator().resume(folder, changes=changes)))


def read_image(folder: Path) -> None:
    """Read a picture that may be no picture, with the folder around it."""
    from core.generator.reproduce import prepare
    from core.images import check_intact, read_image
    from dataset.png import read_recipe
    from xai.subject import read_subject

    for look in (read_recipe, read_image, check_intact, read_subject, prepare):
        _allowed(look, folder / IMAGE)
    read(folder)


def make_curated(folder: Path) -> None:
    """Write a collection and a curation of it."""
    for number in range(1, 5):
        put(folder / "set", "MEL", number, number)
    decisions = (
        Decision(p.relative_to(folder / "set").as_posix(), sha256_of(p), "MEL", number > 0, "copies", "a copy", 0.5)
        for number, p in enumerate(sorted((folder / "set").rglob("*.png")))
    )
    (folder / "curation.csv").write_text(render_curation(decisions), encoding="utf-8")


def read_curated(folder: Path) -> None:
    """Export what a curation keeps."""
    list(export(plan_export(folder / "set", ExportOptions(folder / "to", curation=folder / "curation.csv"))))


def _look(folder: Path) -> None:
    for look in (read_records, read_deletions, read_run_ids, read_ratings, read_notes, find_unfinished):
        look(folder)
    who_holds(Layout(folder).state)


def _export(folder: Path) -> None:
    _allowed(lambda: list(export(plan_export(folder, ExportOptions(folder.parent / "case/exported")))))


def _allowed(work, *arguments) -> None:
    """Do something that may be refused in words: what a damaged picture, table or run line really brings about."""
    try:
        work(*arguments)
    except ISICGUIError as error:
        if not (error.message and error.remedy):
            raise ValueError("no words or no remedy") from error
        str(error).encode()


FOLDER_KINDS = {
    "journal": Kind(make, {JOURNAL: as_lines}, read, refuses=False),
    "run line": Kind(make, {JOURNAL: lines_of("run", "end", "discard", "import")}, read, refuses=False),
    "image line": Kind(make, {JOURNAL: lines_of("image")}, read, refuses=False),
    "trash lines": Kind(make, {JOURNAL: lines_of("trash", "restore", "empty", "trash-end")}, read, refuses=False),
    "ratings": Kind(make, {".isicgui/ratings.jsonl": as_lines}, read, refuses=False),
    "lock": Kind(make, {LOCK: as_json}, read, refuses=False),
    "recipe": Kind(make, {IMAGE: as_recipe}, read_image, refuses=False),
    "sidecar": Kind(make, {IMAGE.replace(".png", ".json"): as_json}, read, refuses=False),
    "table": Kind(make, {"synthetic_dataset.csv": as_table}, read, refuses=False),
    "legacy table": Kind(make_legacy, {"synthetic_dataset.csv": as_table}, read, refuses=False),
    "legacy sidecar": Kind(make_legacy, {IMAGE.replace(".png", ".json"): as_json}, read, refuses=False),
    "curation": Kind(make_curated, {"curation.csv": as_table}, read_curated),
}
