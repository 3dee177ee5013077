"""`trajectory` on the command line."""

import json

import pytest

from tests.support.tiny_classifier import write_tiny_classifier
from tests.support.tiny_models import write_tiny_pack
from xai.trajectory import run

pytestmark = pytest.mark.slow


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Flags for an analysis that takes a second, without plots."""
    monkeypatch.setattr(run, "pictures_of_image", lambda _analysis: {})
    write_tiny_pack(tmp_path / "models" / "pack")
    judge = write_tiny_classifier(tmp_path / "judge", trained=False)
    return (
        "--models", tmp_path / "models", "--classifier", judge, "--steps", 3, "--groups", 2, "--quick",
        "--device", "cpu",
    )  # fmt: skip


def test_json_is_events_only_and_words_go_to_standard_error(call, small, tmp_path):
    code, out, err = call("trajectory", "--class", "nv", "--index", 2, "--output", tmp_path / "x", *small, "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert {event["event"] for event in events} == {"started", "progress", "analysed", "finished"}
    assert events[0]["parts"] == ["NV 2 (seed 1396962881)"]
    assert events[-2]["class"] == "NV"
    assert events[-1]["report"] == str(tmp_path / "x" / "report.html")
    assert events[-1]["verdict"].startswith("Reliability check: failed")
    assert "Report:" in err


def test_for_people_the_verdict_and_where_the_report_is(call, small, tmp_path):
    code, out, _ = call("trajectory", "--class", "MEL", "--output", tmp_path / "x", *small)
    assert code == 0
    assert "Reliability check: failed" in out
    assert str(tmp_path / "x" / "report.html") in out


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (("--class", "MELL"), "MEL"),
        (("--methods", "shap"), "ig"),
        (("--every", "0"), "1"),
        (("--count", "0"), "1"),
        (("--groups", "99"), "30"),
        (("--steps", "5000"), "1000"),
        (("--neutral", "null", "--sampler", "nope"), "ddpm"),
    ],
)
def test_wrong_flags_are_answered_with_right_ones_and_nothing_is_written(call, tmp_path, flags, word):
    code, _, err = call("trajectory", "--output", tmp_path / "x", *flags)
    assert code == 2
    assert word in err
    assert not (tmp_path / "x").exists()


def test_an_image_without_a_recipe_is_refused(call, tmp_path, small):
    file = tmp_path / "photo.png"
    file.write_bytes(b"no picture")
    code, _, err = call("trajectory", "--image", file, "--output", tmp_path / "x", *small)
    assert code == 3
    assert "photo.png" in err
    assert not (tmp_path / "x").exists()


def test_a_models_folder_without_models_is_refused(call, tmp_path, small):
    code, _, err = call("trajectory", "--output", tmp_path / "x", *small, "--models", tmp_path)
    assert code == 3
    assert "There is no model for MEL" in err
