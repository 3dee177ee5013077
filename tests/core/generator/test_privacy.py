"""What is passed on names neither the folders nor the account of whoever made it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from core.events import ImageDone
from core.files.text import finite_json
from core.generation import GenerationRequest
from core.generator.image_generator import ImageGenerator
from core.generator.reproduce import reproduce
from core.images import read_image
from dataset.export.plan import plan_export
from dataset.export.request import ExportOptions
from dataset.export.writing import export
from dataset.layout import Layout
from dataset.png import encode_png, read_recipe
from reports.html import render_html
from reports.markdown import render_markdown
from reports.model import Bullets, Facts, Paragraph, Report, Section, Table
from tests.support.tiny_models import write_tiny_pack

NAME = "alice-secret"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home" / NAME


def make(output: Path, models: Path, **options: Any) -> Path:
    options |= {"models": models, "output": output, "steps": 2, "device": "cpu", "precision": "fp32"}
    request = GenerationRequest(counts=(("MEL", 1),), **options)
    return next(event.file for event in ImageGenerator().generate(request) if isinstance(event, ImageDone))


def telling(folder: Path) -> list[str]:
    """Return the files below `folder`, without the program's own journal, that hold the name."""
    files = [path for path in folder.rglob("*") if path.is_file() and ".isicgui" not in path.parts]
    assert files
    return [path.relative_to(folder).as_posix() for path in files if NAME.encode() in path.read_bytes()]


@pytest.mark.parametrize("place", ["models", "models/pack"])
def test_an_image_and_an_export_name_the_pack_and_not_where_it_lies(home, place):
    write_tiny_pack(home / "models" / "pack")
    image = make(home / "out", home / place, trajectory=True)
    recipe = read_recipe(image)
    assert recipe.models == "pack"
    assert len(recipe.weights_sha256) == 64
    assert telling(home / "out") == []
    for form in ("imagefolder", "csv", "jsonl", "hf", "isic"):
        list(export(plan_export(home / "out", ExportOptions(home / form, format=form, split=None))))
        assert telling(home / form) == []
    assert NAME in Layout(home / "out").journal.read_text(), "here it stays, so that the image can be made again"


def test_the_models_are_found_again_by_the_journal(home):
    write_tiny_pack(home / "models" / "pack")
    image = make(home / "out", home / "models")
    again = reproduce(image)
    assert (again.identical, again.same_weights) == (True, True)
    (home / "out").rename(home / "moved")
    assert reproduce(home / "moved" / image.relative_to(home / "out")).identical


def test_a_recipe_of_an_older_version_still_leads_to_its_models(home):
    write_tiny_pack(home / "models" / "pack")
    image = make(home / "out", home / "models")
    recipe = dataclasses.replace(read_recipe(image), models=str(home / "models"))
    alone = home / "elsewhere" / "MEL" / image.name
    alone.parent.mkdir(parents=True)
    alone.write_bytes(encode_png(read_image(image), recipe))
    assert reproduce(alone).same_weights


def test_a_sidecar_names_the_weights_as_older_tools_expect(home):
    write_tiny_pack(home / "models" / "pack")
    image = make(home / "out", home / "models")
    sidecar = json.loads(image.with_suffix(".json").read_text())
    assert sidecar["model"]["model_path"] == sidecar["recipe"]["weights"]
    assert not Path(sidecar["model"]["model_path"]).is_absolute()


@pytest.mark.parametrize("system", ["posix", "windows"])
def test_results_and_pages_name_nobodys_home(monkeypatch, tmp_path, system):
    home = tmp_path / "home" / NAME
    monkeypatch.setenv("HOME", str(home))
    path = str(home / "set" / "x.png") if system == "posix" else f"C:\\Users\\{NAME}\\set\\x.png"
    said = f"'{path}' cannot be read"
    results = json.loads(finite_json({"file": path, "notes": [said], "path": Path(path)}))
    blocks = [Paragraph(said), Facts([("file", path)]), Bullets([said]), Table([path], [[path]])]
    report = Report(said, [Paragraph(said)], [Section(said, blocks)])
    text = render_html(report) + render_markdown(report)
    assert NAME not in json.dumps(results)
    assert NAME not in text
    assert results["file"].endswith("x.png")
