"""`train check`: what a file of settings is for, and what it would take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from classifier.config import ClassifierConfig
from cli.app import cli
from cli.train_check import checked
from core.errors import UsageError
from core.models.classification.architectures import ARCHITECTURES
from diffusion.autoencoder.config import AutoencoderConfig
from diffusion.autoencoder.model import build_autoencoder
from diffusion.config import DiffusionConfig
from diffusion.model import build_unet


def write(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def told(path: Path, *words: str) -> dict[str, object]:
    done = CliRunner().invoke(cli, ["train", "check", str(path), "--json", *words], standalone_mode=False)
    assert done.exception is None, done.exception
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("half_size_share = 0.1", "diffusion"), ("latent_channels = 4", "autoencoder"),
        ('architecture = "resnet34"', "classifier"),
    ],
)  # fmt: skip
def test_the_file_says_what_is_trained_and_the_network_is_that_of_the_training(
    tmp_path: Path, text: str, kind: str
) -> None:
    path = write(tmp_path, text)
    built = {
        "diffusion": lambda: build_unet(DiffusionConfig()),
        "autoencoder": lambda: build_autoencoder(AutoencoderConfig(latent_channels=4)),
        "classifier": lambda: ARCHITECTURES[ClassifierConfig(architecture="resnet34").architecture].build(7),
    }[kind]()
    found = told(path)
    assert found["kind"] == kind
    assert found["parameters"] == sum(weight.numel() for weight in built.parameters())


def test_a_larger_batch_takes_more_memory_in_proportion(tmp_path: Path) -> None:
    sizes = []
    for batch in (2, 4, 8):
        path = write(tmp_path, f'architecture = "resnet18"\nbatch_size = {batch}')
        sizes.append(int(str(told(path)["memory_bytes"])))
    assert sizes[2] - sizes[1] == 2 * (sizes[1] - sizes[0]) > 0


def test_settings_that_fit_several_kinds_need_a_word(tmp_path: Path) -> None:
    path = write(tmp_path, "seed = 3")
    with pytest.raises(UsageError, match="several kinds"):
        checked(path)
    assert checked(path, "classifier")[0] == "classifier"
    assert told(path, "--kind", "autoencoder")["kind"] == "autoencoder"


@pytest.mark.parametrize(("text", "words"), [("sed = 3", "did you mean seed"), ("batch_size = -1", "batch_size")])
def test_what_cannot_be_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        checked(write(tmp_path, text), "classifier")
    with pytest.raises(UsageError, match=words):
        checked(write(tmp_path, text))


def test_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "latent_channels = 4")
    monkeypatch.chdir(tmp_path)
    told(path)
    assert [file.name for file in tmp_path.iterdir()] == ["settings.toml"]
