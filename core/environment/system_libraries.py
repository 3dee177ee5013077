"""The system libraries that Qt's window needs on Linux: which are missing, and how to get them."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from core.environment.words import say


class Library(NamedTuple):
    """A shared library, and the package that brings it with apt, dnf and pacman."""

    soname: str
    apt: str
    dnf: str
    pacman: str


LIBRARIES: Final = (
    Library("libGL.so.1", "libgl1", "libglvnd-glx", "libglvnd"),
    Library("libEGL.so.1", "libegl1", "libglvnd-egl", "libglvnd"),
    Library("libfontconfig.so.1", "libfontconfig1", "fontconfig", "fontconfig"),
    Library("libfreetype.so.6", "libfreetype6", "freetype", "freetype2"),
    Library("libdbus-1.so.3", "libdbus-1-3", "dbus-libs", "dbus"),
    Library("libgthread-2.0.so.0", "libglib2.0-0", "glib2", "glib2"),
    Library("libX11-xcb.so.1", "libx11-xcb1", "libX11-xcb", "libx11"),
    Library("libXext.so.6", "libxext6", "libXext", "libxext"),
    Library("libxkbcommon.so.0", "libxkbcommon0", "libxkbcommon", "libxkbcommon"),
    Library("libxkbcommon-x11.so.0", "libxkbcommon-x11-0", "libxkbcommon-x11", "libxkbcommon-x11"),
    Library("libxcb-icccm.so.4", "libxcb-icccm4", "xcb-util-wm", "xcb-util-wm"),
    Library("libxcb-image.so.0", "libxcb-image0", "xcb-util-image", "xcb-util-image"),
    Library("libxcb-keysyms.so.1", "libxcb-keysyms1", "xcb-util-keysyms", "xcb-util-keysyms"),
    Library("libxcb-render-util.so.0", "libxcb-render-util0", "xcb-util-renderutil", "xcb-util-renderutil"),
    Library("libxcb-randr.so.0", "libxcb-randr0", "libxcb", "libxcb"),
    Library("libxcb-render.so.0", "libxcb-render0", "libxcb", "libxcb"),
    Library("libxcb-shape.so.0", "libxcb-shape0", "libxcb", "libxcb"),
    Library("libxcb-shm.so.0", "libxcb-shm0", "libxcb", "libxcb"),
    Library("libxcb-sync.so.1", "libxcb-sync1", "libxcb", "libxcb"),
    Library("libxcb-xfixes.so.0", "libxcb-xfixes0", "libxcb", "libxcb"),
    Library("libxcb-xinerama.so.0", "libxcb-xinerama0", "libxcb", "libxcb"),
    Library("libxcb-xkb.so.1", "libxcb-xkb1", "libxcb", "libxcb"),
)
"""What Qt 5.15's xcb and offscreen platforms are linked against and do not bring along (from ldd on the wheels)."""

_MANAGERS: Final[Mapping[str, str]] = {
    "apt": "apt-get install -y --no-install-recommends",
    "dnf": "dnf install -y",
    "pacman": "pacman -S --needed --noconfirm",
}
_PROGRAMS: Final[Mapping[str, str]] = {"apt": "apt-get", "dnf": "dnf", "pacman": "pacman"}


def has_display() -> bool:
    """Tell whether a window can be shown.

    Always outside Linux; there, if a Qt platform was chosen, or an X server answers. Qt itself would abort the process.
    """
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    if os.environ.get("DISPLAY"):
        return _x_server_answers()
    return bool(os.environ.get("WAYLAND_DISPLAY"))


def _x_server_answers() -> bool:
    try:
        xlib = ctypes.CDLL("libX11.so.6")
    except OSError:  # missing_libraries tells about that
        return True
    xlib.XOpenDisplay.restype = ctypes.c_void_p
    xlib.XCloseDisplay.argtypes = [ctypes.c_void_p]
    display = xlib.XOpenDisplay(None)
    if display:
        xlib.XCloseDisplay(display)
    return bool(display)


def missing_libraries() -> tuple[Library, ...]:
    """Return the libraries of Qt that the dynamic linker does not find; none outside Linux."""
    if not sys.platform.startswith("linux"):
        return ()
    return tuple(library for library in LIBRARIES if not _loads(library.soname))


def remedy(missing: Sequence[Library]) -> str:
    """Return the one line that installs `missing`, for this machine's package manager."""
    for manager, program in _PROGRAMS.items():
        if shutil.which(program):
            sudo = "" if _is_root() else "sudo "
            return f"Run: {sudo}{_MANAGERS[manager]} {' '.join(packages(missing, manager))}"
    return f"Install the packages that bring {', '.join(library.soname for library in missing)}."


def packages(missing: Sequence[Library], manager: str) -> list[str]:
    """Return the packages of `manager` (apt, dnf, pacman) that bring `missing`, each once, in order."""
    return list(dict.fromkeys(str(getattr(library, manager)) for library in missing))


def ensure_libraries() -> str | None:
    """Install what is missing if this is root on a system with apt; return what is left to do, or None."""
    missing = missing_libraries()
    if missing and _is_root() and shutil.which("apt-get"):
        _apt_install(packages(missing, "apt"))
        missing = missing_libraries()
    return remedy(missing) if missing else None


def _apt_install(names: Sequence[str]) -> None:
    say(f"==> Installing system libraries for the window: {' '.join(names)}")
    variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], [*_MANAGERS["apt"].split(), "-qq", *names]):
        subprocess.call(command, env=variables, stdin=subprocess.DEVNULL, stdout=sys.stderr)


def _loads(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
