"""`models judge`, `models sheet`, `models card` from the command line."""

from __future__ import annotations

import json
import os

from PIL import Image

from tests.support.labelled_data import write_labelled_folder
from tests.support.tiny_classifier import write_tiny_classifier
from tests.support.tiny_models import write_tiny_pack


def test_judge_then_card(call, tmp_path):
    pack, work = write_tiny_pack(tmp_path / "pack"), tmp_path / "work"
    data = write_labelled_folder(tmp_path / "data", lesions=8, size=16)
    evaluator = write_tiny_classifier(tmp_path / "classifier")
    asked = ("--data", data, "--evaluator", evaluator, "--per-class", 1, "--steps", 1, "--device", "cpu")
    code, out, err = call("models", "judge", pack, "--output", work, *asked, "--json")
    assert code == 0, err
    events = [json.loads(line) for line in out.splitlines()]
    assert events[-1]["event"] == "judged"
    assert events[-1]["fidelity"]["generated"]["n"] == 7
    assert events[-1]["distance"]["by_class"] == {}, "a distance needs four images"
    code, out, err = call("models", "card", pack, "--judged", work)
    assert code == 0, err
    assert out.strip() == (pack / "README.md").read_text(encoding="utf-8").strip()
    assert "7 unselected images" in out
    code, out, err = call("models", "sheet", pack, "--samples", work / "generated" / "guidance-1.5", "--columns", 1,
                          "--output", tmp_path / "sheet.png")  # fmt: skip
    assert code == 0, err
    with Image.open(tmp_path / "sheet.png") as picture:
        assert picture.height == 7 * 20 - 4


def test_card_of_a_classifier_is_shown(call, tmp_path):
    classifier = write_tiny_classifier(tmp_path / "classifier")
    assert call("models", "card", classifier)[0] == 3
    (classifier / "README.md").write_text("# a card\n", encoding="utf-8")
    assert call("models", "card", classifier)[:2] == (0, "# a card\n\n")


def test_wrong_folders_and_flags_are_named(call, tmp_path):
    code, _, err = call("models", "card", tmp_path)
    assert (code, "neither a model pack nor a classifier" in err) == (3, True)
    pack = write_tiny_pack(tmp_path / "pack")
    code, _, err = call("models", "card", pack, "--judged", tmp_path / "nothing")
    assert (code, "judgement.json" in err) == (3, True)
    assert call("models", "card", pack, "--data", tmp_path)[0] == 2
    assert call("models", "judge", pack, "--data", tmp_path, "--output", tmp_path / "o", "--sweep", "a")[0] == 2


def test_a_card_or_sheet_that_cannot_be_written_is_exit_4(call, tmp_path):
    pack = write_tiny_pack(tmp_path / "pack")
    (pack / "README.md").mkdir()
    code, _, err = call("models", "card", pack)
    assert code == 4
    assert "README.md" in err
    (tmp_path / "file").write_text("mine")
    code, _, err = call(
        "models", "sheet", pack, "--columns", 1, "--steps", 1, "--output", tmp_path / "file" / "sheet.png"
    )
    assert code == 4
    assert "could not be read or written" in err
    assert (tmp_path / "file").read_text() == "mine"


def test_a_card_that_is_no_utf_8_is_shown_and_a_pipe_is_refused(call, tmp_path):
    classifier = write_tiny_classifier(tmp_path / "classifier")
    (classifier / "README.md").write_bytes("für alle\n".encode("latin-1"))
    code, out, _ = call("models", "card", classifier)
    assert code == 0
    assert out.startswith("f\N{REPLACEMENT CHARACTER}r alle")
    (classifier / "README.md").unlink()
    os.mkfifo(classifier / "README.md")
    code, _, err = call("models", "card", classifier)
    assert code == 3
    assert "README.md" in err
