"""Commands that write a report or a list anew: what a person has changed there is set aside, and said."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.support.labelled_data import write_labelled_folder
from tests.support.tiny_classifier import draw_lesion, write_tiny_classifier


@pytest.fixture
def picture(tmp_path):
    Image.fromarray(np.asarray(draw_lesion("MEL"))).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_an_edited_report_of_explanations_is_kept(call, tmp_path, picture):
    classifier, out = write_tiny_classifier(tmp_path / "classifier"), tmp_path / "out"
    words = ("explain", picture, "--classifier", classifier, "--target", "MEL", "--output", out)
    code, _, err = call(*words)
    assert (code, "Note:" in err) == (0, False)
    assert call(*words)[0] == 0
    assert not list(out.glob("*.before-*"))
    (out / "report.html").write_text("my own words", encoding="utf-8")
    code, _, err = call(*words)
    (aside,) = out.glob("*.before-*")
    assert code == 0
    assert aside.name in err
    assert aside.read_text(encoding="utf-8") == "my own words"
    assert "my own words" not in (out / "report.html").read_text(encoding="utf-8")


def test_an_edited_sheet_of_photographs_is_kept(call, tmp_path):
    photographs, out = write_labelled_folder(tmp_path / "photos", lesions=2, size=16), tmp_path / "out"
    words = ("data", "check", photographs, "--output", out)
    assert call(*words)[0] == 0
    assert call(*words)[0] == 0
    assert [path.name for path in out.iterdir()] == ["photographs.png"]
    (out / "photographs.png").write_bytes(b"my own picture")
    code, _, err = call(*words)
    (aside,) = out.glob("*.before-*")
    assert code == 0
    assert aside.name in err
    assert aside.read_bytes() == b"my own picture"
