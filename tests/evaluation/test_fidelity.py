"""What a classifier sees in each image, counted by hand: recall of each class, and which images are asked about."""

from __future__ import annotations

import numpy as np
import pytest

from core.models.classification.learnt import write_learnt
from core.models.classification.loading import load_network
from core.taxonomy import CLASS_CODES
from diffusion.fidelity import balanced_accuracy, predict
from evaluation import fidelity
from evaluation.fidelity import fidelity_section
from evaluation.sets import read_set
from reports.model import Table
from tests.evaluation.pictures import photographs, write_set
from tests.support.tiny_classifier import write_tiny_classifier
from tests.support.watched_job import WatchedJob


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    folder = write_tiny_classifier(tmp_path_factory.mktemp("judge"))
    write_learnt(folder, ())
    return load_network(folder)


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    home = tmp_path_factory.mktemp("sets")
    return read_set(write_set(home / "a", photographs(20, 1))), read_set(write_set(home / "b", photographs(70, 2)))


def test_every_image_is_asked_about_and_nothing_else(judge, sets):
    synthetic, real = sets[0].only(range(9)), sets[1]
    codes = set(synthetic.counts)
    known = real.only([row for row, image in enumerate(real.images) if image.code in codes])
    job = WatchedJob()
    found = fidelity_section(judge, synthetic, real, 48, job)
    total = len(synthetic) + len(known)
    assert job.told[-1] == (total, total)
    for name, images in (("generated", synthetic), ("real", known)):
        seen = predict(judge, images.pixels(48), images.labels)
        right = [np.mean(seen[images.labels == label] == label) for label in np.unique(images.labels)]
        assert found.data[name]["balanced_accuracy"] == pytest.approx(np.mean(right))
        assert found.data[name]["n"] == len(images)
        assert found.data[name]["low"] == balanced_accuracy(images.labels, seen, [i.name for i in images.images]).low
    seen = predict(judge, synthetic.pixels(48), synthetic.labels)
    matrix = np.zeros((7, 7), int)
    for asked, answer in zip(synthetic.labels, seen, strict=True):
        matrix[asked, answer] += 1
    assert found.data["matrix"] == matrix.tolist()
    assert found.data["classes"] == list(CLASS_CODES)
    assert found.data["evaluator"] == f"small_cnn@{judge.sha256[:8]}"
    assert f"chance {1 / len(codes):.3f}" in found.verdict


def test_the_table_has_the_recall_of_each_class_and_what_it_is_taken_for():
    matrix = np.zeros((7, 7), int)
    matrix[0, :3] = 1, 1, 2
    matrix[4, 4] = 3
    rows = fidelity._table(matrix).rows
    assert rows == [("MEL", "4", "0.25", "BCC"), ("BKL", "3", "1.00", "BKL")]


def test_without_classifier_classes_or_photographs_of_them(judge, sets, tmp_path):
    assert "no classifier" in fidelity_section(None, *sets, 48).verdict
    heap = read_set(write_heap(tmp_path / "heap"))
    assert "needs a target class" in fidelity_section(judge, heap, sets[1], 48).verdict
    images = sets[1]
    nevi = images.only([row for row, image in enumerate(images.images) if image.code == "NV"])
    others = images.only([row for row, image in enumerate(images.images) if image.code != "NV"])
    found = fidelity_section(judge, others, nevi, 48)
    assert (found.level, found.data["real"]) == ("unknown", None)
    assert "certainly not learnt from" in found.verdict
    assert any(isinstance(part, Table) for part in found.parts)


def write_heap(folder):
    write_set(folder / "x", photographs(3))
    for number, path in enumerate(sorted(folder.rglob("*.png"))):
        path.rename(folder / f"{number}.png")
    return folder
