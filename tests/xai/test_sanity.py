"""Maps that depend on what was learnt, and maps that do not."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.jobs.stream import JobStopped
from tests.support.replaced_method import replace_method
from tests.support.stopping_job import StoppingJob
from tests.support.tiny_classifier import write_tiny_classifier
from xai.attribution import Attribution
from xai.classifier import Classifier, load_classifier
from xai.sanity import (
    FILE_NAME,
    Sanity,
    Stage,
    check_sanity,
    in_cells,
    known_sanity,
    read_sanity,
    sanity_of,
    save_sanity,
)
from xai.task import Task


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISICGUI_HOME", str(tmp_path / "home"))


@pytest.fixture
def classifier(tmp_path: Path) -> Classifier:
    return load_classifier(write_tiny_classifier(tmp_path / "classifier"))


def made_of(values: np.ndarray) -> Attribution:
    return Attribution(values.astype(np.float32), 1.0, 0.0, 0.0, None, 1)


def edges(task: Task) -> Attribution:
    """A method that never asks the classifier."""
    return made_of(np.gradient(task.picture.astype(float), axis=0))


def weights(task: Task) -> Attribution:
    """A method that is nothing but the classifier's head."""
    seed = int(1e6 * float(task.classifier.architecture.head_of(task.classifier.net).weight.sum()))
    return made_of(np.random.default_rng(abs(seed)).normal(size=task.picture.shape))


def test_an_edge_detector_is_found_out(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_method(monkeypatch, "ig", edges)
    found = check_sanity(classifier, "ig")
    assert found.similarity == pytest.approx(1)
    assert all(stage.signed == pytest.approx(1) for stage in found.stages)


def test_a_map_of_the_weights_passes(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_method(monkeypatch, "ig", weights)
    assert check_sanity(classifier, "ig").similarity < 0.2


def test_each_stage_randomises_more_and_the_classifier_itself_stays(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: tensor.clone() for name, tensor in classifier.net.state_dict().items()}
    changed: list[set[str]] = []

    def watch(task: Task) -> Attribution:
        now = task.classifier.net.state_dict()
        changed.append({name for name, tensor in before.items() if not torch.equal(tensor, now[name])})
        return edges(task)

    replace_method(monkeypatch, "ig", watch)
    stages = check_sanity(classifier, "ig").stages
    steps = [changed[0], *changed[3::3]]
    assert steps[0] == set()
    assert steps[1] == {"fc.weight", "fc.bias"}
    assert all(smaller < larger for smaller, larger in itertools.pairwise(steps))
    assert {name for name in before if name.endswith("weight") and before[name].ndim > 1} <= steps[-1]
    assert stages[0].randomised == "fc"
    assert all(torch.equal(tensor, before[name]) for name, tensor in classifier.net.state_dict().items())


def test_it_is_measured_once_for_each_checkpoint(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Task] = []
    replace_method(monkeypatch, "ig", lambda task: asked.append(task) or edges(task))
    assert known_sanity(classifier, "ig") is None
    first = sanity_of(classifier, "ig")
    count = len(asked)
    assert sanity_of(classifier, "ig") == first == known_sanity(classifier, "ig")
    assert len(asked) == count > 0
    assert known_sanity(replace(classifier, sha256="cd" * 32), "ig") is None


def test_what_ships_beside_the_weights_is_used(classifier: Classifier) -> None:
    shipped = Sanity("gradcam", (Stage("fc", 0.75, 0.8),))
    save_sanity(classifier.path.parent / FILE_NAME, classifier.sha256, shipped)
    assert sanity_of(classifier, "gradcam") == shipped


def test_results_of_several_methods_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "sanity.json"
    both = [Sanity(name, (Stage("fc", 0.1, 0.2), Stage("conv1", -0.3, 0.4))) for name in ("ig", "gradcam")]
    for each in both:
        save_sanity(path, "ab", each)
    assert read_sanity(path, "ab") == {each.method: each for each in both}
    assert read_sanity(path, "cd") == {}
    assert both[0].similarity == 0
    assert json.loads(path.read_text(encoding="utf-8"))["methods"]["ig"]["similarity"] == 0


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1, "sha256": "ab", "methods": {"ig": {"stages": [1]}}}'])
def test_a_damaged_file_is_no_result(tmp_path: Path, text: str) -> None:
    (tmp_path / "sanity.json").write_text(text, encoding="utf-8")
    assert read_sanity(tmp_path / "sanity.json", "ab") == {}


def test_it_can_be_cancelled(classifier: Classifier) -> None:
    with pytest.raises(JobStopped):
        check_sanity(classifier, "gradcam", context=StoppingJob(lambda: True))
    assert known_sanity(classifier, "gradcam") is None


def test_cells_by_hand() -> None:
    values = np.zeros((4, 4, 3))
    values[:2, :2] = [1, 2, 3]
    values[3, 3, 0] = 8
    np.testing.assert_allclose(in_cells(values, 2), [[6, 0], [0, 2]])
