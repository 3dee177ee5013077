"""What is measured of every image before it is decided upon, against distances that are known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from core.errors import InputRefusedError
from core.taxonomy import CLASS_CODES
from evaluation.curation.evidence import NEAR_DUPLICATE, are_near, measure_copies, measure_fidelity, measure_twins
from evaluation.sets import read_set
from measures.features import PIXELS
from measures.memorisation import judge_memorisation
from tests.evaluation.pictures import photographs, write_set


def flat(*greys: int) -> np.ndarray:
    return np.stack([np.full((3, 32, 32), grey, np.uint8) for grey in greys])


def test_near_is_below_three_hundredths_of_the_range():
    """Flat pictures: the root mean square difference is that of their greys over 255; 7 is below 7.65, 8 is not."""
    assert NEAR_DUPLICATE == 0.03
    assert are_near(flat(100, 50), flat(107, 200)).tolist() == [True, False]
    assert are_near(flat(100, 50), flat(108, 42)).tolist() == [False, False]
    found = measure_twins(flat(0, 100, 107, 250, 7, 115))
    assert found.pairs.tolist() == [[0, 4], [1, 2]]
    assert found.nearest.tolist() == [4, 2, 1, 5, 0, 2]
    assert found.distance == pytest.approx(np.array([7, 7, 7, 135, 7, 8]) / 255, abs=1e-6)


def test_twins_over_several_blocks_and_in_turned_views(monkeypatch):
    pixels = photographs(11, side=32).transpose(0, 3, 1, 2)
    pixels[7] = np.rot90(pixels[2], 1, (1, 2))
    pixels[10] = pixels[4][:, :, ::-1]
    whole, near = measure_twins(pixels), are_near(pixels, pixels[[2, 4]])
    assert whole.pairs.tolist() == [[2, 7], [4, 10]]
    assert np.flatnonzero(near).tolist() == [2, 4, 7, 10]
    monkeypatch.setattr("evaluation.curation.evidence._BLOCK", 3)
    parts = measure_twins(pixels)
    assert parts.pairs.tolist() == whole.pairs.tolist()
    assert parts.nearest.tolist() == whole.nearest.tolist()
    assert parts.distance == pytest.approx(whole.distance, abs=1e-6)
    assert (are_near(pixels, pixels[[2, 4]]) == near).all()


def test_one_image_and_none():
    alone = measure_twins(flat(3))
    assert (alone.nearest.tolist(), alone.distance.tolist(), alone.pairs.shape) == ([0], [np.inf], (0, 2))


def network(classes: tuple[str, ...], temperature: float | None) -> SimpleNamespace:
    """A classifier whose logits are the mean colours of a picture."""
    record = None if temperature is None else SimpleNamespace(temperature=temperature)
    return SimpleNamespace(
        classes=classes, record=record, path="judge", logits=lambda pixels: 10 * pixels.mean(dim=(2, 3))
    )


@pytest.mark.parametrize("temperature", [None, 1.0, 2.5])
def test_probabilities_are_those_of_the_network_at_its_temperature(temperature):
    pixels = np.zeros((3, 3, 4, 4), np.uint8)
    pixels[0, 0], pixels[1, 1], pixels[2, 2] = 255, 51, 102
    names = ("NV", "healthy skin", "DF")
    labels = np.array([CLASS_CODES.index(code) for code in ("NV", "DF", "MEL")])
    found = measure_fidelity(network(names, temperature), pixels, labels)
    logits = np.array([[10.0, 0, 0], [0, 2, 0], [0, 0, 4]]) / (temperature or 1)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert found.probability[:2] == pytest.approx([chances[0, 0], chances[1, 2]], abs=1e-6)
    assert np.isnan(found.probability[2]), "it does not know melanoma"
    assert [CLASS_CODES[label] for label in found.seen] == ["NV", "NV", "DF"], "the most likely of the seven"


def test_a_network_of_other_things_is_refused():
    with pytest.raises(InputRefusedError, match="none of the seven classes"):
        measure_fidelity(network(("cat", "dog", "bird"), None), flat(1), np.array([0]))


def test_copies_are_those_of_the_judgement_in_the_order_of_the_images(tmp_path):
    sets = [read_set(write_set(tmp_path / name, photographs(30, seed))) for seed, name in enumerate(("train", "held"))]
    pixels = np.concatenate([sets[0].pixels(48)[[5, 9]], photographs(4, 7).transpose(0, 3, 1, 2)])
    found = measure_copies(pixels, *sets, PIXELS)
    judged = judge_memorisation(pixels, sets[0].pixels(48), sets[1].pixels(48), PIXELS)
    for pair in judged.pairs:
        assert found.score[pair.sample] == pair.score
        assert found.flagged[pair.sample] == pair.flagged
        assert found.training[pair.sample] == sets[0].images[pair.train].name
    assert found.flagged[:2].all()
    assert found.training[:2] == (sets[0].images[5].name, sets[0].images[9].name)
    assert torch.get_default_dtype() == torch.float32
