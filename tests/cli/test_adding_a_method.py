"""A method and a baseline that are added in one file are found by every door; so is what they are called."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cli.app import cli
from core.config.schema import BY_KEY
from core.errors import UsageError
from scripts.reference import render
from tests.support.tiny_classifier import draw_lesion, write_tiny_classifier
from xai.baselines import BASELINES
from xai.explanation import ExplainOptions
from xai.methods import METHODS

HOME = "tests.xai.added_method"


@pytest.fixture
def _added() -> Iterator[None]:
    importlib.import_module(HOME)
    yield
    METHODS.remove("brightness")
    BASELINES.remove("half")
    del sys.modules[HOME]


@pytest.mark.usefixtures("_added")
@pytest.mark.parametrize("command", ["explain", "trajectory"])
def test_the_help_of_the_commands_names_them(command: str) -> None:
    shown = " ".join(CliRunner().invoke(cli, [command, "--help"]).output.split())
    assert "smoothgrad, brightness" in shown
    assert "multi|half]" in shown


@pytest.mark.usefixtures("_added")
def test_the_docs_and_the_settings_know_them() -> None:
    assert "| `brightness` | Brightness | brightness | no | no | How bright each pixel is. |" in render()
    assert "| `half` | half as bright | The image at half its brightness. |" in render()
    assert BY_KEY["xai.baseline"].check("half") == "half"


@pytest.mark.usefixtures("_added")
def test_a_map_is_made_and_reported(call: Any, tmp_path: Path) -> None:
    classifier = write_tiny_classifier(tmp_path / "classifier")
    picture = draw_lesion("MEL", 7)
    Image.fromarray(picture).save(tmp_path / "lesion.png")
    asked = ("--methods", "ig,brightness", "--baseline", "half", "--classifier", classifier, "--output", tmp_path / "x")
    assert call("explain", tmp_path / "lesion.png", *asked)[0] == 0
    gradients, found = json.loads((tmp_path / "x" / "analysis.json").read_text())["explanations"]
    assert (gradients["baseline"], found["baseline"], found["unit"]) == ("half", None, "brightness")
    with np.load(tmp_path / "x" / found["files"]["arrays"]) as arrays:
        np.testing.assert_allclose(arrays["attribution"].sum(axis=2), picture.mean(axis=2) / 255, rtol=1e-5)
    page = (tmp_path / "x" / "report.html").read_text(encoding="utf-8")
    assert "lesion.png: Brightness for MEL" in page


def test_without_the_file_they_are_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="There is no explanation method 'brightness'") as caught:
        ExplainOptions(("brightness",))
    assert caught.value.remedy == f"Choose one of {', '.join(METHODS)}."
    with pytest.raises(UsageError, match="There is no baseline 'half'"):
        ExplainOptions(baseline="half")


def test_names_and_facts_are_read_without_torch_and_numpy() -> None:
    modules = "sys, xai.explanation, xai.trajectory.request"
    asked = f"import {modules}; print(sorted({{'torch', 'numpy', 'PIL'}} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
