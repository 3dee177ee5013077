"""`explain` and `classify` on pictures of their own making."""

import json

import numpy as np
import pytest
from PIL import Image

from core.taxonomy import CLASS_CODES
from tests.support.tiny_classifier import draw_lesion, write_tiny_classifier


@pytest.fixture
def classifier(tmp_path):
    return write_tiny_classifier(tmp_path / "classifier")


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures" / "MEL"
    folder.mkdir(parents=True)
    for number in (1, 2):
        Image.fromarray(draw_lesion("MEL")).save(folder / f"lesion_{number}.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (folder / "notes.txt").write_text("not an image")
    return folder.parent


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_classify_answers_for_each_image_and_names_the_broken_one(call, classifier, pictures):
    code, out, err = call("classify", pictures, "--classifier", classifier, "--json")
    answers = [event for event in lines(out) if event["event"] == "classified"]
    assert code == 3
    assert "broken.png" in err
    assert len(answers) == 2
    for answer in answers:
        assert set(answer["probabilities"]) == set(CLASS_CODES)
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert answer["predicted"] == max(answer["probabilities"], key=answer["probabilities"].get)
        assert answer["gate"]["level"] in ("green", "amber", "red")


def test_explain_writes_one_report_with_raw_maps_for_all_images(call, classifier, pictures, tmp_path):
    code, out, _ = call("explain", pictures, "--classifier", classifier, "--output", tmp_path / "x", "--json")
    assert code == 3  # the broken one
    explained = [event for event in lines(out) if event["event"] == "explained"]
    assert [event["target"] for event in explained] == ["MEL", "MEL"]
    maps = sorted((tmp_path / "x").glob("*.npz"))
    assert len(maps) == 2
    attribution = np.load(maps[0])["attribution"]
    assert attribution.dtype == np.float32
    assert attribution.shape == np.asarray(Image.open(pictures / "MEL" / "lesion_1.png")).shape
    analysis = json.loads((tmp_path / "x" / "analysis.json").read_text(encoding="utf-8"))
    assert "lesion_2" in json.dumps(analysis)
    assert (tmp_path / "x" / "report.html").is_file()


def test_an_unknown_target_or_method_is_answered_with_the_right_ones(call, classifier, pictures, tmp_path):
    code, _, err = call("explain", pictures, "--output", tmp_path / "x", "--classifier", classifier, "--target", "MELL")
    assert code == 2
    assert "MEL" in err
    code, _, err = call("explain", pictures, "--output", tmp_path / "x", "--methods", "shap")
    assert code == 2
    assert "ig" in err
