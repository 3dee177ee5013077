"""The yardstick of weak evidence, against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core.errors import InputRefusedError
from core.taxonomy import CLASS_CODES
from tests.support.tiny_classifier import draw_lesion, write_tiny_classifier
from xai.classifier import load_classifier
from xai.explain import explain_image
from xai.explanation import ExplainOptions
from xai.strength import main, strength_p5
from xai.subject import read_subject


def test_is_the_5th_percentile_of_what_explanations_say(tmp_path, capsys):
    folder = write_tiny_classifier(tmp_path / "c")
    differences = []
    for code in CLASS_CODES:
        (tmp_path / "photos" / code).mkdir(parents=True)
        for seed in range(3):
            path = tmp_path / "photos" / code / f"{seed}.png"
            Image.fromarray(draw_lesion(code, seed)).save(path)
            (found,) = explain_image(path, ExplainOptions(classifier=folder, device="cpu"))
            differences.append(abs(found.score - found.baseline_score))
    main([str(folder), str(tmp_path / "photos")])
    assert float(capsys.readouterr().out) == pytest.approx(np.percentile(differences, 5), abs=1e-3)


def test_without_labels_there_is_no_yardstick(tmp_path):
    classifier = load_classifier(write_tiny_classifier(tmp_path / "c"))
    with pytest.raises(InputRefusedError):
        strength_p5(classifier, [read_subject(draw_lesion("MEL"))])
