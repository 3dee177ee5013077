"""Colour statistics correct checkpoints of the predecessor; a pack may say that its colours are right as they come."""

from __future__ import annotations

import json

import pytest

from core.events import ImageDone
from core.generation import GenerationRequest
from core.generator.image_generator import ImageGenerator
from tests.support.tiny_models import write_tiny_pack


@pytest.mark.parametrize(("advice", "corrected"), [({}, True), ({"color": True}, True), ({"color": False}, False)])
def test_a_pack_says_whether_its_colours_are_corrected(tmp_path, advice, corrected):
    pack = tmp_path / "models" / "tiny"
    write_tiny_pack(pack)
    about = json.loads((pack / "isicgui.json").read_text(encoding="utf-8"))
    about["recommended"].update(advice)
    (pack / "isicgui.json").write_text(json.dumps(about), encoding="utf-8")
    statistics = {"MEL": {"rgb": {"mean": [1, 250, 1], "std": [1, 1, 1]}}}
    (tmp_path / "models" / "color_statistics.json").write_text(json.dumps(statistics), encoding="utf-8")
    request = GenerationRequest((("MEL", 1),), tmp_path / "models", tmp_path / "out", steps=2)
    made = [event for event in ImageGenerator().generate(request) if isinstance(event, ImageDone)]
    recipe = json.loads(made[0].file.with_suffix(".json").read_text(encoding="utf-8"))
    assert (recipe["recipe"]["color"] is not None) is corrected
