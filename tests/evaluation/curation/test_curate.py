"""Curation of pictures on disk: planted copies, twins and wrong classes are found; everything is written down."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.cancel import StopMode
from core.errors import InputRefusedError, UsageError
from core.jobs.stream import JobContext, JobStopped
from core.models.classification.loading import load_network
from core.taxonomy import CLASS_CODES
from dataset.curation import read_curation
from evaluation.curation.curate import curate
from evaluation.curation.evidence import measure_fidelity, measure_twins
from evaluation.curation.rules import parse_rules
from evaluation.sets import read_set
from tests.measures.photographs import photographs, recompressed
from tests.support.tiny_classifier import draw_lesion, write_tiny_classifier
from tests.support.watched_job import WatchedJob

pytestmark = pytest.mark.slow


def save(folder: Path, name: str, pixels: np.ndarray) -> None:
    """Write (3, S, S) or (S, S, 3) pixels."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.transpose(1, 2, 0) if pixels.shape[0] == 3 else pixels).save(path)


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    return load_network(write_tiny_classifier(tmp_path_factory.mktemp("judge")))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Forty training and forty held-out photographs."""
    folder = tmp_path_factory.mktemp("photos")
    for part, seed in (("train", 1), ("held", 2)):
        for number, pixels in enumerate(photographs(40, seed, 32)):
            save(folder, f"{part}/NV/{number:03d}.png", pixels)
    return read_set(folder / "train"), read_set(folder / "held")


def decisions(found) -> dict[str, str]:
    return {decision.image: decision.rule for decision in found.decisions}


def test_images_of_another_class_than_asked_for_are_left_out(tmp_path, judge):
    for number in range(5):
        save(tmp_path, f"NV/{number}.png", draw_lesion("NV", 100 + number))
        save(tmp_path, f"MEL/{number}.png", draw_lesion("MEL", 100 + number))
    save(tmp_path, "MEL/wrong.png", draw_lesion("VASC", 7))
    found = curate(read_set(tmp_path), parse_rules("fidelity>=0.5"), network=judge)
    assert decisions(found)["MEL/wrong.png"] == "fidelity"
    assert sum(rule == "fidelity" for rule in decisions(found).values()) <= 2
    wrong = next(decision for decision in found.decisions if decision.image == "MEL/wrong.png")
    assert wrong.fidelity < 0.5
    assert wrong.seen_as == "VASC"
    assert wrong.reason.startswith("Target class MEL, predicted class VASC")


def test_planted_copies_of_training_images_are_left_out(tmp_path, judge, photos):
    train, held = photos
    copied = recompressed(train.pixels(32)[:10])[:, :, :, ::-1]
    for number, pixels in enumerate([*copied, *photographs(30, 3, 32)]):
        save(tmp_path, f"NV/{number:02d}.png", pixels)
    found = curate(read_set(tmp_path), parse_rules("copies"), train=train, held_out=held, network=judge)
    left_out = {name for name, rule in decisions(found).items() if rule == "copies"}
    assert {f"NV/{number:02d}.png" for number in range(10)} <= left_out
    assert len(left_out) <= 13
    first = next(decision for decision in found.decisions if decision.image == "NV/00.png")
    assert first.nearest_train == "NV/000.png"


def test_of_planted_twins_one_is_kept(tmp_path, judge):
    originals = photographs(8, 4, 64)
    for number, pixels in enumerate([*originals, *recompressed(originals)[:3, :, ::-1]]):
        save(tmp_path, f"NV/{number:02d}.png", pixels)
    found = curate(read_set(tmp_path), parse_rules("duplicates"), network=judge)
    left_out = {name for name, rule in decisions(found).items() if rule == "duplicates"}
    pairs = [{f"NV/{number:02d}.png", f"NV/{number + 8:02d}.png"} for number in range(3)]
    assert [len(pair & left_out) for pair in pairs] == [1, 1, 1]
    assert len(left_out) == 3
    assert len(found.kept) == 8


def test_every_file_is_in_the_log_with_its_checksum(tmp_path, judge):
    for number in range(6):
        save(tmp_path / "set", f"BCC/{number}.png", draw_lesion("BCC", number))
    (tmp_path / "set/BCC/torn.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    found = curate(read_set(tmp_path / "set"), parse_rules("best=50%"), network=judge)
    path = found.save(tmp_path / "out")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = {row["image"]: row for row in csv.DictReader(stream)}
    assert len(rows) == 7
    assert rows["BCC/torn.png"]["rule"] == "unreadable"
    assert "torn.png" in rows["BCC/torn.png"]["reason"]
    for name in ("BCC/0.png", "BCC/5.png"):
        assert rows[name]["sha256"] == hashlib.sha256((tmp_path / "set" / name).read_bytes()).hexdigest()
    ranks = sorted(int(row["rank"]) for row in rows.values() if row["rank"])
    assert ranks == [1, 2, 3, 4, 5, 6]
    assert {name for name, row in rows.items() if row["kept"] == "1"} == {image.name for image in found.kept.images}
    assert {name for name, choice in read_curation(path).choices.items() if choice.kept} == {
        name for name, row in rows.items() if row["kept"] == "1"
    }
    summary = json.loads((tmp_path / "out/curation.json").read_text(encoding="utf-8"))
    assert (summary["images"], summary["kept"], summary["left_out"]) == (7, 3, {"best": 3, "unreadable": 1})
    assert summary["classes"] == {"BCC": {"images": 6, "kept": 3}}
    assert found.sentence == "3 of 7 images are kept by the rules best=50%; excluded: best 3, unreadable 1."


def test_one_image_is_judged_alone(tmp_path, judge):
    save(tmp_path, "NV/0.png", draw_lesion("NV"))
    found = curate(read_set(tmp_path), parse_rules("duplicates,best=1,fidelity>=0.01"), network=judge)
    assert len(found.kept) == 1
    assert (found.decisions[0].duplicate_of, found.decisions[0].duplicate_distance) == ("", None)


def test_a_class_of_which_nothing_is_kept_is_named(tmp_path, judge):
    save(tmp_path, "NV/0.png", draw_lesion("NV", 5))
    save(tmp_path, "MEL/0.png", draw_lesion("VASC", 5))
    found = curate(read_set(tmp_path), parse_rules("fidelity>=0.5"), network=judge)
    assert "No image of MEL is kept." in found.notes


def test_the_same_set_gives_the_same_bytes(tmp_path, judge):
    for number in range(4):
        save(tmp_path / "set", f"DF/{number}.png", draw_lesion("DF", number))
    rules = parse_rules("fidelity>=0.1,duplicates")
    logs = [
        curate(read_set(tmp_path / "set"), rules, network=judge).save(tmp_path / name).read_bytes() for name in "ab"
    ]
    assert logs[0] == logs[1]


def test_impossible_wishes_are_refused(tmp_path, judge, photos):
    save(tmp_path / "set", "NV/0.png", draw_lesion("NV"))
    save(tmp_path / "bare", "0.png", draw_lesion("NV"))
    with pytest.raises(UsageError, match="Copy detection"):
        curate(read_set(tmp_path / "set"), parse_rules("copies"), network=judge)
    with pytest.raises(InputRefusedError, match="classes"):
        curate(read_set(tmp_path / "bare"), parse_rules("none"), network=judge)


@pytest.mark.parametrize("stage", ["Classifying the images", "Looking for copies", "Comparing the images"])
def test_it_can_be_stopped_at_every_stage(tmp_path, judge, stage):
    def tell(event):
        if event.words == stage:
            job.cancel.request(StopMode.NOW)

    job = JobContext(tell=tell)
    save(tmp_path, "NV/0.png", draw_lesion("NV"))
    with pytest.raises(JobStopped):
        curate(read_set(tmp_path), parse_rules("none"), network=judge, context=job)


def test_it_can_be_stopped_while_copies_are_looked_for(tmp_path, judge):
    """That takes minutes: the way there is reported, and a stop is heard on it."""
    for index in range(2):
        save(tmp_path, f"set/NV/{index}.png", draw_lesion("NV", index))
    for index in range(30):
        save(tmp_path, f"photographs/NV/{index}.png", draw_lesion("NV", 100 + index))
    photographs = read_set(tmp_path / "photographs")
    train, held_out = photographs.only(range(20)), photographs.only(range(20, 30))
    for reports in (4, 5):
        job = WatchedJob(stop_when=lambda job, reports=reports: len(job.told) == reports)
        with pytest.raises(JobStopped):
            curate(
                read_set(tmp_path / "set"), parse_rules("copies"), train=train, held_out=held_out, network=judge,
                context=job,
            )  # fmt: skip
        assert job.words[:3] == ["Reading the images", "Classifying the images", "Looking for copies"]
        assert "Comparing the images" not in job.words
        assert job.told[3:] == sorted(job.told[3:])


def test_copies_need_both_sides_and_without_them_it_is_told(tmp_path, judge, photos):
    save(tmp_path / "set", "NV/0.png", draw_lesion("NV"))
    images = read_set(tmp_path / "set")
    for sides in ({"train": photos[0]}, {"held_out": photos[1]}):
        with pytest.raises(UsageError, match="Copy detection"):
            curate(images, parse_rules("copies"), network=judge, **sides)
        found = curate(images, parse_rules("none"), network=judge, **sides)
        assert found.decisions[0].copy_score is None
        assert found.decisions[0].nearest_train == ""
        assert any("Copy detection was skipped" in note for note in found.notes)
    found = curate(images, parse_rules("none"), network=judge, train=photos[0], held_out=photos[1])
    assert found.decisions[0].copy_score > 0
    assert not any("Copy detection was skipped" in note for note in found.notes)
    assert any(f"small_cnn@{judge.sha256[:8]} was used for this curation" in note for note in found.notes)


def test_every_decision_says_what_was_measured(tmp_path, judge):
    for number in range(5):
        save(tmp_path, f"NV/{number}.png", draw_lesion("NV", 40 + number))
    images = read_set(tmp_path)
    found = curate(images, parse_rules("none"), network=judge)
    pixels = images.pixels(min(128, images.side))
    fidelity, twins = measure_fidelity(judge, pixels, images.labels), measure_twins(pixels)
    for row, decision in enumerate(found.decisions):
        assert decision.fidelity == pytest.approx(fidelity.probability[row])
        assert decision.seen_as == CLASS_CODES[fidelity.seen[row]]
        assert decision.duplicate_of == images.images[twins.nearest[row]].name
        assert decision.duplicate_distance == pytest.approx(twins.distance[row])
        assert (decision.code, decision.kept, decision.rule) == ("NV", True, "")
    assert sorted(decision.rank for decision in found.decisions) == [1, 2, 3, 4, 5]
    assert found.sentence == "All 5 images are kept by the rules none."
    assert found.evaluator == f"small_cnn@{judge.sha256[:8]}"
    data = found.to_json()
    assert (data["near_duplicate"], data["rules"], data["left_out"], data["format"]) == (0.03, "none", {}, 1)


def test_progress_goes_from_the_images_to_the_decisions(tmp_path, judge, photos):
    save(tmp_path, "NV/0.png", draw_lesion("NV"))
    events = []
    curate(
        read_set(tmp_path), parse_rules("none"), network=judge, train=photos[0], held_out=photos[1],
        context=JobContext(tell=events.append),
    )  # fmt: skip
    first = {}
    for event in events:
        first.setdefault(str(event.words), event.fraction)
    assert first == {
        "Reading the images": 0, "Classifying the images": pytest.approx(0.1), "Looking for copies": pytest.approx(0.2),
        "Comparing the images": pytest.approx(0.9), "Writing the decisions": pytest.approx(1),
    }  # fmt: skip
    fractions = [event.fraction for event in events]
    assert fractions == sorted(fractions)


def test_images_of_a_class_that_the_classifier_does_not_know_are_kept_and_counted(tmp_path, judge):
    for code in ("NV", "DF"):
        for number in range(3):
            save(tmp_path, f"{code}/{number}.png", draw_lesion(code, 60 + number))
    other = replace(judge, classes=tuple("healthy skin" if name == "DF" else name for name in judge.classes))
    found = curate(read_set(tmp_path), parse_rules("fidelity>=0.01"), network=other)
    assert "Not evaluated by the classifier, as it has no such class: 3 images." in found.notes
    assert {decision.fidelity for decision in found.decisions if decision.code == "DF"} == {None}
    assert {image.code for image in found.kept.images} >= {"DF"}
    known = curate(read_set(tmp_path), parse_rules("none"), network=judge)
    assert not any("Not evaluated" in note for note in known.notes)
