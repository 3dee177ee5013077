"""What pip installs: a wheel with everything in it, and a command that works from any folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import tomli

from core.version import COMMAND, __version__

ROOT = Path(__file__).resolve().parents[1]
ROOMS = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["root_packages"]
BUILD = ("pyproject.toml", "requirements.txt", "README.md", "LICENSE", "main.py", "bootstrap.py")
QUIET = {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_CONFIG_FILE": os.devnull}

pytestmark = pytest.mark.slow


def _pip(*arguments: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    subprocess.run([sys.executable, "-m", "pip", *arguments], env=kept | QUIET, check=True, capture_output=True)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the wheel is made of, because a build leaves files beside its sources."""
    folder = tmp_path_factory.mktemp("source")
    for name in BUILD:
        shutil.copy(ROOT / name, folder / name)
    for room in (*ROOMS, "starter"):
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site-packages")
    _pip("install", "--no-deps", "--target", str(folder), str(wheel))
    return folder


def _command(installed: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which(COMMAND, path=installed / "bin")
    assert program is not None
    variables = os.environ | {"PYTHONPATH": str(installed), "ISICGUI_HOME": str(folder / "home"), "PYTHONUTF8": "1"}
    return subprocess.run([program, *arguments], cwd=folder, env=variables, capture_output=True, encoding="utf-8")


def test_the_wheel_holds_the_program_and_its_data_and_nothing_else(source: Path, wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = [path for room in (*ROOMS, "starter") for path in (source / room).rglob("*") if path.is_file()]
    expected = {path.relative_to(source).as_posix() for path in files if path.suffix != ".po"} | {"main.py"}
    assert held == expected
    for needed in (".mo", ".svg", ".safetensors", ".npz"):
        assert any(name.endswith(needed) for name in held), needed


def test_the_version_and_the_requirements_are_the_programs(source: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        told = archive.read(name).decode("utf-8").splitlines()
    assert f"Version: {__version__}" in told
    asked = [
        line for line in (source / "requirements.txt").read_text(encoding="utf-8").splitlines() if line[:1].isalpha()
    ]
    assert sum(line.startswith("Requires-Dist: ") for line in told) == len(asked) > 20


def test_the_command_works_from_any_folder(installed: Path, tmp_path: Path) -> None:
    version = _command(installed, "--version", folder=tmp_path)
    assert version.stdout.strip().endswith(__version__), version.stderr
    models = _command(installed, "models", "list", folder=tmp_path)
    assert str(installed / "starter") in models.stdout, models.stderr
    made = _command(installed, "generate", "--classes", "NV=1", "--steps", "1", "--output", "out", folder=tmp_path)
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "out" / "NV" / "ISIC_0000001.png").is_file()
    wrong = _command(installed, "generate", "--no-such-option", folder=tmp_path)
    assert wrong.returncode == 2
    assert f"See '{COMMAND} generate --help'" in wrong.stderr
