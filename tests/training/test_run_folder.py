"""Run folders: never one that exists, and a configuration that says everything and is read back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import InputRefusedError, OutputError
from training.run_folder import new_run_folder, read_run_config, read_run_settings, write_run_config
from training.settings import Settings, load_settings


class Knobs(Settings):
    size: int = 8
    names: tuple[str, ...] = ("a", "b")


def test_runs_of_the_same_second_get_folders_of_their_own(tmp_path: Path):
    folders = [new_run_folder("net", tmp_path / "runs") for _ in range(5)]
    assert len(set(folders)) == 5
    assert all(folder.is_dir() and folder.name.startswith("net_20") for folder in folders)


def test_a_file_where_the_runs_should_lie_is_named(tmp_path: Path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(OutputError, match="runs"):
        new_run_folder("net", tmp_path / "runs")


def test_settings_come_back_as_they_were(tmp_path: Path):
    write_run_config(tmp_path, kind="diffusion", name="net", settings=Knobs(size=9), data="photos")
    assert load_settings(Knobs, preset=read_run_settings(tmp_path)) == Knobs(size=9)
    content = json.loads((tmp_path / "config.json").read_text())
    assert (content["kind"], content["name"], content["data"]) == ("diffusion", "net", "photos")
    assert {"isicgui", "torch", "diffusers"} <= content["versions"].keys()
    assert content["timestamp"][:2] == "20"


@pytest.mark.parametrize("text", [None, "{", ""])
def test_a_folder_without_a_readable_configuration_is_no_run(tmp_path: Path, text: str | None):
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    with pytest.raises(InputRefusedError, match="no training run"):
        read_run_config(tmp_path)
