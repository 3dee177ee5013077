"""Names of files and folders that are no UTF-8."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from PIL import Image

from tests.support.tiny_classifier import draw_lesion, write_tiny_classifier

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no such names")


def test_a_picture_whose_name_is_no_text_is_explained_and_reported(call, tmp_path):
    classifier, folder, out = write_tiny_classifier(tmp_path / "c"), tmp_path / "p\udcfe", tmp_path / "out\udcfd"
    folder.mkdir()
    with open(folder / "\udcff.png", "wb") as stream:
        Image.fromarray(np.asarray(draw_lesion("MEL"))).save(stream, "PNG")
    words = ("--classifier", classifier, "--target", "MEL", "--methods", "gradcam,occlusion", "--json")
    code, told, err = call("explain", folder, *words, "--output", out)
    assert (code, "Traceback" in err) == (0, False)
    events = [json.loads(line) for line in told.splitlines()]
    assert next(event["file"] for event in events if "file" in event) == str(
        folder / "\udcff.png"
    )  # JSON gives the name back as it was
    assert "\\udcff.png" in (out / "report.html").read_text(encoding="utf-8")
    assert json.loads((out / "analysis.json").read_text(encoding="utf-8"))
