"""`curate` from the shell: images in, a log out that `export` obeys; slips are named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.app import main
from dataset.curation import read_curation
from tests.support.exports import manifest, put
from tests.support.labelled_data import write_labelled_folder
from tests.support.tiny_classifier import draw_lesion, write_tiny_classifier


@pytest.fixture(scope="module")
def judge(tmp_path_factory) -> Path:
    return write_tiny_classifier(tmp_path_factory.mktemp("judge"))


@pytest.fixture
def demo(tmp_path) -> Path:
    """Three lesions of NV, a copy of one, and a vascular one that passes for BCC."""
    for number in range(1, 4):
        put(tmp_path / "demo", "NV", number, number, pixels=draw_lesion("NV", number))
    put(tmp_path / "demo", "NV", 4, 4, pixels=draw_lesion("NV", 1)[:, ::-1])
    put(tmp_path / "demo", "BCC", 1, 9, pixels=draw_lesion("VASC", 9))
    return tmp_path / "demo"


def events_of(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_what_it_writes_export_obeys(demo, tmp_path, judge, capsys):
    out = str(tmp_path / "curated")
    rules = "fidelity>=0.5,duplicates"
    assert main(["curate", str(demo), "--output", out, "--rules", rules, "--classifier", str(judge), "--json"]) == 0
    events = events_of(capsys)
    assert [events[0]["event"], events[-1]["event"]] == ["started", "finished"]
    assert events[-1]["left_out"] == {"fidelity": 1, "duplicates": 1}
    fractions = [event["fraction"] for event in events if event["event"] == "progress"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1, "the writing is told"
    choices = read_curation(tmp_path / "curated/curation.csv").choices
    assert not choices["BCC/ISIC_0000001.png"].kept
    target = str(tmp_path / "set")
    assert main(["export", str(demo), "--to", target, "--format", "csv", "--split", "none", "--curation", out]) == 0
    assert {row["class"] for row in manifest(tmp_path / "set")} == {"NV"}
    assert len(manifest(tmp_path / "set")) == 3


def test_one_folder_of_photographs_is_divided_by_lesion(demo, tmp_path, judge, capsys):
    photographs = write_labelled_folder(tmp_path / "photographs", lesions=12)
    arguments = ["--output", str(tmp_path / "curated"), "--train", str(photographs), "--classifier", str(judge)]
    assert main(["curate", str(demo), *arguments, "--json"]) == 0
    assert events_of(capsys)[0]["rules"] == "fidelity>=0.1,copies,duplicates"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--rules", "fidelty>=0.5"], 2, "fidelty>=0.5"),
        (["--rules", "copies"], 2, "--train"),
        (["--real", "."], 2, "--train"),
        (["--classifier", "nowhere"], 3, "nowhere"),
    ],
)
def test_slips_are_named(demo, tmp_path, capsys, arguments, code, words):
    assert main(["curate", str(demo), "--output", str(tmp_path / "curated"), *arguments]) == code
    assert words in capsys.readouterr().err
    assert not (tmp_path / "curated").exists()


def test_an_empty_folder_and_one_that_is_not_there_are_named(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "gone"):
        assert main(["curate", str(tmp_path / name), "--output", str(tmp_path / "curated")]) == 3
        assert name in capsys.readouterr().err
