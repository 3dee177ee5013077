"""Class fidelity stands beside what the judge reaches on photographs that it has not learnt from."""

from __future__ import annotations

import numpy as np
import pytest

from core.models.classification.learnt import write_learnt
from core.models.classification.loading import load_network
from core.taxonomy import CLASS_CODES
from evaluation.fidelity import fidelity_section, not_learnt
from evaluation.sets import read_set
from tests.support.picture_sets import write_folders, write_labelled
from tests.support.tiny_classifier import write_tiny_classifier

TWO = {"MEL": 12, "NV": 12}
SEVEN = dict.fromkeys(CLASS_CODES, 4)
MATRIX = np.eye(7, dtype=int)


@pytest.fixture
def judge(tmp_path):
    """Return a function that writes a classifier which has learnt from photographs of the given ids."""

    def write(*learnt):
        folder = write_tiny_classifier(tmp_path / "judge")
        if learnt != (None,):
            write_learnt(folder, learnt)
        return load_network(folder)

    return write


def sets(tmp_path, classes, real=None):
    write_folders(tmp_path / "set", classes)
    write_labelled(tmp_path / "real", real or classes)
    return read_set(tmp_path / "set"), read_set(tmp_path / "real")


def test_what_the_judge_has_learnt_from_is_left_out(tmp_path, judge):
    synthetic, real = sets(tmp_path, TWO)
    network = judge(*(f"MEL{i}" for i in range(5)), *(f"NV{i}" for i in range(3)))
    found = fidelity_section(network, synthetic, real, 48)
    assert found.data["real"]["n"] == 24 - 8
    assert found.data["real_source"] == "measured"
    assert "has not learnt from" in found.verdict
    assert {image.name for image in not_learnt(network, real, synthetic).images} == (
        {f"MEL{i}" for i in range(5, 12)} | {f"NV{i}" for i in range(3, 12)}
    )


def test_photographs_are_known_by_their_files_too(tmp_path, judge):
    synthetic, real = sets(tmp_path, TWO)
    assert len(not_learnt(judge("MEL_4", "some_other"), real, synthetic)) == 23


def test_only_the_classes_of_the_set_count(tmp_path, judge):
    synthetic, real = sets(tmp_path, TWO, SEVEN)
    found = fidelity_section(judge("other"), synthetic, real, 48)
    assert found.data["real"]["n"] == 8
    assert "chance 0.500" in found.verdict


@pytest.mark.parametrize("learnt", [None, "all"])
def test_without_such_photographs_the_description_counts(tmp_path, judge, learnt):
    """Its maker's number, over the same seven classes; measuring on what it has learnt from would be too good."""
    synthetic, real = sets(tmp_path, SEVEN)
    names = (None,) if learnt is None else [image.name for image in real.images]
    network = judge(*names)
    found = fidelity_section(network, synthetic, real, 48)
    record = network.record.validation
    assert found.data["real_source"] == "recorded"
    assert found.data["real"]["balanced_accuracy"] == record.balanced_accuracy
    assert "by its description" in found.verdict


def test_of_other_classes_the_description_says_nothing(tmp_path, judge):
    synthetic, real = sets(tmp_path, TWO)
    found = fidelity_section(judge(None), synthetic, real, 48)
    assert found.level == "unknown"
    assert found.data["real"] is None
    assert found.data["real_source"] == "unknown"
    assert "certainly not learnt from" in found.verdict


def test_a_class_without_such_photographs_is_not_compared_by_the_others(tmp_path, judge):
    synthetic, real = sets(tmp_path, TWO)
    found = fidelity_section(judge(*(f"NV{i}" for i in range(12))), synthetic, real, 48)
    assert found.data["real_source"] == "unknown"


def test_the_rule_of_80_percent_uses_what_is_not_learnt(tmp_path, judge, monkeypatch):
    """The accuracies are planted by hand: which of them the level depends on is what is tested."""
    from diffusion.fidelity import Accuracy
    from evaluation import fidelity

    answers = {}
    monkeypatch.setattr(fidelity, "_accuracy", lambda network, images, *_, **__: (answers[images.name], MATRIX))
    synthetic, real = sets(tmp_path, TWO)
    for generated, on_real, level in ((0.79, 1.0, "doubt"), (0.81, 1.0, "good"), (0.61, 0.75, "good")):
        answers.update(set=Accuracy(generated, 0.55, 0.9, 24), real=Accuracy(on_real, 0.6, 1.0, 23))
        assert fidelity_section(judge("MEL0"), synthetic, real, 48).level == level


@pytest.mark.parametrize(("each", "is_said"), [(14, True), (15, False)])
def test_few_images_are_said_in_the_sentence_of_the_number(tmp_path, judge, each, is_said):
    synthetic, real = sets(tmp_path, {"MEL": each, "NV": each}, {"MEL": 20, "NV": 20})
    words = fidelity_section(judge("other"), synthetic, real, 48).verdict
    assert (f"n = {2 * each}, too few to say much; chance 0.500" in words) == is_said
    assert "(n = 40)" in words
