"""The figure: drawn without pyplot, with a colour bar where there is a map and none where there is not."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.xai.builders import GREEN, RED, explanation
from xai.explanation import STYLES, Classification, GateVerdict
from xai.figure import png_bytes, render_figure

LONG = GateVerdict("amber", tuple(f"A rather long sentence about doubt number {i}, with $dollars$." for i in range(9)))


def colour_bar(figure):
    """The strip of the figure in which the colour bar lies."""
    return np.asarray(figure).astype(int)[125:460, 815:829]


@pytest.mark.parametrize("gate", [GREEN, LONG, RED])
def test_size_and_content(gate):
    figure = render_figure(explanation(gate=gate))
    assert figure.size == (1320, 720)
    assert figure.mode == "RGB"
    assert np.asarray(figure).std() > 10


def test_the_colour_bar_runs_from_blue_through_grey_to_red():
    bar = colour_bar(render_figure(explanation())).mean(axis=1)
    top, bottom = bar[5], bar[-5]
    assert top[0] > top[2] + 40
    assert bottom[2] > bottom[0] + 40
    assert np.ptp(bar[len(bar) // 2]) < 25


@pytest.mark.parametrize("style", STYLES)
def test_the_heading_of_the_map_and_the_badge_of_its_gap_stand_apart(style):
    figure = np.asarray(render_figure(explanation(relative_delta=0.0038), style=style))
    assert (figure[86:106, 624:800] != 255).any(), "the badge"
    assert (figure[86:106, 600:620] == 255).all()


def test_no_colour_bar_without_a_map():
    assert (colour_bar(render_figure(explanation(gate=RED))) == 255).all()


@pytest.mark.parametrize("shape", [(1, 1), (600, 450), (3, 300)])
def test_any_shape(shape):
    made = explanation(np.ones(shape), image=np.zeros((*shape, 3), np.uint8))
    assert render_figure(made).size == (1320, 720)


def test_a_classifier_of_a_thousand_outputs_and_hostile_names():
    names = {f"output $_{i}": 1 / 1000 for i in range(1000)}
    made = explanation(gate=RED, target="output $_3", classification=Classification("output $_3", names, names, RED))
    assert render_figure(made).size == (1320, 720)


def test_png_bytes_come_back():
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (5, 4, 3)).astype(np.uint8))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png_bytes(picture)))), np.asarray(picture))


def test_pyplot_stays_out():
    code = "import sys, xai.figure; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_types_need_no_torch():
    code = "import sys, xai.explanation; sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
