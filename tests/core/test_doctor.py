from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from core import doctor
from core.checks import Check
from core.doctor import diagnose, read_requirements, read_sums
from core.environment.system_libraries import Library
from core.utils.path_manager import PathManager


@pytest.fixture
def paths(tmp_path: Path) -> PathManager:
    """A project of its own: requirements that are met, a starter folder without models."""
    (tmp_path / "project" / "starter").mkdir(parents=True)
    (tmp_path / "project" / "requirements.txt").write_text("click>=1  # comment\n", encoding="utf-8")
    return PathManager(tmp_path / "project", environment={"ISICGUI_HOME": str(tmp_path / "home")})


def _by_name(checks: Iterable[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_everything_is_looked_at_and_nothing_is_created(paths: PathManager, tmp_path: Path) -> None:
    checks = _by_name(diagnose(paths))
    expected = {"Python", "Packages", "torch and torchvision", "CPU", "Memory", "Window", "Starter models", "Disk",
                "Output folder"}  # fmt: skip
    assert expected <= set(checks)
    assert checks["Packages"].detail.startswith("click ")
    assert checks["torch and torchvision"].status == "ok"
    assert checks["Starter models"].status == "warn"
    assert "MEL" in checks["Starter models"].detail
    assert not (tmp_path / "home").exists()
    for check in checks.values():
        assert check.detail
        assert check.status == "ok" or check.remedy


def test_what_needs_no_torch_is_told_before_torch_is_imported(paths: PathManager) -> None:
    names = [check.name for check in diagnose(paths)]
    assert names.index("torch and torchvision") > max(
        map(names.index, ("Memory", "Disk", "Output folder", "Starter models"))
    )


def test_missing_and_old_packages_are_named(paths: PathManager) -> None:
    text = "click>=999\nno-such-package-here>=1\nalso-not-here; sys_platform == 'nowhere'\n-r other.txt\n"
    (paths.project_root / "requirements.txt").write_text(text, encoding="utf-8")
    checks = _by_name(list(doctor._packages(paths.project_root / "requirements.txt")))
    assert checks["click"].status == "warn"
    assert "click>=999 is needed" in checks["click"].detail
    assert checks["no-such-package-here"].status == "fail"
    assert "pip install -r requirements.txt" in checks["no-such-package-here"].remedy
    assert "also-not-here" not in checks
    assert len(read_requirements(paths.project_root / "requirements.txt")) == 2


def test_damaged_and_missing_starter_weights_are_named(paths: PathManager) -> None:
    pack = paths.starter_dir / "pack"
    pack.mkdir()
    good, bad, gone = (pack / f"{name}.safetensors" for name in "abc")
    good.write_bytes(b"good")
    bad.write_bytes(b"bad")
    sums = {good: hashlib.sha256(b"good").hexdigest(), bad: "0" * 64, gone: "1" * 64}
    text = "".join(f"{digest}  {path.name}\n" for path, digest in sums.items())
    (pack / doctor.SUMS_NAME).write_text(text, encoding="utf-8")
    assert read_sums(paths.starter_dir) == sums
    checks = list(doctor._sums(paths.starter_dir))
    assert [check.status for check in checks] == ["ok", "warn", "warn"]
    assert "changed or damaged" in checks[1].detail
    assert "missing" in checks[2].detail


@pytest.mark.parametrize(
    ("odd", "rest"), [(b"no sums\n", {}), (b"\xff\xfe\n", {}), (b"../a  b\n\n0  \n", {}), (b"0" * 64, {})]
)
def test_lists_of_checksums_that_are_none_are_passed_over(paths: PathManager, odd: bytes, rest: dict) -> None:
    (paths.starter_dir / "odd").mkdir()
    (paths.starter_dir / "odd" / doctor.SUMS_NAME).write_bytes(odd)
    (paths.starter_dir / "whole").mkdir()
    (paths.starter_dir / "whole" / doctor.SUMS_NAME).write_text(f"{'a' * 64} *x.safetensors\n", encoding="utf-8")
    assert read_sums(paths.starter_dir) == {paths.starter_dir / "whole/x.safetensors": "a" * 64, **rest}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_place_of_a_list_is_not_waited_for(paths: PathManager) -> None:
    (paths.starter_dir / "odd").mkdir()
    os.mkfifo(paths.starter_dir / "odd" / doctor.SUMS_NAME)
    assert read_sums(paths.starter_dir) == {}


def test_an_output_folder_below_a_file_is_told(paths: PathManager, tmp_path: Path) -> None:
    """The check walks up to what exists: a chosen folder on a drive that is gone is not this machine's fault."""
    check = doctor._writable(tmp_path / "new" / "deeper")
    assert check.status == "ok"
    assert not (tmp_path / "new").exists()


def test_a_full_disk_and_a_read_only_folder_are_told(monkeypatch, tmp_path: Path) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    check = doctor._writable(tmp_path)
    assert check.status == "warn"
    assert "Permission denied" in check.detail
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10**9})())
    assert doctor._disk(tmp_path).status == "warn"
    assert doctor._disk(tmp_path).detail.startswith("1.0 GB free")  # as the download, beside it in the window, counts


def test_missing_system_libraries_and_no_display_are_told(monkeypatch) -> None:
    monkeypatch.setattr(doctor, "missing_libraries", tuple)
    monkeypatch.setattr(doctor, "has_display", lambda: False)
    assert "no display" in doctor._display().detail
    monkeypatch.setattr(doctor, "missing_libraries", lambda: (Library("libgone.so.1", "gone", "gone", "gone"),))
    assert "libgone.so.1" in doctor._display().detail


@pytest.mark.parametrize(
    ("nvidia", "built_for", "status"), [(None, None, "ok"), ("x", None, "warn"), ("x", "13.0", "warn")]
)
def test_why_there_is_no_cuda(monkeypatch, nvidia: str | None, built_for: str | None, status: str) -> None:
    monkeypatch.setattr(doctor.shutil, "which", lambda _: nvidia)
    check = doctor._why_no_cuda(built_for)
    assert check.status == status
    assert bool(check.remedy) == (status == "warn")


def test_an_installed_copy_has_its_requirements_in_its_metadata(monkeypatch, tmp_path: Path) -> None:
    told = {"isicgui": ["torch>=2.10", 'PyQt5-Qt5==5.15.2; sys_platform == "nowhere"']}
    monkeypatch.setattr(doctor.metadata, "requires", told.__getitem__)
    assert [str(requirement) for requirement in read_requirements(tmp_path / "requirements.txt")] == ["torch>=2.10"]
