"""Copies of training images: each guise named, none where there is none, and what is left on disk."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from core.errors import OutputError
from core.files.text import finite
from evaluation.memorisation import memorisation
from evaluation.sets import read_set
from measures.features import PIXELS, Extractor
from measures.memorisation import judge_memorisation
from reports.model import Figure, Paragraph, Table
from tests.evaluation.pictures import photographs, recompressed, write_set
from tests.support.watched_job import WatchedJob

TRAIN = 60


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("sets")
    return {
        "root": root,
        "train": read_set(write_set(root / "train", photographs(TRAIN, seed=1))),
        "held_out": read_set(write_set(root / "held_out", photographs(120, seed=2))),
    }


def judge(folders, tmp_path, pictures):
    synthetic = read_set(write_set(tmp_path / "synthetic", pictures))
    return memorisation(synthetic, folders["train"], folders["held_out"], PIXELS, tmp_path / "out")


GUISES = {
    "exact": lambda p: p,
    "mirrored": lambda p: p[:, ::-1],
    "turned": lambda p: np.rot90(p).copy(),
    "recompressed": recompressed,
    "shifted": lambda p: np.roll(p, 2, axis=1),
}


@pytest.mark.parametrize("guise", GUISES)
def test_a_set_of_copies_gets_the_verdict_it_deserves(folders, tmp_path, guise):
    originals = photographs(TRAIN, seed=1)[:20]
    found = judge(folders, tmp_path, [GUISES[guise](picture) for picture in originals])
    assert found.level == "bad"
    assert found.data["flagged"] >= 19, "95 % of them"
    assert "likely copies" in found.verdict
    names = [(pair["synthetic"], pair["nearest_train"]) for pair in found.data["pairs"]]
    assert sum(a.rsplit("/")[-1].split(".")[0] == b.rsplit("/")[-1].split(".")[0] for a, b in names) >= 9


def test_new_pictures_are_no_copies(folders, tmp_path):
    found = judge(folders, tmp_path, photographs(100, seed=3))
    assert found.level in ("good", "doubt")
    assert found.data["flagged"] <= 5
    assert found.data["low"] <= 0 <= found.data["high"]


def test_copies_are_counted_class_by_class(folders, tmp_path):
    # Pictures 0, 7, 14, ... are MEL: only those are copied.
    originals, new = photographs(TRAIN, seed=1), photographs(35, seed=3)
    found = judge(folders, tmp_path, [originals[i] if i % 7 == 0 else new[i] for i in range(35)])
    assert found.data["classes"]["MEL"] == {"n": 5, "flagged": 5}
    assert sum(one["flagged"] for code, one in found.data["classes"].items() if code != "MEL") <= 2


def test_the_table_of_pairs_keeps_its_contract(folders, tmp_path):
    judge(folders, tmp_path, photographs(12, seed=3))
    with (tmp_path / "out" / "memorisation_pairs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["synthetic", "nearest_train", "nearest_heldout", "relative_distance", "flagged"]
    assert len(rows) == 12
    assert {row["flagged"] for row in rows} <= {"0", "1"}
    assert all((folders["root"] / "train").rglob(row["nearest_train"].rsplit("/")[-1] + "*") for row in rows)


def test_numbers_are_json_and_the_picture_warns_of_its_licence(folders, tmp_path):
    found = judge(folders, tmp_path, photographs(12, seed=3))
    json.dumps(finite(found.data), allow_nan=False)
    (picture,) = [part for part in found.parts if isinstance(part, Figure)]
    assert picture.image.startswith(b"\x89PNG")
    assert "mind their licence" in picture.caption


def test_too_little_training_is_unknown_and_said(folders, tmp_path):
    few = folders["train"].only(range(5))
    synthetic = read_set(write_set(tmp_path / "synthetic", photographs(5, seed=3)))
    found = memorisation(synthetic, few, folders["held_out"], PIXELS, tmp_path / "out")
    assert found.level == "unknown"
    assert "5 training images" in found.verdict


def test_a_folder_that_cannot_be_written_is_no_unexpected_error(folders, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError):
        judge(folders, tmp_path, photographs(10, seed=3))


def test_without_second_photographs_the_report_says_that_there_is_no_control(folders, tmp_path):
    found = judge(folders, tmp_path, photographs(12, seed=3))
    assert found.data["control"] is None
    assert any("no positive control" in part.text for part in found.parts if isinstance(part, Paragraph))


def test_the_control_and_the_numbers_of_the_set_stand_beside_the_result(folders, tmp_path):
    pictures = photographs(20, seed=5)
    held_out = read_set(write_set(tmp_path / "held_out", [*pictures, *map(recompressed, pictures)]))
    images = tuple(replace(image, lesion=name) for image, name in zip(held_out.images, _by_name(held_out), strict=True))
    synthetic = read_set(write_set(tmp_path / "synthetic", photographs(12, seed=3)))
    found = memorisation(synthetic, folders["train"], replace(held_out, images=images), PIXELS, tmp_path / "out")
    assert found.data["control"]["n"] == 20
    assert found.data["control"]["share"] >= 0.9
    assert any("of 20 lesions (95 % CI" in part.text for part in found.parts if isinstance(part, Paragraph))
    level = found.data["set_level"][PIXELS.name]
    assert set(level) == {"authentic", "authentic_held_out", "nearer", "low", "high", "c_t"}
    assert (level["authentic"]["n"], level["authentic_held_out"]["n"]) == (12, 20)
    table = [part for part in found.parts if isinstance(part, Table)][-1]
    assert [row[0] for row in table.rows] == [f"{name}, {PIXELS.name}" for name in ("AuthPct", "nearer", "C_T")]
    assert "insensitive below about 10 %" in table.caption
    assert json.loads((tmp_path / "out" / "memorisation.json").read_text())["control"] == found.data["control"]


def _by_name(images):
    """Return the lesion of each picture of which the second twenty repeat the first."""
    return [f"L{int(image.name.rsplit('i', 1)[-1].split('.')[0]) % 20}" for image in images.images]


def test_the_finding_repeats_what_was_judged_with_the_names_of_the_images(folders, tmp_path):
    pictures = photographs(24, seed=3)
    pictures[3], pictures[10] = photographs(TRAIN, seed=1)[[5, 8]]
    synthetic = read_set(write_set(tmp_path / "synthetic", pictures))
    rows, job = Extractor("mean of each row", lambda pixels: pixels.mean(dim=3).flatten(1)), WatchedJob()
    found = memorisation(synthetic, folders["train"], folders["held_out"], rows, tmp_path / "out", job)
    assert {total for _, total in job.told} == {TRAIN + 8 * (24 + 120)}
    sets = [images.pixels(128) for images in (synthetic, folders["train"], folders["held_out"])]
    judged = judge_memorisation(*sets, rows, folders["held_out"].lesions)
    for key in ("excess", "low", "high", "flagged", "n", "expected", "threshold", "train", "held_out"):
        assert found.data[key] == getattr(judged, key)
    assert len(found.data["pairs"]) == 10
    for said, pair in zip(found.data["pairs"], judged.pairs, strict=False):
        assert said == {
            "synthetic": synthetic.images[pair.sample].name, "nearest_train": folders["train"].images[pair.train].name,
            "nearest_heldout": folders["held_out"].images[pair.held_out].name, "space": pair.space,
            "relative_distance": pair.relative_distance, "score": pair.score, "flagged": pair.flagged,
        }  # fmt: skip
    assert sum(one["n"] for one in found.data["classes"].values()) == 24
    assert sum(one["flagged"] for one in found.data["classes"].values()) == judged.flagged
    tables = [part for part in found.parts if isinstance(part, Table)]
    assert tables[0].caption == "By class"
    assert [row[0] for row in tables[1].rows] == [pair["synthetic"] for pair in found.data["pairs"]]
    assert [row[4] for row in tables[1].rows] == ["yes" if pair["flagged"] else "no" for pair in found.data["pairs"]]


def test_a_set_of_one_class_has_no_table_of_classes(folders, tmp_path):
    synthetic = read_set(write_set(tmp_path / "synthetic", photographs(8, seed=3)))
    one = synthetic.only([row for row, image in enumerate(synthetic.images) if image.code == "MEL"])
    found = memorisation(one, folders["train"], folders["held_out"], PIXELS, tmp_path / "out")
    assert found.data["classes"] == {"MEL": {"n": 2, "flagged": found.data["flagged"]}}
    captions = [part.caption for part in found.parts if isinstance(part, Table)]
    assert len(captions) == 2
    assert "By class" not in captions
