"""Run folders: never one that exists, and a configuration that says everything and is read back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import InputRefusedError, OutputError
from core.files.folder_lock import FolderLock
from core.jobs.stream import JobStopped
from core.message import Message
from training.run_folder import (
    before,
    new_run_folder,
    read_run_config,
    read_run_settings,
    unless_refused,
    write_run_config,
)
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


@pytest.mark.parametrize("was", ["missing", "empty"])
def test_a_refused_run_leaves_the_folder_as_it_was(tmp_path: Path, was: str):
    folder = tmp_path / "run"
    if was == "empty":
        folder.mkdir()
    assert before(folder) == was
    with pytest.raises(InputRefusedError), unless_refused(folder, before(folder)), FolderLock(made(folder)):
        refuse_after(folder, "config.json", "MEL/tensorboard/events.out")
    assert before(folder) == was


@pytest.mark.parametrize("kept", ["last.pt", "samples/000000010.png", "notes.txt"])
def test_what_a_run_has_made_stays_whatever_is_refused_then(tmp_path: Path, kept: str):
    folder = tmp_path / "run"
    with pytest.raises(InputRefusedError), unless_refused(folder, "missing"):
        refuse_after(folder, kept, "config.json")
    assert (folder / kept).exists()
    assert (folder / "config.json").exists()


def test_a_folder_that_was_used_is_left_alone(tmp_path: Path):
    (tmp_path / "config.json").write_text("{}")
    assert before(tmp_path) == "used"
    with pytest.raises(InputRefusedError), unless_refused(tmp_path, before(tmp_path)):
        raise InputRefusedError(Message("Not these."))
    assert (tmp_path / "config.json").exists()


def test_a_stop_is_no_refusal(tmp_path: Path):
    with pytest.raises(JobStopped), unless_refused(made(tmp_path / "run"), "missing"):
        raise JobStopped
    assert (tmp_path / "run").is_dir()


def refuse_after(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    raise InputRefusedError(Message("Not these."))


def made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder
