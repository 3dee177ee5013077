"""Folders of labelled pictures made on the spot, with several pictures of some lesions, in every form that is read."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from core.taxonomy import CLASS_CODES


def write_labelled_folder(folder: Path, *, lesions: int = 6, size: int = 24, val: int = 0) -> Path:
    """Write `lesions` lesions of each class; every second lesion has two pictures; the colour tells the class.

    Parameters
    ----------
    val
        Number of further lesions of each class that the table marks as `val`.
    """
    rows = [
        _row(code, lesion, view) for code in CLASS_CODES for lesion in range(lesions) for view in range(1 + lesion % 2)
    ]
    rows += [_row(code, lesions + extra, 0, "val") for code in CLASS_CODES for extra in range(val)]
    _write_pictures(folder, rows, size)
    write_table(folder / "labels.csv", rows)
    return folder


def write_ham10000(folder: Path, *, lesions: int = 2, size: int = 24, parts: bool = False) -> Path:
    """Write HAM10000's form: `metadata/HAM10000_metadata.csv` and `images/`; with `parts` as Kaggle lays it out."""
    homes = ("HAM10000_images_part_1", "HAM10000_images_part_2") if parts else ("images", "images")
    rows = [
        {**row, "path": f"{homes[index % 2]}/{row['id']}.jpg"}
        for index, row in enumerate(_row(code, lesion, 0) for code in CLASS_CODES for lesion in range(lesions))
    ]
    _write_pictures(folder, rows, size)
    table = [{"lesion_id": row["lesion_id"], "image_id": row["id"], "dx": row["class"].lower()} for row in rows]
    write_table(folder / ("" if parts else "metadata") / "HAM10000_metadata.csv", table)
    return folder


def write_isic2018(
    folder: Path, *, lesions: int = 2, size: int = 24, part: str = "Training", suffix: str = "", groups: bool = False
) -> Path:
    """Write ISIC 2018 Task 3's form: a one-hot table beside its `_Input` folder; `groups` adds the lesion table."""
    stem = f"ISIC2018_Task3_{part}"
    rows = [_row(code, lesion, view) for code in CLASS_CODES for lesion in range(lesions) for view in range(2)]
    for row in rows:
        row["id"] = f"{part}_{row['id']}"
        row["path"] = f"{stem}_Input/{row['id']}.jpg"
    _write_pictures(folder, rows, size)
    hot = [{c: f"{float(c == row['class']):.1f}" for c in CLASS_CODES} for row in rows]
    table = [{"image": row["id"] + suffix, **cells} for row, cells in zip(rows, hot, strict=True)]
    write_table(folder / f"{stem}_GroundTruth.csv", table)
    if groups:
        names = [{"image": row["id"], "lesion_id": row["lesion_id"]} for row in rows]
        write_table(folder / f"{stem}_LesionGroupings.csv", names)
    return folder


def write_image_folder(folder: Path, *, images: int = 2, size: int = 24, parts: Sequence[str] = ("",)) -> Path:
    """Write `images` pictures into one folder for each class, inside each of `parts` (such as train, test)."""
    rows = [
        {"class": code, "path": f"{part}/{code}/{number}.png".lstrip("/")}
        for part in parts
        for code in CLASS_CODES
        for number in range(images)
    ]
    _write_pictures(folder, rows, size)
    return folder


def write_csv_dataset(folder: Path, *, lesions: int = 2, size: int = 24, group: bool = True) -> Path:
    """Write pictures and a table of path, class and maybe group; every lesion has two pictures. Return the table."""
    rows = [_row(code, lesion, view) for code in CLASS_CODES for lesion in range(lesions) for view in range(2)]
    _write_pictures(folder, rows, size)
    named = {"group": "lesion_id"} if group else {}
    columns = {"path": "path", "class": "class", **named}
    write_table(folder / "photographs.csv", [{new: row[old] for new, old in columns.items()} for row in rows])
    return folder / "photographs.csv"


def write_table(
    path: Path, rows: Sequence[Mapping[str, str]], *, delimiter: str = ",", encoding: str = "utf-8"
) -> None:
    """Write rows of equal columns as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as stream:
        table = csv.DictWriter(stream, fieldnames=list(rows[0]), delimiter=delimiter)
        table.writeheader()
        table.writerows(rows)


def _write_pictures(folder: Path, rows: Sequence[Mapping[str, str]], size: int) -> None:
    rng = np.random.default_rng(0)
    for row in rows:
        _write_picture(folder / row["path"], CLASS_CODES.index(row["class"]), size, rng)


def _row(code: str, lesion: int, view: int, split: str = "train") -> dict[str, str]:
    name = f"{code}_{lesion}_{view}"
    return {"id": name, "class": code, "lesion_id": f"L_{code}_{lesion}", "split": split, "path": f"{code}/{name}.png"}


def _write_picture(path: Path, label: int, size: int, rng: np.random.Generator) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = np.array([(label & 1) * 200, (label >> 1 & 1) * 200, (label >> 2 & 1) * 200])
    noise = rng.integers(0, 40, size=(size, size, 3))
    Image.fromarray((colour + noise).astype(np.uint8)).save(path)
