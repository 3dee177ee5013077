"""A set-up held to requirements.lock, with the real uv and a folder of small wheels for an index; no network."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from core.environment.locked_versions import without_pypis_torch
from core.environment.virtual_environment import VirtualEnvironment
from tests.support.wheels import write_wheel

pytestmark = pytest.mark.skipif(find_spec("uv") is None, reason="uv is not installed beside the tests")

ROOT = Path(__file__).resolve().parents[3]
NOTICE = "The versions in requirements.lock could not be installed"
UV = """\
import subprocess, sys
sys.exit(subprocess.call([{binary!r}, *sys.argv[1:]]))
"""


class Setting:
    """An environment with uv in it, an index of wheels of one package, and requirements with a lock."""

    def __init__(self, folder: Path, package: str = "tiny") -> None:
        self.package = package
        self.wheels = folder / "wheels"
        self.requirements = folder / "requirements.txt"
        self.lock = folder / "requirements.lock"
        self.environment = VirtualEnvironment(folder / ".venv")
        self.cache = folder / "cache"
        self.requirements.write_text(f"{package}>=1\n", encoding="utf-8")
        self._offer_uv()

    def _offer_uv(self) -> None:
        from uv import find_uv_bin

        write_wheel(self.wheels, "uv", "1.0", {"uv/__init__.py": "", "uv/__main__.py": UV.format(binary=find_uv_bin())})

    def offer(self, *versions: str) -> list[str]:
        """Put the package in these versions, and no other, on the index; return the checksums of its wheels."""
        for old in self.wheels.glob(f"{self.package}-*.whl"):
            old.unlink()
        return [write_wheel(self.wheels, self.package, version, {f"{self.package}.py": ""}) for version in versions]

    def lock_to(self, version: str, sha256: str) -> None:
        """Write the lock."""
        self.lock.write_text(f"{self.package}=={version} \\\n    --hash=sha256:{sha256}\n", encoding="utf-8")

    def install(self) -> str:
        """Set up and return the installed version."""
        self.environment.install([self.requirements], self._variables(), ())
        assert self.environment.outdated([self.requirements]) == []
        (found,) = self.environment.folder.glob(f"lib/*/site-packages/{self.package}-*.dist-info")
        return found.name.removeprefix(f"{self.package}-").removesuffix(".dist-info")

    def _variables(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
        offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "PIP_CONFIG_FILE": os.devnull}
        no_index = {"UV_NO_INDEX": "1", "UV_FIND_LINKS": str(self.wheels), "UV_NO_CONFIG": "1"}
        return kept | offline | no_index | {"UV_CACHE_DIR": str(self.cache)}


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    """Requirements that allow any version."""
    return Setting(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="site-packages is looked for where POSIX has it")
def test_the_locked_version_is_installed_and_a_new_lock_is_followed(setting: Setting, capfd) -> None:
    old, new = setting.offer("1.0", "2.0")
    setting.lock_to("1.0", old)
    assert setting.install() == "1.0"
    setting.lock_to("2.0", new)
    assert setting.environment.outdated([setting.requirements]) == [setting.requirements]
    assert setting.install() == "2.0"
    assert NOTICE not in capfd.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="site-packages is looked for where POSIX has it")
@pytest.mark.parametrize(("version", "sha256"), [("1.5", "0" * 64), ("1.0", "0" * 64)], ids=["absent", "other-file"])
def test_what_is_locked_but_not_to_be_had_is_told_and_replaced(setting: Setting, capfd, version, sha256) -> None:
    setting.offer("1.0", "2.0")
    setting.lock_to(version, sha256)
    assert setting.install() == "2.0"
    assert NOTICE in capfd.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="site-packages is looked for where POSIX has it")
def test_a_build_of_torch_for_other_hardware_is_within_the_lock(tmp_path: Path, capfd, monkeypatch) -> None:
    """As torch 2.15.0+cpu, which has a checksum of its own, is what UV_TORCH_BACKEND=cpu makes of torch==2.15.0."""
    monkeypatch.setenv("UV_TORCH_BACKEND", "cpu")
    setting = Setting(tmp_path, package="torch")
    setting.offer("1.0+cpu", "2.0+cpu")
    setting.lock_to("1.0", "0" * 64)
    assert setting.install() == "1.0+cpu"
    assert NOTICE not in capfd.readouterr().err


def test_another_build_of_torch_brings_its_own_cuda_and_leaves_everything_else_as_it_is() -> None:
    checksum = " \\\n    --hash=sha256:" + "0" * 64 + "\n    # via x"
    entries = {name: f"{name}==1.0 ; python_version < '4'{checksum}" for name in ("six", "torch", "triton")}
    head = "# Made by a program\n"
    text = head + "\n".join([*entries.values(), f"nvidia-cublas==13{checksum}", f"torch-fidelity==1{checksum}"]) + "\n"
    kept = [entries["six"], "torch==1.0 ; python_version < '4'", f"torch-fidelity==1{checksum}"]
    assert without_pypis_torch(text) == head + "\n".join(kept) + "\n\n"


def test_the_lock_of_the_repository_can_be_relaxed() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    relaxed = without_pypis_torch(text)
    assert re.search(r"^nvidia-", text, re.MULTILINE)
    assert not re.search(r"^(nvidia-|cuda-|triton)|^torch(vision)?==.*\\\\$", relaxed, re.MULTILINE)
    assert re.search(r"^torch==", relaxed, re.MULTILINE)
    assert relaxed.count("--hash") > 1000
