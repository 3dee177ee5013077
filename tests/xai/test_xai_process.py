"""`xai/XAI.py`: the predecessor's variables, a process of its own, and an import that does nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import UsageError
from core.events import ImageDone
from core.generation import GenerationRequest
from core.generator.image_generator import ImageGenerator
from core.samplers import usual_steps
from core.utils.path_manager import PathManager
from tests.support.tiny_classifier import write_tiny_classifier
from tests.support.tiny_models import write_tiny_pack
from xai import XAI
from xai.trajectory import run
from xai.trajectory.request import request_of_environment

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def pack(tmp_path):
    return write_tiny_pack(tmp_path / "models" / "pack")


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A quick judge in place of the starter classifier, and no plots."""
    judge = write_tiny_classifier(tmp_path / "judge", trained=False)
    monkeypatch.setattr(PathManager, "starter_classifier_dir", judge)
    monkeypatch.setattr(run, "pictures_of_image", lambda _analysis: {})
    monkeypatch.setenv("ISICGUI_HOME", str(tmp_path / "home"))


def test_the_variables_mean_what_they_meant(tmp_path):
    request = request_of_environment(
        {
            "XAI_TARGET_CLASS": "NV",
            "XAI_GENERATION_SEED": "1396962837",
            "XAI_INFERENCE_STEPS": "30",
            "XAI_SAVE_EVERY_N": "7",
            "XAI_DDPM_MODEL_PATH": str(tmp_path / "unet_NV_best.pth"),
        },
        tmp_path,
    )
    (planned,) = request.planned()
    assert (planned.class_code, planned.seed) == ("NV", 1396962837)  # the image's own seed, nothing added
    assert (request.denoising_steps, request.every) == (30, 7)
    assert request.models == tmp_path / "unet_NV_best.pth"


def test_without_variables_it_is_melanoma_with_seed_42(tmp_path):
    request = request_of_environment({}, tmp_path)
    assert [(image.class_code, image.seed) for image in request.planned()] == [("MEL", 42)]
    assert (request.every, request.denoising_steps) == (5, usual_steps(request.sampler))


@pytest.mark.parametrize(
    "variable", ["XAI_INFERENCE_STEPS=many", "XAI_SAVE_EVERY_N=0x5", "XAI_TARGET_CLASS=MELL", "XAI_INFERENCE_STEPS=0"]
)
def test_impossible_values_are_refused_by_name(tmp_path, variable):
    name, value = variable.split("=")
    with pytest.raises(UsageError):
        request_of_environment({name: value}, tmp_path)
    assert XAI.main({name: value}, tmp_path) == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("small")
def test_it_analyses_what_the_environment_names(pack, tmp_path):
    environment = {"XAI_DDPM_MODEL_PATH": str(pack), "XAI_INFERENCE_STEPS": "2", "XAI_TARGET_CLASS": "DF"}
    assert XAI.main(environment, tmp_path) == 0
    (folder,) = (tmp_path / "xai_results").iterdir()
    assert folder.name.startswith("xai_analysis_DF_")
    data = json.loads((folder / "analysis.json").read_text(encoding="utf-8"))
    assert (data["image"]["class"], data["image"]["seed"], data["image"]["steps"]) == ("DF", 42, 2)


@pytest.mark.usefixtures("small")
def test_an_image_named_is_the_image_analysed(pack, tmp_path):
    generation = GenerationRequest((("BCC", 1),), pack, tmp_path / "images", steps=2, device="cpu")
    (file,) = [event.file for event in ImageGenerator().generate(generation) if isinstance(event, ImageDone)]
    assert XAI.main({"XAI_IMAGE_PATH": str(file), "XAI_TARGET_CLASS": "MEL"}, tmp_path) == 0
    (folder,) = (tmp_path / "xai_results").iterdir()
    data = json.loads((folder / "analysis.json").read_text(encoding="utf-8"))
    assert (data["image"]["class"], data["image"]["file"]) == ("BCC", file.name)


def test_importing_it_does_nothing_and_running_it_finds_the_project_from_anywhere(tmp_path):
    environment = {**os.environ, "ISICGUI_HOME": str(tmp_path / "home"), "XAI_INFERENCE_STEPS": "none"}
    heavy = "import sys, xai.XAI; print(sorted({'torch', 'numpy', 'matplotlib'} & set(sys.modules)))"
    imported = subprocess.run(
        [sys.executable, "-c", heavy],
        cwd=PROJECT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert imported.stdout.strip() == "[]"
    ran = subprocess.run(
        [sys.executable, str(PROJECT / "xai" / "XAI.py")],
        cwd=tmp_path, env={**environment, "PYTHONIOENCODING": "ascii"}, capture_output=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 2
    assert "XAI_INFERENCE_STEPS is 'none'" in ran.stderr.decode("utf-8")
    assert not (tmp_path / "xai_results").exists()
