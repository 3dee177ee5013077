"""A whole evaluation, from folders to report, with a small judge."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cli.app import main
from core.cancel import CancelToken, StopMode
from core.errors import InputRefusedError
from core.events import Progress
from core.jobs.stream import JobContext, JobStopped
from core.message import Message
from core.taxonomy import CLASS_CODES
from evaluation import appearance
from evaluation.context import Context
from evaluation.features import FeatureCache
from evaluation.measurements import measure_diversity, measure_memorisation
from evaluation.request import EvaluationFinished, EvaluationRequest, Judged
from evaluation.run import evaluate
from evaluation.sets import read_set
from evaluation.spaces import Space
from measures.features import Extractor, small_pixels
from tests.support.picture_sets import blue, write_folders, write_labelled
from tests.support.tiny_classifier import write_tiny_classifier

pytestmark = pytest.mark.slow

CLASSES = {"MEL": 13, "NV": 12}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    home = tmp_path_factory.mktemp("evaluation")
    write_labelled(home / "real", CLASSES)
    write_labelled(home / "train", CLASSES, first_seed=200_000)
    write_folders(home / "spots", CLASSES)
    write_folders(home / "blue", CLASSES, paint=blue)
    (home / "copies").mkdir()
    for path in (home / "train").glob("*.png"):
        target = home / "copies" / path.name.partition("_")[0] / path.name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
    for path in (home / "spots").rglob("*.png"):
        target = home / "masks" / path.relative_to(home / "spots")
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(Image.open(path))[..., 1] < 120).save(target)
    write_tiny_classifier(home / "judge")
    return home


@pytest.fixture(scope="module")
def outcome(places):
    events = []
    sets = tuple(places / name for name in ("spots", "blue", "copies"))
    request = EvaluationRequest(
        sets, places / "real", places / "out", train=places / "train", evaluator=places / "judge",
        cache=places / "cache", device="cpu", reference=places / "spots", masks=places / "masks",
    )  # fmt: skip
    findings = evaluate(request, JobContext(tell=events.append))
    return findings, events


def keys_of(value):
    """Return every name that a program has to know to read a value."""
    if isinstance(value, list):
        return set().union(*map(keys_of, value))
    return set(value).union(*map(keys_of, value.values())) if isinstance(value, dict) else set()


def section(findings, name, key):
    (found,) = (one for one in findings.sets if one.name == name)
    return next(one for one in found.sections if one.key == key)


def test_blue_squares_and_copies_get_the_verdicts_they_deserve(outcome):
    findings, _ = outcome
    levels = {found.name: found.level for found in findings.sets}
    assert levels["blue"] == levels["copies"] == "bad"
    assert section(findings, "blue", "distribution").level == "bad"
    assert section(findings, "blue", "appearance").level == "bad"
    assert section(findings, "copies", "distribution").level == "good", "which is why copies are looked for"
    assert section(findings, "copies", "memorisation").level == "bad"
    assert section(findings, "spots", "distribution").level == "good"
    assert section(findings, "spots", "memorisation").level != "bad"


def test_progress_never_goes_back_and_every_measurement_is_told(outcome):
    findings, events = outcome
    fractions = [event.fraction for event in events if isinstance(event, Progress)]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] < fractions[-1] <= 1
    judged = [(event.set, event.section) for event in events if isinstance(event, Judged)]
    assert judged == [(found.name, one.key) for found in findings.sets for one in found.sections]
    assert isinstance(events[-1], EvaluationFinished)
    assert events[-1].level == "bad"
    for event in events:
        json.dumps(event.to_json(), allow_nan=False)


def test_the_results_are_strict_json_with_n_and_intervals(outcome, places):
    data = json.loads((places / "out/results.json").read_text(), parse_constant=pytest.fail)
    assert data["format"] == 1
    assert [one["name"] for one in data["sets"]] == ["spots", "blue", "copies"]
    assert data["real"]["by_class"] == CLASSES
    for one in data["sets"]:
        for found in one["sections"].values():
            assert found["verdict"]["level"] in ("good", "doubt", "bad", "unknown")
            assert found["verdict"]["words"]
        for space in one["sections"]["distribution"].items():
            if space[0] not in ("title", "verdict"):
                whole = space[1]["all"]
                assert whole["n_synthetic"] == whole["n_real"] == 25
                assert whole["kid"]["low"] <= whole["kid"]["value"] <= whole["kid"]["high"]
                assert whole["frechet"]["value"] is None
                assert "too few" in whole["frechet"]["refused"]


def test_every_key_of_the_results_is_documented(outcome, places):
    data = json.loads((places / "out/results.json").read_text())
    page = (Path(__file__).parents[2] / "docs/evaluation.md").read_text(encoding="utf-8")
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]*)`", page))))
    settings = set(EvaluationRequest.__dataclass_fields__)
    names = {*CLASS_CODES, *data["spaces"], *appearance.NAMES, *settings}
    assert keys_of(data) - names - words == set()
    assert {"memorisation", "diversity", "pairs", "masks"} <= set(data["sets"][0]["sections"])


def test_pairs_and_masks_are_measured_for_those_who_have_them(outcome):
    findings, _ = outcome
    assert section(findings, "spots", "pairs").data["identical"] == 25
    assert section(findings, "blue", "pairs").level == "bad"
    assert section(findings, "copies", "pairs").level == "unknown", "no reference has their names"
    assert section(findings, "spots", "masks").data["n"] == 25
    assert section(findings, "blue", "masks").level == "bad"


def test_report_and_pdf_stand_alone(outcome, places):
    page = (places / "out/report.html").read_text(encoding="utf-8")
    for words in ("Evaluation of synthetic images", "never a diagnosis", "spots", "Memorisation", "data:image/png"):
        assert words in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    assert (places / "out/report.pdf").read_bytes().startswith(b"%PDF-")
    for name in ("spots", "blue", "copies"):
        pairs = (places / "out" / name / "memorisation_pairs.csv").read_text().splitlines()
        assert pairs[0] == "synthetic,nearest_train,nearest_heldout,relative_distance,flagged"
        assert len(pairs) == 26


def test_a_stop_ends_it_and_the_next_time_the_features_are_there(places, tmp_path):
    cancel = CancelToken()

    def tell(event):
        if isinstance(event, Judged):
            cancel.request(StopMode.NOW)

    request = EvaluationRequest(
        (places / "spots",), places / "real", tmp_path / "out", evaluator=places / "judge", cache=places / "cache"
    )
    with pytest.raises(JobStopped):
        evaluate(request, JobContext(cancel, tell))
    assert not (tmp_path / "out/report.html").exists()


def test_one_image_and_no_classes_are_survived(places, tmp_path):
    (tmp_path / "one").mkdir()
    with Image.open(next((places / "spots").rglob("*.png"))) as picture:
        picture.resize((40, 40)).save(tmp_path / "one/picture.png")
    request = EvaluationRequest(
        (tmp_path / "one", places / "spots"),
        places / "real",
        tmp_path / "out",
        evaluator=places / "judge",
        cache=places / "cache",
    )
    findings = evaluate(request)
    assert {one.key: one.level for one in findings.sets[0].sections}["distribution"] == "unknown"
    assert findings.sets[0].level != "good", "its colours may be usual, but that is no evidence"
    assert any("only 1 image" in note for note in findings.notes)
    assert any("compared at 40 × 40 pixels, because one is no larger" in note for note in findings.notes)


def test_the_command_line_says_it_and_refuses_with_the_right_codes(places, tmp_path, capsys):
    code = main(
        ["evaluate", "--synthetic", str(places / "spots"), "--real", str(places / "nowhere"),
         "--output", str(tmp_path / "out"), "--json"]
    )  # fmt: skip
    out = capsys.readouterr().out
    assert code == 3
    assert json.loads(out.splitlines()[-1])["event"] == "error"
    twice = ["--synthetic", str(places / "spots")] * 2
    assert main(["evaluate", *twice, "--real", str(places / "real"), "--output", str(tmp_path / "out")]) == 2
    assert "named twice" in capsys.readouterr().err


def test_the_command_line_says_what_it_found_section_by_section(places, tmp_path, capsys):
    told = ["--synthetic", str(places / "blue"), "--real", str(places / "real"), "--output", str(tmp_path / "out")]
    assert main(["evaluate", *told, "--evaluator", str(places / "judge"), "--device", "cpu"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("blue (25 images): Do not use this set as it is")
    assert any(line.startswith("  bad      Distance to real photographs: ") for line in lines)
    assert lines[-1] == f"The report is in {tmp_path / 'out'}: report.html, report.pdf, results.json."


def test_photographs_that_were_learnt_from_cannot_be_the_new_ones(places, tmp_path):
    """With them the threshold of suspicion would be 0, and exact copies would pass."""
    request = EvaluationRequest(
        (places / "copies",), places / "real", tmp_path / "out", train=tmp_path / "train", evaluator=places / "judge"
    )
    write_folders(tmp_path / "train", CLASSES)
    (tmp_path / "train/MEL/same.png").write_bytes((places / "real/MEL_0.png").read_bytes())
    with pytest.raises(InputRefusedError, match="1 of the 25 held-out photographs are also training photographs"):
        evaluate(request)


def test_lesions_on_both_sides_are_told(outcome):
    findings, _ = outcome
    assert any("share lesion names" in note and "LMEL0" in note for note in findings.notes)


@pytest.mark.parametrize("option", ["masks", "reference"])
def test_a_folder_that_is_not_there_is_refused_before_anything_is_measured(places, tmp_path, option):
    events = []
    request = EvaluationRequest(
        (places / "spots",), places / "real", tmp_path / "out", evaluator=places / "judge",
        **{option: tmp_path / "nowhere"},
    )  # fmt: skip
    with pytest.raises(InputRefusedError, match="There is no file or folder"):
        evaluate(request, JobContext(tell=events.append))
    assert not any(isinstance(event, Progress) for event in events)


def test_the_longest_measurements_compute_nothing_twice(places, tmp_path):
    """Features of turned views are the longest work of all: another set, or another time, finds them cached."""
    cache = FeatureCache(tmp_path / "cache")
    seen = []

    def features(pixels):
        seen.append(len(pixels))
        return small_pixels(pixels)

    spaces = (Space(Extractor("small", features), False, Message("Small.")),)
    request = EvaluationRequest((places / "spots",), places / "real", tmp_path / "out", train=places / "train")
    real, train, spots = (read_set(places / name) for name in ("real", "train", "spots"))
    for images in (spots, read_set(places / "blue"), spots):
        context = Context(request, real, train, 48, None, spaces, torch.device("cpu"), cache)
        measure_memorisation(context, images, JobContext())
        measure_diversity(context, images, JobContext())
    training, views = 25, 8 * 25
    assert sum(seen) <= training + 3 * views, "training, real, spots, blue: each once"
