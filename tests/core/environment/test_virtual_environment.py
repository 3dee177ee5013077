"""The environment on disk: what counts as up to date, and what a set-up leaves behind when it fails."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from core.environment import virtual_environment
from core.environment.virtual_environment import VirtualEnvironment, base_python, torch_backends
from core.environment.words import SetupError


@pytest.fixture
def ready(tmp_path: Path) -> tuple[VirtualEnvironment, Path]:
    """An environment folder as a finished set-up leaves it, without the cost of making one."""
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("tiny>=1\n", encoding="utf-8")
    environment = VirtualEnvironment(tmp_path / ".venv")
    environment.python.parent.mkdir(parents=True)
    environment.python.symlink_to(sys.executable)
    (environment.folder / "pyvenv.cfg").write_text("version = 3.11.7\n", encoding="utf-8")
    packages = environment.folder / "lib" / "python3.11" / "site-packages"
    (packages / "tiny-1.0.dist-info").mkdir(parents=True)
    environment._stamp(requirements)
    return environment, requirements


def test_a_finished_environment_is_up_to_date(ready: tuple[VirtualEnvironment, Path]) -> None:
    environment, requirements = ready
    assert environment.outdated([requirements]) == []


def test_line_ends_do_not_matter(ready: tuple[VirtualEnvironment, Path]) -> None:
    environment, requirements = ready
    requirements.write_bytes(b"tiny>=1\r\n")
    assert environment.outdated([requirements]) == []


def _change_requirements(environment: VirtualEnvironment, requirements: Path) -> None:
    requirements.write_text("tiny>=2\n", encoding="utf-8")


def _change_python(environment: VirtualEnvironment, requirements: Path) -> None:
    (environment.folder / "pyvenv.cfg").write_text("version = 3.12.1\n", encoding="utf-8")


def _remove_a_package(environment: VirtualEnvironment, requirements: Path) -> None:
    next(environment.folder.glob("lib/*/site-packages/tiny-1.0.dist-info")).rmdir()


def _dangle_python(environment: VirtualEnvironment, requirements: Path) -> None:
    environment.python.unlink()
    environment.python.symlink_to("/nowhere/python3.11")


def _interrupt(environment: VirtualEnvironment, requirements: Path) -> None:
    (environment.folder / "isicgui-installing").touch()


def _cut_the_stamp(environment: VirtualEnvironment, requirements: Path) -> None:
    stamp = environment.folder / "isicgui-requirements.json"
    stamp.write_bytes(stamp.read_bytes()[:20])


def _change_the_stamps_shape(environment: VirtualEnvironment, requirements: Path) -> None:
    (environment.folder / "isicgui-requirements.json").write_text("[1]", encoding="utf-8")


@pytest.mark.skipif(os.name == "nt", reason="the fixture lays the environment out as on POSIX")
@pytest.mark.parametrize(
    "spoil",
    [
        _change_requirements,
        _change_python,
        _remove_a_package,
        _dangle_python,
        _interrupt,
        _cut_the_stamp,
        _change_the_stamps_shape,
    ],
)
def test_whatever_is_not_as_it_was_left_is_outdated(ready, spoil) -> None:
    environment, requirements = ready
    spoil(environment, requirements)
    assert environment.outdated([requirements]) == [requirements]


def test_another_requirements_file_is_outdated_on_its_own(ready: tuple[VirtualEnvironment, Path]) -> None:
    environment, requirements = ready
    tests = requirements.with_name("requirements-test.txt")
    tests.write_text("-r requirements.txt\n", encoding="utf-8")
    assert environment.outdated([requirements, tests]) == [tests]


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands for the environment's Python")
def test_a_probe_that_fails_is_told_and_nothing_is_stamped(ready, monkeypatch, capfd) -> None:
    """torchvision beside a torch that it was not built for: installed, importable by name, but not working."""
    environment, requirements = ready
    requirements.write_text("torchvision>=0.25  # comment\n", encoding="utf-8")
    environment.python.unlink()
    program = '#!/bin/sh\ncase "$2" in *nms*) echo "operator nms does not exist" >&2; exit 1 ;; esac\n'
    environment.python.write_text(program, encoding="ascii")
    environment.python.chmod(0o755)
    monkeypatch.setattr(VirtualEnvironment, "_fill", lambda *_: None)
    with pytest.raises(SetupError) as caught:
        environment.install([requirements], dict(os.environ), ())
    assert "torchvision was installed but does not work" in caught.value.message
    assert str(environment.folder) in caught.value.remedy
    assert "operator nms does not exist" in capfd.readouterr().err
    assert environment.outdated([requirements]) == [requirements]


@pytest.mark.skipif(os.name == "nt", reason="links to versioned interpreters are a POSIX habit")
def test_the_base_python_is_no_link_and_no_virtual_environment() -> None:
    python = Path(base_python())
    assert not python.is_symlink()
    assert not (python.parent.parent / "pyvenv.cfg").exists()


def test_uv_chooses_the_build_of_torch_only_on_windows_with_nvidia(monkeypatch) -> None:
    monkeypatch.delenv("UV_TORCH_BACKEND", raising=False)
    monkeypatch.setattr(virtual_environment.shutil, "which", lambda name: name)
    monkeypatch.setattr(virtual_environment.os, "name", "nt")
    assert torch_backends([]) == (["--torch-backend=auto"], [])
    monkeypatch.setenv("UV_TORCH_BACKEND", "cpu")
    assert torch_backends([]) == ([],)
    monkeypatch.delenv("UV_TORCH_BACKEND")
    monkeypatch.setattr(virtual_environment.os, "name", "posix")
    assert torch_backends(["torch-2.15.0.dist-info", "torch_fidelity-0.4.0.dist-info"]) == ([],)


def test_the_build_of_torch_that_is_installed_stays_the_choice(monkeypatch) -> None:
    monkeypatch.delenv("UV_TORCH_BACKEND", raising=False)
    installed = ["torchvision-0.30.0+cpu.dist-info", "torch-2.15.0+cpu.dist-info"]
    assert torch_backends(installed) == (["--torch-backend=cpu"], [])
    monkeypatch.setenv("UV_TORCH_BACKEND", "cu130")
    assert torch_backends(installed) == ([],)
