"""`explain` with several methods, classes, styles, masks, and when it is stopped half-way."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pytest
from PIL import Image

from tests.support.replaced_method import replace_method
from tests.support.tiny_classifier import draw_lesion, write_tiny_classifier
from xai.methods import METHODS


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return write_tiny_classifier(tmp_path_factory.mktemp("classifier"))


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "MEL" / "lesion.png"
    path.parent.mkdir()
    Image.fromarray(draw_lesion("MEL", 7)).save(path)
    return path


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def analysis(folder):
    return json.loads((folder / "analysis.json").read_text(encoding="utf-8"))


def test_all_methods_for_two_classes_share_one_report(call, classifier, picture, tmp_path):
    out = tmp_path / "x"
    given = ("--methods", "all", "--target", "MEL,NV", "--players", "4", "--max-steps", "64", "--seed", "3")
    code, told, _ = call("explain", picture, "--classifier", classifier, "--output", out, "--json", *given)
    assert code == 0
    explained = [(event["method"], event["target"]) for event in lines(told) if event["event"] == "explained"]
    assert explained == [(method, target) for target in ("MEL", "NV") for method in METHODS]
    found = {(e["method"], e["target"]): e for e in analysis(out)["explanations"]}
    assert set(found) == set(explained)
    assert found["shapley", "MEL"]["parameters"]["players"] <= 4
    assert found["ig", "MEL"]["parameters"]["max_steps"] == 64
    assert found["smoothgrad", "NV"]["parameters"]["seed"] == 3
    assert found["gradcam", "MEL"]["cell"] == [8.0, 8.0]
    assert found["gradcam", "MEL"]["baseline"] is None
    assert (out / "comparison.png").is_file()
    with np.load(out / found["shapley", "MEL"]["files"]["arrays"]) as arrays:
        assert len(np.unique(arrays["segments"])) == found["shapley", "MEL"]["parameters"]["players"]


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        (("--methods", "shapely"), "shapley"),
        (("--methods", "grad-cam"), "gradcam"),
        (("--baseline", "skins"), "skin"),
        (("--target", "MELL"), "MEL"),
        (("--players", "1000"), "64"),
        (("--style", "rainbow"), "jet"),
    ],
)
def test_a_wrong_word_is_answered_with_the_nearest_right_one(call, classifier, picture, tmp_path, given, hint):
    code, _, err = call("explain", picture, "--classifier", classifier, "--output", tmp_path / "x", *given)
    assert code == 2
    assert hint in err
    assert not (tmp_path / "x").exists()


def test_the_style_changes_the_pictures_and_not_the_numbers(call, classifier, picture, tmp_path):
    for style in ("signed", "positive", "jet"):
        call("explain", picture, "--classifier", classifier, "--output", tmp_path / style, "--style", style)
    overlays = [next((tmp_path / s).glob("*_overlay.png")).read_bytes() for s in ("signed", "positive", "jet")]
    assert len(set(overlays)) == 3
    arrays = [np.load(next((tmp_path / s).glob("*.npz")))["attribution"] for s in ("signed", "positive", "jet")]
    assert np.array_equal(arrays[0], arrays[1])
    assert np.array_equal(arrays[0], arrays[2])
    assert analysis(tmp_path / "jet")["style"] == "jet"


def test_a_folder_of_masks_is_looked_up_by_name(call, classifier, picture, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    inside = draw_lesion("MEL", 7).sum(axis=2) < 300
    Image.fromarray((inside * 255).astype(np.uint8)).save(masks / "lesion_segmentation.png")
    code, _, _ = call("explain", picture, "--classifier", classifier, "--output", tmp_path / "x", "--mask", masks)
    assert code == 0
    (found,) = analysis(tmp_path / "x")["explanations"]
    share = next(m for m in found["faithfulness"]["measures"] if m["key"] == "lesion")
    assert share["control"] == pytest.approx(inside.mean())
    assert share["value"] > 0.9
    assert "Is the map faithful?" in (tmp_path / "x" / "report.html").read_text(encoding="utf-8")


def test_a_mask_of_the_wrong_size_is_refused_by_name(call, classifier, picture, tmp_path):
    mask = tmp_path / "mask.png"
    Image.fromarray(np.full((10, 20), 255, np.uint8)).save(mask)
    code, _, err = call("explain", picture, "--classifier", classifier, "--output", tmp_path / "x", "--mask", mask)
    assert code == 3
    assert "mask.png has 20 x 10 pixels, but the image has 32 x 32" in err
    code, _, err = call(
        "explain", picture, "--classifier", classifier, "--output", tmp_path / "x", "--mask", tmp_path / "no"
    )
    assert code == 3
    assert "There is no mask at" in err


def test_a_picture_without_a_mask_is_explained_all_the_same(call, classifier, picture, tmp_path):
    (tmp_path / "masks").mkdir()
    out = tmp_path / "x"
    code, _, _ = call("explain", picture, "--classifier", classifier, "--output", out, "--mask", tmp_path / "masks")
    assert code == 0
    (found,) = analysis(out)["explanations"]
    assert any("no mask of this image" in note for note in found["notes"])


@pytest.mark.skipif(os.name != "posix", reason="Windows sends no SIGINT to itself")
def test_what_is_finished_is_kept_when_it_is_stopped(call, classifier, picture, tmp_path, monkeypatch):
    def stop(task):
        os.kill(os.getpid(), signal.SIGINT)
        while task.context.cancel.mode is None:  # the main thread hears it
            os.sched_yield()
        task.context.check()

    replace_method(monkeypatch, "occlusion", stop)
    given = ("--classifier", classifier, "--output", tmp_path / "x", "--methods", "gradcam,occlusion,ig")
    code, out, _ = call("explain", picture, *given)
    assert code == 130
    assert "kept" in out
    assert f"Report: {tmp_path / 'x' / 'report.html'}" in out
    assert [e["method"] for e in analysis(tmp_path / "x")["explanations"]] == ["gradcam"]
    assert len(list((tmp_path / "x").glob("*_overlay.png"))) == 1
