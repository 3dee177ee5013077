"""The `.venv` next to `main.py`: made, filled, verified, and recognised as up to date without starting anything.

A set-up is bracketed by two kinds of files inside the environment. `isicgui-installing` is there from its creation on
and while packages change; found later, it tells of an interrupted set-up, and the environment is made again (the
download caches make that quick). A stamp per requirements file is written last and atomically: it names what was asked
for and what was there afterwards.

The requirements files say what is needed, `requirements.lock` next to them which version of it and with which SHA-256.
Where the locked files cannot be had (another day's registry, a mirror with files of its own, a new Python), the
requirements alone decide, and set-up says so.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from core.environment.locked_versions import build_is_chosen, constraints, lock_beside
from core.environment.words import SetupError, say
from core.message import Message

PROBES: Final[Mapping[str, str]] = {
    "torchvision": "import torch; from torchvision.ops import nms; nms(torch.eye(4), torch.ones(4), 0.5)",
}
"""Programs that show whether a package not only is there but works, by the name it has in the requirements."""

_Command = list[str]


class VirtualEnvironment:
    """A virtual environment in `folder`, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        scripts = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = scripts / ("python.exe" if os.name == "nt" else "python")
        self._marker = folder / "isicgui-installing"

    def outdated(self, requirements: Sequence[Path]) -> list[Path]:
        """Return those requirements files that must be installed; reads a few small files and starts nothing."""
        if self._marker.exists() or not os.access(self.python, os.X_OK):
            return list(requirements)
        installed = self._installed()
        return [file for file in requirements if not self._up_to_date(file, installed)]

    def install(self, requirements: Sequence[Path], variables: Mapping[str, str], inherited: tuple[int, ...]) -> None:
        """Make the environment if need be, install `requirements` into it, verify them, and stamp them.

        Parameters
        ----------
        variables
            Process environment of the installers.
        inherited
            File descriptors that the installers keep open.

        Raises
        ------
        SetupError
            If the environment cannot be made, no installer succeeds, or what was installed does not work.
        """
        runner = _Runner(variables, inherited)
        if self._marker.exists() or not self._healthy(runner):
            self._create(runner)
        self._marker.touch()
        names = ", ".join(file.name for file in requirements)
        say(f"==> Installing {names}. The first time this downloads up to 3 GB; later set-ups take seconds.")
        if wants_cpu_hint():
            say("    (No NVIDIA driver here: with UV_TORCH_BACKEND=cpu in the environment it is far less.)")
        self._fill(requirements, runner)
        self._verify(requirements, runner)
        for file in requirements:
            self._stamp(file)
        self._marker.unlink()
        say("==> Ready.")

    def _up_to_date(self, file: Path, installed: set[str]) -> bool:
        try:
            stamp = json.loads(self._stamp_path(file).read_text(encoding="utf-8"))
            return stamp["asked"] == self._fingerprint(file) and installed.issuperset(stamp["installed"])
        except (OSError, ValueError, TypeError, KeyError):
            return False

    def _stamp(self, file: Path) -> None:
        stamp = {"asked": self._fingerprint(file), "installed": sorted(self._installed())}
        temporary = self._stamp_path(file).with_suffix(".part")
        temporary.write_text(json.dumps(stamp), encoding="utf-8")
        os.replace(temporary, self._stamp_path(file))

    def _stamp_path(self, file: Path) -> Path:
        return self.folder / f"isicgui-{file.stem}.json"

    def _fingerprint(self, file: Path) -> str:
        """Hash what was asked for and of which Python: requirements, lock, and the environment's own description."""
        lock = lock_beside(file)
        asked = b"".join(part.read_bytes() for part in ([file, lock] if lock else [file])).replace(b"\r\n", b"\n")
        return hashlib.sha256(asked + (self.folder / "pyvenv.cfg").read_bytes()).hexdigest()

    def _installed(self) -> set[str]:
        """Return name and version of every package, as its metadata folder is called."""
        places = [self.folder / "Lib" / "site-packages", *(self.folder / "lib").glob("python3*/site-packages")]
        return {
            entry for place in places if place.is_dir() for entry in os.listdir(place) if entry.endswith(".dist-info")
        }

    def _healthy(self, runner: _Runner) -> bool:
        return self.python.exists() and runner.succeeds([str(self.python), "-c", "import pip"])

    def _create(self, runner: _Runner) -> None:
        base = base_python()
        say(f"==> Creating {self.folder} with Python {'.'.join(map(str, sys.version_info[:3]))}")
        try:
            if self.folder.is_symlink() or self.folder.is_file():
                self.folder.unlink()
            elif self.folder.exists():
                shutil.rmtree(self.folder)
        except OSError as problem:
            raise SetupError(
                Message(
                    "The unusable environment {folder} cannot be removed: {strerror}.",
                    folder=self.folder,
                    strerror=problem.strerror,
                ),
                remedy=Message("Close every program that uses it, delete the folder, and run the same command again."),
                path=self.folder,
            ) from problem
        self.folder.mkdir(parents=True)
        self._marker.touch()
        if not runner.run([base, "-m", "venv", str(self.folder)]):
            raise SetupError(
                Message(
                    "Python could not create the environment {folder}; its own message is above.", folder=self.folder
                ),
                remedy=Message(
                    "On Debian and Ubuntu run: sudo apt-get install python3-venv. Then run the same command again."
                ),
                path=self.folder,
            )

    def _fill(self, requirements: Sequence[Path], runner: _Runner) -> None:
        wanted = [part for file in requirements for part in ("-r", str(file))]
        pip = [str(self.python), "-m", "pip"]
        if runner.run([*pip, "install", "--quiet", "uv"]) and self._fill_with_uv(wanted, requirements[0], runner):
            return
        say("==> uv did not succeed; trying pip.")
        if not runner.run([*pip, "install", *wanted]):
            raise SetupError(
                Message("The packages could not be installed; the installer's own message is above."),
                remedy=Message(
                    "Check the network connection and the free disk space (8 GB), and run the same command again."
                ),
            )

    def _fill_with_uv(self, wanted: list[str], requirements: Path, runner: _Runner) -> bool:
        """Install the locked versions or, where they are not to be had, any that the requirements allow."""
        uv = [str(self.python), "-m", "uv", "pip", "install", "--python", str(self.python), *wanted]
        lock = lock_beside(requirements)
        for options in torch_backends(self._installed()):
            if lock:
                held = constraints(lock, self.folder, other_build=bool(options) or build_is_chosen())
                if runner.run([*uv, *options, "--constraint", str(held)]):
                    return True
                say(
                    f"==> The versions in {lock.name} could not be installed; the reason is above. "
                    f"Installing what {requirements.name} allows instead."
                )
            if runner.run([*uv, *options]):
                return True
        return False

    def _verify(self, requirements: Sequence[Path], runner: _Runner) -> None:
        text = "\n".join(file.read_text(encoding="utf-8") for file in requirements)
        named = {line.split("#")[0].strip().lower() for line in text.splitlines()}
        for package, program in PROBES.items():
            if not any(line.startswith(package) for line in named):
                continue
            say(f"==> Checking that {package} works")
            if not runner.run([str(self.python), "-c", program]):
                raise SetupError(
                    Message(
                        "{package} was installed but does not work; Python's own message is above.", package=package
                    ),
                    remedy=Message(
                        "torch and torchvision probably come from different releases or builds. "
                        "Delete the folder {folder} and run the same command again; if that does "
                        "not help, look for a pip or uv configuration with its own package index.",
                        folder=self.folder,
                    ),
                )


class _Runner:
    """Runs programs with their output on standard error."""

    def __init__(self, variables: Mapping[str, str], inherited: tuple[int, ...]) -> None:
        # Large wheels on slow lines; a person's own choice wins.
        self._variables = {"UV_HTTP_TIMEOUT": "300", "PIP_DISABLE_PIP_VERSION_CHECK": "1", **variables}
        self._inherited = inherited

    def run(self, command: _Command) -> bool:
        """Run `command` visibly and return whether it succeeded."""
        return self._call(command, sys.stderr) == 0

    def succeeds(self, command: _Command) -> bool:
        """Run `command` unseen and return whether it succeeded."""
        return self._call(command, subprocess.DEVNULL) == 0

    def _call(self, command: _Command, output: object) -> int:
        try:
            return subprocess.call(
                command,
                env=self._variables,
                stdin=subprocess.DEVNULL,
                stdout=output,  # type: ignore[arg-type] # a stream or DEVNULL; typeshed's _FILE is private
                stderr=output,  # type: ignore[arg-type]
                pass_fds=self._inherited,
            )
        except OSError as problem:
            say(f"{command[0]} could not be started: {problem}")
            return 1


def base_python() -> str:
    """Return the Python outside any virtual environment that new environments stand on.

    Its real path, such as ``/usr/bin/python3.11``: a link such as ``/usr/bin/python3`` may mean another version after
    the next system upgrade, under an environment that still looks whole.
    """
    base: str = getattr(sys, "_base_executable", None) or sys.executable
    return os.path.realpath(base) if os.name == "posix" else base


def wants_cpu_hint() -> bool:
    """Tell whether torch would come with CUDA libraries that this machine has no use for."""
    return sys.platform == "linux" and not shutil.which("nvidia-smi") and not build_is_chosen()


def torch_backends(installed: Collection[str]) -> tuple[list[str], ...]:
    """Return uv's options for choosing the build of torch, in the order in which they are tried.

    On Windows the registry's own torch is for the CPU only, so with an NVIDIA driver uv is asked for the matching one.
    A build that was chosen when the environment was first filled stays the choice.

    Parameters
    ----------
    installed
        Names of metadata folders, such as ``torch-2.15.0+cpu.dist-info``.
    """
    if build_is_chosen():
        return ([],)
    if builds := [match[1] for name in installed if (match := re.fullmatch(r"torch-[\d.]+\+(\w+)\.dist-info", name))]:
        return ([f"--torch-backend={builds[0]}"], [])
    return (["--torch-backend=auto"], []) if os.name == "nt" and shutil.which("nvidia-smi") else ([],)
