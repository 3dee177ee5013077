"""Selection, curation and judgement look through three different feature spaces, and the card says through which."""

from __future__ import annotations

import pytest
import torch

from core.errors import ModelTruncatedError
from core.models.classification.learnt import LEARNT_FILE, digest_of, read_learnt, write_learnt
from core.models.classification.loading import load_network
from diffusion.card import _selection
from diffusion.config import DiffusionConfig
from diffusion.draws import ImageSet as Photographs
from diffusion.evaluation import Evaluator
from diffusion.model import build_scheduler
from evaluation.curation.curate import curate
from evaluation.curation.rules import parse_rules
from evaluation.sets import read_set
from measures.features import default_curator, default_evaluator, judging_extractor, load_extractor
from tests.measures.photographs import photographs
from tests.support.picture_sets import write_folders


def selecting_space():
    """Return the space in which `train diffusion` selects weights where nobody names another."""
    config = DiffusionConfig()
    held_out = Photographs(torch.from_numpy(photographs(8, seed=0)), torch.zeros(8, dtype=torch.int64))
    return Evaluator(config, build_scheduler(config), held_out, torch.device("cpu"), "fp32").extractor.name


def curating_space(folder):
    write_folders(folder, {"MEL": 2})
    return curate(read_set(folder), parse_rules("fidelity>=0.1")).evaluator


def test_the_three_spaces_are_three(tmp_path):
    judging = judging_extractor().name
    curating = curating_space(tmp_path / "set")
    selecting = selecting_space()
    assert curating in load_extractor(default_curator()).name
    assert judging == load_extractor(default_evaluator()).name
    assert len({selecting, curating, judging.removeprefix("HAM(").removesuffix(")")}) == 3
    assert "resnet18" in curating
    assert "efficientnet" in judging
    assert "texture" in selecting


def test_what_the_judge_curates_is_said(tmp_path):
    write_folders(tmp_path / "set", {"MEL": 2})
    judge = load_network(default_evaluator())
    found = curate(read_set(tmp_path / "set"), parse_rules("fidelity>=0.1"), network=judge)
    assert any("no independent judge" in note for note in found.notes)
    assert not any("no independent judge" in note for note in curate(found.images, parse_rules("duplicates")).notes)


@pytest.mark.parametrize(
    ("training", "judgement", "words"),
    [
        (
            {"selected_by": "textures"},
            {"distance": {"features": "HAM(x)"}},
            "The evaluation below uses other",
        ),
        ({"selected_by": "HAM(x)"}, {"distance": {"features": "HAM(x)"}}, "not independent of the selection"),
        ({"selected_by": "textures"}, None, "photographs in textures."),
        ({}, None, "do not record"),
    ],
)
def test_the_card_says_what_selected(training, judgement, words):
    assert words in _selection(training, judgement)


def test_the_judge_knows_what_it_has_learnt_from():
    """The lists that ship: as many photographs as the cards count for training and for the choice of weights."""
    for classifier, count in ((default_evaluator(), 3571 + 511), (default_curator(), 3585 + 491)):
        assert len(read_learnt(classifier)) == count
        assert read_learnt(classifier / "model.safetensors") == read_learnt(classifier)


def test_a_photograph_is_known_by_its_id_in_every_guise(tmp_path):
    write_learnt(tmp_path, ["ISIC_0024310", "ISIC_0024312"])
    learnt = read_learnt(tmp_path)
    assert len(learnt) == 2
    for name in ("ISIC_0024310", "train/MEL/ISIC_0024310.jpg", "isic_0024310.PNG", r"a\ISIC_0024310_downsampled.jpg"):
        assert digest_of(name) in learnt
    for name in ("ISIC_0024311.jpg", "ISIC_0024310_superpixels.png", "ISIC_0024310/other.jpg"):
        assert digest_of(name) not in learnt
    assert read_learnt(tmp_path / "other" / "model.safetensors") is None
    (tmp_path / LEARNT_FILE).write_text("a photograph\n")
    with pytest.raises(ModelTruncatedError):
        read_learnt(tmp_path)
