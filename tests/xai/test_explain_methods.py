"""From a file to a map by each method: numbers that fit together, what the gate asks, and what is said about it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from core.errors import InputRefusedError
from core.jobs.stream import JobStopped
from core.message import Message
from tests.support.replaced_method import replace_method
from tests.support.stopping_job import StoppingJob
from tests.support.tiny_classifier import draw_lesion, write_random_resnet, write_tiny_classifier
from xai import methods
from xai.explain import explain_image, explanations, get_classifier
from xai.explanation import ExplainOptions
from xai.methods import METHODS

ALL = tuple(METHODS)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return write_tiny_classifier(tmp_path_factory.mktemp("classifier"))


def options(classifier, *names, **changes):
    return ExplainOptions(methods=names or ALL, classifier=classifier, device="cpu", players=6, **changes)


@pytest.fixture(scope="module")
def lesion():
    return draw_lesion("MEL", 7)


@pytest.fixture(scope="module")
def found(classifier, lesion):
    return {e.method: e for e in explain_image(lesion, options(classifier), label="MEL")}


@pytest.mark.parametrize("method", ALL)
def test_numbers_fit_together(found, method, lesion):
    made = found[method]
    assert made.attribution.shape == (32, 32, 3)
    assert made.attribution.dtype == np.float32
    assert np.array_equal(made.image, lesion)
    assert made.score == pytest.approx(made.classification.logits["MEL"], abs=1e-3)
    assert made.score - made.baseline_score == pytest.approx(found["ig"].score - found["ig"].baseline_score, abs=1e-3)
    assert made.gate.level == "green", made.gate.reasons
    assert made.seconds >= 0
    if METHODS[method].complete:
        total = made.attribution.sum(dtype=np.float64)
        assert total == pytest.approx(made.score - made.baseline_score + made.delta, abs=1e-3)
        assert made.relative_delta < 0.01
    assert (made.relative_delta is not None) == METHODS[method].of_difference


@pytest.mark.parametrize("method", ["ig", "shapley", "combined", "occlusion", "layercam"])
def test_most_of_it_lies_on_the_lesion(found, method, lesion):
    inside = lesion.sum(axis=2) < 300
    mass = np.abs(found[method].attribution.sum(axis=2))
    assert mass[inside].sum() / mass.sum() > 1.5 * inside.mean()


def test_what_each_map_is_made_of(found):
    assert found["shapley"].segments.shape == (32, 32)
    assert found["shapley"].segments.max() < 6
    assert found["combined"].segments is not None
    assert [m for m in ALL if found[m].cell] == ["gradcam", "layercam"]
    assert found["gradcam"].cell == (8.0, 8.0)
    assert found["layercam"].cell == (4.0, 4.0)
    assert found["gradcam"].parameters["layer"] == "relu2"
    assert found["layercam"].parameters["layer"] == "relu1"
    assert all(found[m].parameters for m in ALL)


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("shapley", "Exact Shapley values of"),
        ("combined", "Agreement map (no completeness)"),
        ("gradcam", "cells of 8 x 8 pixels"),
        ("layercam", "cells of 4 x 4 pixels"),
        ("occlusion", "a window of 4 x 4 pixels"),
        ("smoothgrad", "noisy copies"),
    ],
)
def test_what_a_map_cannot_say_is_said(found, method, words):
    assert words in found[method].notes[1]
    assert isinstance(found[method].notes[1], Message), "so that the window can say it in its own language"


def test_methods_arrive_one_by_one_and_share_their_work(classifier, lesion, monkeypatch):
    calls = []
    for name, attribute in {key: METHODS[key].attribute for key in METHODS}.items():
        replace_method(
            monkeypatch, name, lambda task, name=name, attribute=attribute: calls.append(name) or attribute(task)
        )
    stream = explanations(lesion, options(classifier, "combined", "ig", "shapley"), label="MEL")
    assert next(stream).method == "combined"
    assert calls == ["combined", "ig", "shapley"]
    assert [e.method for e in stream] == ["ig", "shapley"]
    assert calls == ["combined", "ig", "shapley"], "found once"


@pytest.mark.parametrize("method", ALL)
def test_cancelling_stops_at_the_next_pass(classifier, lesion, method):
    calls = iter(range(10000))
    with pytest.raises(JobStopped):
        explain_image(lesion, options(classifier, method), context=StoppingJob(lambda: next(calls) >= 1))
    assert next(calls) == 2, "not asked again"
    loaded = get_classifier(classifier, "cpu")
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in loaded.net.modules())


def test_each_cancelled_method_leaves_the_classifier_as_it_was(classifier, lesion, found):
    again = {e.method: e for e in explain_image(lesion, options(classifier), label="MEL")}
    for method in ALL:
        assert np.array_equal(again[method].attribution, found[method].attribution), method


@pytest.mark.parametrize("method", ALL)
def test_a_map_of_nan_is_red_whatever_the_method(classifier, lesion, method, monkeypatch):
    attribute = METHODS[method].attribute
    replace_method(
        monkeypatch, method, lambda task: replace(attribute(task), values=np.full((32, 32, 3), np.nan, np.float32))
    )
    (made,) = explain_image(lesion, options(classifier, method), label="MEL")
    assert made.gate.level == "red"
    assert "not numbers" in made.gate.reasons[0]


def test_a_picture_that_is_its_own_baseline_has_nothing_to_divide_up(classifier):
    plain = np.full((20, 20, 3), (224, 180, 156), np.uint8)
    made = {e.method: e for e in explain_image(plain, options(classifier))}
    for method in ALL:
        doubt = any("nearly the same logit" in reason for reason in made[method].gate.reasons)
        assert doubt == METHODS[method].of_difference, method
    assert not made["shapley"].attribution.any()
    assert not made["occlusion"].attribution.any()


def test_disagreement_of_the_two_methods_is_doubt(classifier, lesion, monkeypatch):
    shapley = METHODS["shapley"].attribute
    replace_method(monkeypatch, "shapley", lambda task: replace(shapley(task), values=-shapley(task).values))
    (made,) = explain_image(lesion, options(classifier, "combined"), label="MEL")
    assert made.gate.level == "amber"
    assert "disagree about which superpixels matter" in made.gate.reasons[0]


def test_samples_that_have_not_settled_are_doubt(classifier, lesion, monkeypatch):
    shapley = METHODS["shapley"].attribute

    def unsettled(task):
        found = shapley(task)
        return replace(found, parameters={**found.parameters, "permutations": 32, "relative_standard_error": 0.3})

    replace_method(monkeypatch, "shapley", unsettled)
    (made,) = explain_image(lesion, options(classifier, "shapley"), label="MEL")
    assert made.gate.level == "amber"
    assert "the largest standard error is 30% of the largest value" in made.gate.reasons[0]


def test_more_superpixels_than_twelve_are_sampled_and_it_is_said(classifier):
    asked = replace(options(classifier, "shapley"), players=20)
    (made,) = explain_image(draw_lesion("MEL", 7, 64), asked, label="MEL")
    assert made.parameters["players"] > 12
    assert "permutations in antithetic pairs" in made.notes[1]
    assert made.standard_error.shape == (64, 64)


def test_an_untrained_head_is_not_worth_the_work(tmp_path, lesion):
    random = write_tiny_classifier(tmp_path / "c", trained=False)
    made = {e.method: e for e in explain_image(lesion, options(random, faithfulness=True), label="MEL")}
    assert {e.gate.level for e in made.values()} == {"red"}
    assert made["ig"].steps == made["ig"].parameters["max_steps"] == 32
    assert made["shapley"].parameters["players"] <= methods.QUICK_PLAYERS
    assert all(e.faithfulness is None for e in made.values())


def test_a_classifier_of_eight_outputs(tmp_path, lesion):
    resnet = write_random_resnet(tmp_path / "classifier.pth", classes=8)
    made = {e.method: e for e in explain_image(lesion, options(resnet, "gradcam", "layercam"), label="MEL")}
    assert made["gradcam"].parameters == {"layer": "layer4", "cells": [7, 7]}
    assert made["layercam"].parameters == {"layer": "layer3", "cells": [14, 14]}


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (2, 90), (45, 60)])
def test_pictures_of_other_shapes(classifier, shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    for made in explain_image(image, options(classifier)):
        assert made.attribution.shape == (*shape, 3), made.method
        assert np.isfinite(made.attribution).all(), made.method


def test_the_mask_must_fit_the_file_and_not_what_was_made_of_it(classifier, tmp_path):
    Image.fromarray(draw_lesion("MEL", 7, 1200)).save(tmp_path / "large.png")
    Image.fromarray(np.full((1200, 1200), 255, np.uint8)).save(tmp_path / "mask.png")
    Image.fromarray(np.full((1024, 1024), 255, np.uint8)).save(tmp_path / "wrong.png")
    asked = options(classifier, "gradcam", mask=tmp_path / "mask.png")
    (made,) = explain_image(tmp_path / "large.png", asked)
    assert made.image.shape == (1024, 1024, 3)
    with pytest.raises(InputRefusedError, match="1024 x 1024 pixels, but the image has 1200 x 1200"):
        explain_image(tmp_path / "large.png", replace(asked, mask=tmp_path / "wrong.png"))
