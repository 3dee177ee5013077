"""What images are compared by."""

from __future__ import annotations

import re

import numpy as np
import torch

from core.models.classification.loading import load_network
from measures.features import (
    PIXELS,
    default_curator,
    default_evaluator,
    equal_length,
    judging_extractor,
    load_extractor,
)
from tests.support.tiny_classifier import draw_lesion, write_tiny_classifier


def test_every_image_counts_alike_whatever_it_excites(tmp_path):
    extractor = load_extractor(write_tiny_classifier(tmp_path / "tiny"))
    images = np.stack([draw_lesion(code) for code in ("MEL", "NV", "VASC")]).transpose(0, 3, 1, 2)
    features = extractor(images)
    assert np.allclose((features**2).mean(1), 1)
    assert np.allclose(features[1:], extractor(images[1:]), atol=1e-5)
    assert not np.allclose(features[0], features[2], atol=0.1)


def test_direction_is_kept_and_nothing_stays_nothing():
    rows = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
    assert torch.allclose(equal_length(rows), torch.tensor([[0.6, 0.8], [0.0, 0.0]]) * 2**0.5)


def test_a_space_is_called_by_architecture_and_eight_digits_of_the_weights(tmp_path):
    folder = write_tiny_classifier(tmp_path / "tiny")
    extractor = load_extractor(folder)
    sha256 = load_network(folder).sha256
    assert re.fullmatch(rf"HAM\(\w+@{sha256[:8]}\)", extractor.name)


def test_one_starter_classifier_judges_and_another_one_curates(tmp_path, monkeypatch):
    class Home:
        starter_dir = tmp_path
        starter_classifier_dir = tmp_path / "auxiliary"

    monkeypatch.setattr("measures.features.PathManager", Home)
    assert default_evaluator() is default_curator() is None
    assert judging_extractor() is PIXELS
    (tmp_path / "auxiliary").mkdir()
    assert (default_evaluator(), default_curator()) == (None, tmp_path / "auxiliary")
    (tmp_path / "classifier-independent").mkdir()
    assert (default_evaluator(), default_curator()) == (tmp_path / "classifier-independent", tmp_path / "auxiliary")


def test_pixels_are_means_of_cells_between_0_and_1():
    images = np.random.default_rng(0).integers(0, 256, (70, 3, 64, 64), dtype=np.uint8)
    expected = images.reshape(70, 3, 32, 2, 32, 2).mean(axis=(3, 5)).reshape(70, -1) / 255
    found = PIXELS(images)
    assert found.dtype == np.float64
    assert found.shape == (70, 3072)
    assert np.abs(found - expected).max() < 1e-6
    assert PIXELS.name == "pixels 32x32"
