"""Qt's system libraries: the list is the one that the installed Qt is linked against, and the remedy installs it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from core.environment import system_libraries
from core.environment.system_libraries import LIBRARIES, Library, ensure_libraries, missing_libraries, packages, remedy

GONE = Library("libisicgui-gone.so.9", "gone-apt", "gone-dnf", "gone-pacman")
ALSO_GONE = Library("libisicgui-gone.so.10", "gone-apt", "gone-dnf", "other-pacman")

# Part of every C runtime or desktop-free base system, or brought by one of the listed libraries' own packages.
BASIC = ("libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so", "libgcc_s.so", "libstdc++.so", "libz.so",
         "ld-linux", "libX11.so", "libxcb.so", "libglib-2.0.so")  # fmt: skip

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has these libraries")


@linux_only
@pytest.mark.skipif(shutil.which("objdump") is None, reason="objdump (binutils) reads what a library is linked against")
def test_the_list_is_what_qt_is_linked_against() -> None:
    spec = find_spec("PyQt5")
    assert spec is not None
    assert spec.origin is not None
    qt = Path(spec.origin).parent / "Qt5"
    files = [qt / "plugins/platforms" / f"libq{name}.so" for name in ("xcb", "offscreen")]
    files += [qt / "lib" / f"libQt5{name}.so.5" for name in ("Core", "Gui", "Widgets", "DBus", "XcbQpa", "Svg")]
    needed = {soname for file in files for soname in _linked(file)}
    bundled = {path.name for path in (qt / "lib").iterdir()}
    foreign = {name for name in needed - bundled if not name.startswith(BASIC)}
    assert foreign <= {library.soname for library in LIBRARIES}


def _linked(file: Path) -> set[str]:
    lines = subprocess.run(["objdump", "-p", file], capture_output=True, text=True, check=True).stdout.splitlines()
    return {line.split()[1] for line in lines if line.strip().startswith("NEEDED")}


@linux_only
def test_missing_are_those_that_the_linker_does_not_find(monkeypatch) -> None:
    there = Library("libc.so.6", "libc6", "glibc", "glibc")
    monkeypatch.setattr(system_libraries, "LIBRARIES", (there, GONE))
    assert missing_libraries() == (GONE,)


def test_elsewhere_nothing_is_missing(monkeypatch) -> None:
    monkeypatch.setattr(system_libraries, "LIBRARIES", (GONE,))
    monkeypatch.setattr(sys, "platform", "win32")
    assert missing_libraries() == ()


def test_a_package_is_named_once() -> None:
    assert packages([GONE, ALSO_GONE], "apt") == ["gone-apt"]
    assert packages([GONE, ALSO_GONE], "pacman") == ["gone-pacman", "other-pacman"]


@pytest.mark.parametrize(
    ("program", "root", "line"),
    [
        ("apt-get", False, "Run: sudo apt-get install -y --no-install-recommends gone-apt"),
        ("apt-get", True, "Run: apt-get install -y --no-install-recommends gone-apt"),
        ("dnf", False, "Run: sudo dnf install -y gone-dnf"),
        ("pacman", False, "Run: sudo pacman -S --needed --noconfirm gone-pacman"),
        ("none of them", False, "Install the packages that bring libisicgui-gone.so.9."),
    ],
)
def test_the_remedy_is_one_line_for_this_machine(monkeypatch, program: str, root: bool, line: str) -> None:
    monkeypatch.setattr(system_libraries.shutil, "which", lambda name: name if name == program else None)
    monkeypatch.setattr(system_libraries, "_is_root", lambda: root)
    assert remedy([GONE]) == line


@linux_only
@pytest.mark.parametrize("root", [True, False])
def test_only_root_installs(monkeypatch, root: bool) -> None:
    """apt-get is recorded, not run: a test does not change the system."""
    calls: list[list[str]] = []
    monkeypatch.setattr(system_libraries, "LIBRARIES", (GONE,))
    monkeypatch.setattr(system_libraries.shutil, "which", lambda name: name if name == "apt-get" else None)
    monkeypatch.setattr(system_libraries, "_is_root", lambda: root)
    monkeypatch.setattr(system_libraries.subprocess, "call", lambda command, **_: calls.append(command))
    left = ensure_libraries()
    assert left is not None
    assert left.endswith("gone-apt")  # it still is not there, so the person is told
    assert [command[:2] for command in calls] == ([["apt-get", "update"], ["apt-get", "install"]] if root else [])
    assert all(command[-1] == "gone-apt" for command in calls[1:])
