"""The figure of differences keeps all its words inside."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from evaluation.utility.figure import differences_figure
from evaluation.utility.statistics import Difference, Interval


def test_long_names_of_conditions_cut_no_word() -> None:
    titles = {"more": "real + synthetic, 1 : 1", "control": "real + resampled real (matched control), 1 : 1"}
    found = [Difference("more", "control", "balanced_accuracy", Interval(-0.06, -0.1, -0.02))] * 4
    with Image.open(BytesIO(differences_figure(found, titles))) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    edges = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    assert all((edge == pixels[0, 0]).all() for edge in edges)
