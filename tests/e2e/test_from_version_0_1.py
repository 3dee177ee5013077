"""Folders that version 0.1.0 has left, interrupted runs and trainings among them, are opened and go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from cli.app import main
from dataset.ratings import Rating, read_ratings
from dataset.synthetic_dataset import SyntheticDataset
from tests.support import version_0_1
from tests.support.datasets import assert_consistent

pytestmark = pytest.mark.slow

CLOSE = 1e-4
"""Weights after a few steps on another processor, or by another version of PyTorch; here they are the same bits."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = version_0_1.unpack(tmp_path_factory.mktemp("old") / "isicgui")
    version_0_1.write_inputs(root)
    return root


@pytest.fixture
def run(folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that ends well; return what it printed."""
    monkeypatch.setenv("ISICGUI_HOME", str(folders / "home"))

    def call(*words: object) -> str:
        code = main([str(word) for word in words])
        printed = capsys.readouterr()
        assert code == 0, printed.err
        return printed.out

    return call


def pixels(path: Path) -> Any:
    return np.asarray(Image.open(path)).astype(int)


def weights(path: Path) -> dict[str, Any]:
    return {name: tensor.astype(np.float64) for name, tensor in load_file(path).items()}


def assert_close(made: Path, expected: Path, tolerance: float = CLOSE) -> None:
    here, there = weights(made), weights(expected)
    assert here.keys() == there.keys()
    for name, tensor in here.items():
        np.testing.assert_allclose(tensor, there[name], atol=tolerance, err_msg=name)


def test_an_interrupted_run_goes_on_with_the_same_images(folders: Path, run: Callable[..., str]) -> None:
    output = folders / "output"
    before = {path: path.read_bytes() for path in output.glob("[A-Z]*/*.png")}
    run("resume", output)
    assert all(path.read_bytes() == data for path, data in before.items())
    made, expected = sorted((output / "DF").glob("*.png")), sorted((folders / "expected/DF").glob("*.png"))
    assert [path.name for path in made] == [path.name for path in expected]
    for one, other in zip(made, expected, strict=True):
        assert np.abs(pixels(one) - pixels(other)).max() <= 1
    assert_consistent(output)


def test_ratings_are_read_and_the_trash_gives_back(folders: Path) -> None:
    output = folders / "output"
    assert read_ratings(output) == {
        ("MEL", "ISIC_0000001.png"): Rating(4),
        ("NV", "ISIC_0000001.png"): Rating(0, rejected=True),
    }
    with SyntheticDataset.open(output) as dataset:
        (deletion,) = dataset.trash.deletions
        assert dataset.trash.restore(deletion.trash_id) == (output / "MEL/ISIC_0000002.png",)
    assert_consistent(output)


def test_an_image_is_made_again(folders: Path, run: Callable[..., str]) -> None:
    printed = run("reproduce", folders / "output/NV/ISIC_0000002.png", "--models", folders / "models", "--json")
    end = json.loads(printed.splitlines()[-1])
    assert end["same_weights"]
    assert end["max_difference"] <= 1


def test_an_export_obeys_an_old_curation(folders: Path, run: Callable[..., str], tmp_path: Path) -> None:
    words = ("--to", tmp_path / "set", "--format", "imagefolder", "--curation", folders / "curation")
    run("export", folders / "output", *words)
    assert (tmp_path / "set/curation.csv").is_file()


def test_the_training_of_a_generator_goes_on_exactly(folders: Path, run: Callable[..., str]) -> None:
    folder = folders / "runs/diffusion"
    run("train", "diffusion", "--output", folder, "--resume")
    name = "diffusion_pytorch_model.safetensors"
    assert_close(folder / "pack" / name, folders / "expected/diffusion" / name, 1e-3)  # stored in 16 bits


def test_the_training_of_a_classifier_goes_on_exactly(folders: Path, run: Callable[..., str]) -> None:
    folder = folders / "runs/classifier"
    run("train", "classifier", "--data", folders / "photographs", "--output", folder, "--resume", "--tracker", "none")
    assert_close(folder / "model/model.safetensors", folders / "expected/classifier/model.safetensors")


def test_old_runs_are_listed(folders: Path, run: Callable[..., str]) -> None:
    printed = run("experiments", "list", "--root", folders / "runs")
    assert "classifier" in printed
    assert "diffusion" in printed


def test_an_analysis_goes_on_where_it_was(folders: Path, run: Callable[..., str]) -> None:
    output = folders / "analyses"
    (finished,) = output.glob("MEL_0000_*/trajectory.npz")
    before = finished.read_bytes()
    run("trajectory", "--output", output, "--class", "MEL", "--seed", "42", "--index", "0", "--count", "2",
        "--steps", "4", "--sampler", "dpmpp-2m-sde", "--models", folders / "models", "--classifier",
        folders / "judge", "--device", "cpu", "--every", "1", "--groups", "4", "--methods", "gradcam", "--baseline",
        "skin", "--quick")  # fmt: skip
    assert finished.read_bytes() == before
    assert len(list(output.glob("MEL_*/analysis.json"))) == 2
    assert (output / "report.html").is_file()


def test_an_explanation_takes_further_maps(folders: Path, run: Callable[..., str]) -> None:
    output = folders / "explained"
    before = {path: path.read_bytes() for path in output.glob("*.npz")}
    run("explain", folders / "lesions/NV", "--output", output, "--methods", "gradcam", "--classifier",
        folders / "judge", "--device", "cpu")  # fmt: skip
    assert all(path.read_bytes() == data for path, data in before.items())
    assert len(list(output.glob("*.npz"))) == 4


def test_an_experiment_goes_on_where_it_was(folders: Path, run: Callable[..., str]) -> None:
    output, data = folders / "experiment", folders / "utility"
    trained = output / "runs/real/seed_42.npz"
    before = trained.read_bytes()
    run("utility", "--train", data / "train", "--test", data / "test", "--synthetic", data / "synthetic",
        "--output", output, "--architecture", "small_cnn", "--image-size", "16", "--steps", "2", "--seeds", "2",
        "--device", "cpu")  # fmt: skip
    assert trained.read_bytes() == before
    assert (output / "results.json").is_file()
