"""Oddities of real folders and tables, crossed: every way into the program counts and names the same photographs."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from core.jobs.registry import run
from dataset.data_check import DataCheckRequest
from dataset.overview import overview
from evaluation.sets import read_set
from photographs.files import find_photographs
from photographs.masks import Masked, find_masks
from photographs.sources import read_dataset
from xai.run import find_images

OWN = ("MEL/a.jpg", "MEL/b.JPG", "NV/a.jpg", "NV/c.png")


def picture(path: Path, colour: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (colour, 40, 90)).save(path, "PNG" if path.suffix.lower() == ".png" else "JPEG")


def superpixels(folder: Path) -> None:
    picture(folder / "MEL" / "a_superpixels.png", 1)


def companions(folder: Path) -> None:
    (folder / "NV" / "._a.jpg").write_bytes(b"\0\5\x16\7")
    (folder / "NV" / "Thumbs.db").write_bytes(b"x")


def cloud(folder: Path) -> None:
    (folder / "MEL" / ".z.jpg.icloud").write_bytes(b"x")


def dicom(folder: Path) -> None:
    (folder / "MEL" / "z.dcm").write_bytes(b"x")


def cycle(folder: Path) -> None:
    (folder / "MEL" / "latest").symlink_to("..")
    (folder / "NV" / "again").symlink_to(".")


def masks_inside(folder: Path) -> None:
    for name in ("masks/MEL/a.png", "NV/masks/c.png"):
        (folder / name).parent.mkdir(parents=True)
        Image.new("L", (8, 8), 255).save(folder / name)


def maps(folder: Path) -> None:
    picture(folder / "xai_results" / "map.png", 3)


def dangling(folder: Path) -> None:
    (folder / "NV" / "gone.jpg").symlink_to("nowhere.jpg")


ODDITIES: dict[str, tuple[Callable[[Path], None], str]] = {
    "superpixels": (superpixels, "a_superpixels.png"), "companions": (companions, ""), "cloud": (cloud, "cloud"),
    "dicom": (dicom, "DICOM: 1"), "masks": (masks_inside, ""), "maps": (maps, ""), "dangling": (dangling, "gone.jpg"),
}  # fmt: skip
"""What puts an oddity into a folder, and what has to be said of it."""

PAIRS = [*((name,) for name in ODDITIES), *itertools.combinations(ODDITIES, 2), tuple(ODDITIES)]


@pytest.mark.parametrize("names", PAIRS, ids="+".join)
def test_every_way_in_counts_the_same_photographs_and_says_the_same(tmp_path, names):
    for colour, name in enumerate(OWN):
        picture(tmp_path / name, 50 * colour)
    for name in names:
        ODDITIES[name][0](tmp_path)
    said: list[str] = []
    *_, checked = run(DataCheckRequest(tmp_path))
    found = {
        "files": {path.relative_to(tmp_path).as_posix() for path in find_photographs(tmp_path).files},
        "train": {image.image_id for image in read_dataset(tmp_path).images},
        "evaluate": {image.name for image in read_set(tmp_path).images},
        "explain and classify": {
            path.relative_to(tmp_path).as_posix() for path in find_images([tmp_path], said.append)
        },
    }
    for way, names_found in found.items():
        assert names_found == set(OWN), way
    assert checked.total == sum(overview(tmp_path).images.values()) == len(OWN)
    for name in names:
        words = ODDITIES[name][1]
        for notes in (said, read_dataset(tmp_path).notes, read_set(tmp_path).notes, checked.notes):
            assert words in " ".join(notes)


def test_a_cycle_of_links_counts_nothing_twice(tmp_path):
    for colour, name in enumerate(OWN):
        picture(tmp_path / name, 50 * colour)
    cycle(tmp_path)
    assert len(find_photographs(tmp_path).files) == len(OWN)
    assert len(find_images([tmp_path], lambda words: None)) == len(OWN)


ENCODINGS = {"utf-8": "", "utf-8-sig": "", "utf-16": "", "cp1252": "cp1252"}
SEPARATORS = {",": "", ";": "", "\t": "", "sep=;": ""}
MISSING = ("nan", "N/A", "None", "-")
PATHS: dict[str, Callable[[str], str]] = {
    "slashes": str, "backslashes": lambda path: path.replace("/", "\\"), "upper case": str.upper,
    "another suffix": lambda path: path.rsplit(".", 1)[0] + ".jpeg",
}  # fmt: skip


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_tables_of_every_oddity_crossed(tmp_path, encoding, separator, path, missing):
    for colour, name in enumerate(OWN):
        picture(tmp_path / name, 50 * colour)
    sign = separator[-1]
    rows = [("path", "class", "group", "remark")]
    rows += [(PATHS[path](name), name[:3].strip("/").lower(), missing, "Universit\u00e4t") for name in OWN]
    lines = (["sep=;"] if separator == "sep=;" else []) + [sign.join(row) for row in rows]
    (tmp_path / "table.csv").write_bytes("\n".join(lines).encode(encoding))
    found = read_dataset(tmp_path / "table.csv")
    assert {image.path.relative_to(tmp_path).as_posix(): image.code for image in found.images} == {
        name: name.split("/")[0] for name in OWN
    }
    assert not found.grouped
    assert ENCODINGS[encoding] in " ".join(found.notes)


@pytest.mark.parametrize("missing", ["null", "NaN", '"nan"', '""'])
@pytest.mark.parametrize("key", ["image_path", "file_name"])
@pytest.mark.parametrize("label", ["class", "label"])
def test_manifests_of_every_oddity_crossed(tmp_path, key, label, missing):
    for colour, name in enumerate(OWN):
        picture(tmp_path / name, 50 * colour)
    rows = [json.dumps({key: name, label: name.split("/")[0]})[:-1] + f', "lesion_id": {missing}}}' for name in OWN]
    (tmp_path / "metadata.jsonl").write_text("\n".join(rows))
    found = read_dataset(tmp_path / "metadata.jsonl")
    assert {image.image_id for image in found.images} == set(OWN)
    assert not found.grouped


@pytest.mark.parametrize("ending", ["", "_segmentation", "_Mask", "_lesion", "_expert"])
@pytest.mark.parametrize("suffix", [".png", ".PNG", ".bmp", ".tif"])
@pytest.mark.parametrize("where", ["{code}/", "", "masks/{code}/", "flat/"])
def test_masks_of_every_name_crossed(tmp_path, ending, suffix, where):
    images = [Masked(name, name.split("/")[0], Path("photographs", name)) for name in OWN]
    for name in OWN:
        code, stem = name.split("/")[0], Path(name).stem
        mask = tmp_path / where.format(code=code) / f"{stem}{ending}{suffix}"
        mask.parent.mkdir(parents=True, exist_ok=True)
        mask.touch()
    found = find_masks(images, tmp_path)
    clear = set(OWN) if "{code}" in where else {"MEL/b.JPG", "NV/c.png"}  # `a` is there in both classes
    assert found.of.keys() == clear
    assert set(found.ambiguous) == set(OWN) - clear
