"""What set-up decides before it hands over: the variables of the program, and what stops a window."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.environment import launcher
from core.environment.launcher import child_variables, main


def test_other_pythons_do_not_leak_into_the_environment(monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/ros")
    monkeypatch.setenv("PYTHONHOME", "/conda")
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    variables = child_variables()
    assert not {"PYTHONPATH", "PYTHONHOME", "PIP_USER"} & set(variables)
    assert variables["HTTPS_PROXY"] == "http://proxy"
    assert variables["PYTHONUTF8"] == "1"


@pytest.mark.parametrize(("before", "after"), [("C", "C.UTF-8"), ("POSIX", "C.UTF-8"), ("ru_RU.UTF-8", "ru_RU.UTF-8")])
def test_a_forced_locale_without_letters_is_widened(monkeypatch, before: str, after: str) -> None:
    monkeypatch.setenv("LC_ALL", before)
    assert child_variables()["LC_ALL"] == after


class _Handed(Exception):  # noqa: N818 - a signal from the stand-in, not an error
    """Raised where the process would have become the program."""


@pytest.fixture
def ready(monkeypatch, tmp_path: Path) -> Path:
    """A set-up with nothing to do, on a machine that lacks system libraries; handing over is only noted."""

    def note(python: Path, arguments: list[str]) -> int:
        raise _Handed(*arguments[1:])

    monkeypatch.setattr(launcher, "_set_up", lambda *_: False)
    monkeypatch.setattr(launcher, "_hand_over", note)
    monkeypatch.setattr(launcher, "ensure_libraries", lambda: "Run: get-them")
    return tmp_path


def test_missing_libraries_stop_the_window(ready: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(launcher, "has_display", lambda: True)
    assert main([], ready) == 1
    assert "Run: get-them" in capsys.readouterr().err


def test_without_a_display_main_says_what_to_do(ready: Path, monkeypatch) -> None:
    monkeypatch.setattr(launcher, "has_display", lambda: False)
    with pytest.raises(_Handed):
        main([], ready)


def test_missing_libraries_do_not_stop_a_command(ready: Path, capsys) -> None:
    with pytest.raises(_Handed, match="generate"):
        main(["generate"], ready)
    assert capsys.readouterr().err == ""


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, capsys) -> None:
    (tmp_path / "requirements.txt").write_text("", encoding="utf-8")
    (tmp_path / ".venv.lock").mkdir()  # as good as read-only, also for root
    assert main(["doctor"], tmp_path) == 1
    said = capsys.readouterr().err
    assert str(tmp_path) in said
    assert "Move it to a folder that you can write to" in said
    assert os.listdir(tmp_path / ".venv.lock") == []
