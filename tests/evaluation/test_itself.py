"""A set compared with itself, or with images that are no photographs: said before all else, and nothing is good."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

from core.events import Notice
from core.jobs.stream import JobContext
from core.message import Message
from dataset.png import synthetic_mark
from evaluation.itself import fault_section, in_one
from evaluation.request import EvaluationRequest, Judged
from evaluation.run import evaluate
from tests.support.picture_sets import write_folders, write_labelled
from tests.support.tiny_classifier import write_tiny_classifier

CLASSES = {"MEL": 13, "NV": 12}
MEASURES = ("fidelity", "diversity", "appearance")


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    home = tmp_path_factory.mktemp("itself")
    write_labelled(home / "real", CLASSES)
    write_labelled(home / "train", CLASSES, first_seed=200_000)
    write_folders(home / "set", CLASSES)
    write_tiny_classifier(home / "judge")
    return home


def judge(places, output, synthetic, real, train=None):
    events = []
    request = EvaluationRequest(
        (synthetic,), real, output, train=train, evaluator=places / "judge", cache=places / "cache", device="cpu",
        measures=MEASURES,
    )  # fmt: skip
    return evaluate(request, JobContext(tell=events.append)).sets[0], events


def check_void(found, events, words):
    assert found.level == "bad"
    assert "says nothing about the set" in found.verdict
    assert words in found.verdict
    assert [one.key for one in found.sections] == ["comparison", *MEASURES]
    assert {one.level for one in found.sections} == {"bad"}
    told = [event for event in events if isinstance(event, Judged | Notice)]
    assert words in told[0].message if isinstance(told[0], Notice) else False, "before everything else"


def test_an_honest_set_is_not_void(places, tmp_path):
    found, events = judge(places, tmp_path / "out", places / "set", places / "real", places / "train")
    assert [one.key for one in found.sections] == list(MEASURES)
    assert found.faults == ()
    assert not [event for event in events if isinstance(event, Notice) and event.kind == "comparison"]


def test_the_same_folder(places, tmp_path):
    check_void(*judge(places, tmp_path / "out", places / "real", places / "real"), "the same folder")


def test_the_same_folder_by_another_name(places, tmp_path):
    (tmp_path / "link").symlink_to(places / "train", target_is_directory=True)
    check_void(
        *judge(places, tmp_path / "out", tmp_path / "link", places / "real", places / "train"), "the same folder"
    )


def test_the_same_files(places, tmp_path):
    shutil.copytree(places / "set", tmp_path / "set")
    shutil.copy(places / "real" / "MEL_3.png", tmp_path / "set" / "MEL" / "other.png")
    check_void(*judge(places, tmp_path / "out", tmp_path / "set", places / "real"), "1 of 26 images are held-out")


def test_the_same_pixels_in_other_files(places, tmp_path):
    shutil.copytree(places / "set", tmp_path / "set")
    with Image.open(places / "real" / "MEL_3.png") as picture:
        picture.save(tmp_path / "set" / "MEL" / "other.bmp")
    check_void(*judge(places, tmp_path / "out", tmp_path / "set", places / "real"), "1 of 26 images are held-out")


@pytest.mark.parametrize("role", ["real", "train"])
def test_photographs_that_carry_a_recipe(places, tmp_path, role):
    shutil.copytree(places / role, tmp_path / role)
    pixels = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / role / "MEL_3.png", pnginfo=synthetic_mark())
    sets = {"real": places / "real", "train": places / "train"} | {role: tmp_path / role}
    words = {"real": "1 of the 25 held-out photographs", "train": "1 of the 25 training photographs"}[role]
    check_void(*judge(places, tmp_path / "out", places / "set", **sets), words)


def test_every_fault_is_said():
    faults = [Message("One."), Message("Two."), Message("Three.")]
    assert [in_one(faults[:count]) for count in (1, 2, 3)] == ["One.", "One. Two.", "One. Two. Three."]
    assert fault_section(faults).verdict == "One. Two. Three."
