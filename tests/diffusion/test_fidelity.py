"""Class fidelity with a classifier that really knows drawn lesions."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InputRefusedError
from core.models.classification.loading import load_network
from core.taxonomy import CLASS_CODES
from diffusion.fidelity import balanced_accuracy, measure_fidelity, predict
from photographs.labelled import LabelledImage, lesion_hash
from photographs.sources import read_dataset
from photographs.splits import split_by_lesion
from tests.support.labelled_data import write_labelled_folder
from tests.support.tiny_classifier import draw_lesion, write_tiny_classifier


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory):
    return write_tiny_classifier(tmp_path_factory.mktemp("classifier"), val_balanced_accuracy_ci95=[0.9, 0.99])


def lesions(codes: list[str], each: int = 6) -> tuple[np.ndarray, np.ndarray]:
    pictures = [draw_lesion(code, 1000 + i) for code in codes for i in range(each)]
    labels = np.repeat([CLASS_CODES.index(code) for code in codes], each)
    return np.stack(pictures).transpose(0, 3, 1, 2), labels


def test_right_images_are_recognised_and_swapped_ones_are_not(folder):
    pixels, labels = lesions(list(CLASS_CODES))
    network = load_network(folder)
    right = measure_fidelity(network, pixels, labels)
    assert right.generated.value > 0.9
    assert np.trace(right.matrix) == (predict(network, pixels, labels) == labels).sum()
    assert right.matrix.sum() == len(labels) == right.generated.n
    swapped = np.where(labels == 0, 6, np.where(labels == 6, 0, labels))
    wrong = measure_fidelity(network, pixels, swapped)
    assert wrong.recall["MEL"] == wrong.recall["VASC"] == 0
    assert wrong.matrix[0, 6] >= 5, "rows are classes asked for, columns classes seen"
    assert wrong.generated.value == pytest.approx(np.mean(list(wrong.recall.values())))


def test_another_order_of_logits_makes_no_difference(folder, tmp_path):
    pixels, labels = lesions(["MEL", "VASC"])
    turned = write_tiny_classifier(tmp_path, classes=list(reversed(CLASS_CODES)))
    seen = predict(load_network(folder), pixels, labels)
    assert (predict(load_network(turned), pixels, labels) == 6 - seen).all()


def test_refuses_a_classifier_without_the_class(folder, tmp_path):
    class _Two:
        classes, path = ("MEL", "NV"), tmp_path

    with pytest.raises(InputRefusedError, match="has no class BCC, VASC"):
        predict(_Two(), *lesions(["VASC", "BCC", "MEL"], 1))


def test_recorded_accuracy_where_the_split_is_not_known(folder):
    found = measure_fidelity(load_network(folder), *lesions(["NV"]))
    assert found.real_source == "recorded"
    assert (found.real.value, found.real.low, found.real.high, found.real.n) == (0.97, 0.9, 0.99, 140)


def test_measures_on_the_lesions_that_the_classifier_held_out(tmp_path):
    images = _photographs(tmp_path / "data")
    test = split_by_lesion(images, split_seed=3).test
    network = load_network(write_tiny_classifier(tmp_path / "classifier", split_hash=lesion_hash(test)))
    found = measure_fidelity(network, *lesions(["NV"]), images)
    assert found.real_source == "measured"
    assert found.real.n == len(test)
    assert 0 <= found.real.low <= found.real.value <= found.real.high <= 1


def test_unknown_where_nothing_is_recorded(tmp_path):
    network = load_network(write_tiny_classifier(tmp_path, val_balanced_accuracy=None))
    found = measure_fidelity(network, *lesions(["NV"]))
    assert (found.real, found.real_source) == (None, "unknown")


def test_interval_counts_lesions_and_keeps_every_class():
    labels = np.repeat([0, 1], [40, 4])
    predicted = np.where(np.arange(44) % 4 == 0, 1 - labels, labels)
    by_image = balanced_accuracy(labels, predicted, range(44))
    assert by_image.value == pytest.approx(0.75)
    assert by_image.low < 0.75 < by_image.high
    by_lesion = balanced_accuracy(labels, predicted, ["a"] * 40 + ["b"] * 4)
    assert by_lesion.low == by_lesion.high == pytest.approx(0.75), "one lesion a class is always the same resample"


def _photographs(folder) -> list[LabelledImage]:
    return list(read_dataset(write_labelled_folder(folder, lesions=8, size=32)).images)
