"""Looking into an output folder without locking it: for the gallery, exports and evaluation.

Images without a line in the journal (ISICGenerator's, copied ones, rescued ones) are described from their files.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from core.errors import InputRefusedError
from core.files.opening import open_regular
from core.files.own import read_own
from dataset.journal import MAX_BYTES, complete_lines, replay
from dataset.layout import Layout, file_names, strangers_in
from dataset.recipe import Recipe, read_sidecar
from dataset.record import SOURCE, Deletion, ImageRecord, Key, sane_time, time_of_file
from dataset.state import DatasetState
from dataset.table import read_rows

_MOST: Final = 2**53
_MAX_TEXT: Final = 4096

Rows = Mapping[tuple[str, str], Mapping[str, str]]


def is_complete_png(path: Path) -> bool:
    """Whether a file begins and ends as a PNG does; ISICGenerator left half files when it was killed."""
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


def read_records(folder: Path) -> list[ImageRecord]:
    """Return the images that are in a folder now, oldest first; another process may be writing to it.

    Works for folders of ISICGenerator too. Nothing is written, and no picture is opened.

    Raises
    ------
    ForeignPathError
        If the journal or the table is a link, or no regular file.
    OSError
        If one of them cannot be read.
    """
    layout = Layout(folder.absolute())
    state = read_state(layout)
    names = file_names(layout)
    known = [record for key, record in state.records.items() if key[1] in names.get(key[0], ())]
    strangers = list(strangers_in(layout, names, state.records))
    rows = read_rows(layout.table) if strangers else {}
    return known + [describe_by_sidecar(path, code, number, rows) for code, path, number in strangers]


def read_deletions(folder: Path) -> list[Deletion]:
    """Return what is in the trash of a folder now, the oldest deletion first; nothing is written."""
    return [deletion for deletion in read_state(Layout(folder.absolute())).deletions.values() if deletion.files]


def read_state(layout: Layout) -> DatasetState:
    """Return what the journal of a folder adds up to; errors as of `read_records`."""
    state = DatasetState(layout.folder)
    replay(complete_lines(read_own(layout.folder, layout.journal, MAX_BYTES) or b""), state.apply)
    return state


def read_models_folders(folder: Path) -> dict[str, Path]:
    """Return where the models of each run of a folder lay, by run id; errors as of `read_records`."""
    return {run.run_id: run.request.models for run in read_state(Layout(folder.absolute())).runs.values()}


def read_run_ids(folder: Path) -> dict[Key, str]:
    """Return the run of every image that a run of this program made, by (class, file name); no picture is opened."""
    state = read_state(Layout(folder.absolute()))
    return {key: record.run_id for key, record in state.records.items() if record.run_id}
