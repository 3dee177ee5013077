"""Pictures of one image: what may not be shown is not shown, and a map is never without its scale."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.support.tiny_classifier import write_tiny_classifier
from xai.explanation import GateVerdict
from xai.trajectory.analysis import analyse_image
from xai.trajectory.plots import scales, step_panels, time_shap_figure
from xai.trajectory.request import TrajectoryRequest


@pytest.fixture
def analysed(make_source, classifier, tmp_path):
    """One image whose Time-SHAP has strong maps and bars too low to be seen."""
    request = TrajectoryRequest(tmp_path, classifier=classifier, device="cpu", steps=4, groups=2, quick=True)
    found = analyse_image(make_source(steps=4), request)
    halves = np.where(np.arange(16) < 8, 1.0, -1.0) * np.ones((2, 16, 16))
    flat = replace(found.time_shap.shapley, values=np.zeros(2))
    return replace(found, time_shap=replace(found.time_shap, shapley=flat, logit_maps=halves.astype(np.float32)))


def coloured(png):
    """Return how many pixels are clearly red or blue."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    return int((np.abs(pixels[..., 0] - pixels[..., 2]) > 60).sum())


def with_gate(analysis, level):
    verdict = GateVerdict(level, () if level == "green" else ("The head was never trained.",))
    maps = tuple(replace(found, gate=verdict) for found in analysis.last.maps)
    return replace(analysis, explained=(replace(analysis.last, maps=maps),))


def test_under_a_red_gate_time_shap_shows_no_map_of_the_logit(analysed):
    shown, withheld = (coloured(time_shap_figure(with_gate(analysed, level))) for level in ("green", "red"))
    assert shown > withheld + 10_000


def test_the_maps_of_a_step_have_a_colour_bar_unless_no_map_may_be_shown(analysed):
    def below(level):
        last = with_gate(analysed, level).last
        picture = Image.open(io.BytesIO(step_panels(last, dict.fromkeys(scales(analysed), 1.0))))
        band = io.BytesIO()
        picture.crop((picture.width // 2, picture.height - 60, *picture.size)).save(band, "PNG")
        return coloured(band.getvalue())

    assert below("green") > 500
    assert below("red") == 0


def test_an_untrained_classifier_gets_through_with_no_map_drawn(make_source, tmp_path):
    judge = write_tiny_classifier(tmp_path / "judge", trained=False)
    request = TrajectoryRequest(tmp_path, classifier=judge, device="cpu", steps=2, groups=1, quick=True)
    found = analyse_image(make_source(steps=2), request)
    assert set(scales(found).values()) == {None}
    assert step_panels(found.last, scales(found)).startswith(b"\x89PNG")
