"""What this machine has, what is missing, and how to get it: a list of independent checks."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from packaging.requirements import Requirement

from core.config.config_manager import FILE_NAME, ConfigManager
from core.environment.system_libraries import has_display, missing_libraries, remedy
from core.generator.discovery import discover
from core.taxonomy import CLASS_CODES
from core.utils.path_manager import PathManager

Status = Literal["ok", "warn", "fail"]

SUMS_NAME: Final = "SHA256SUMS"
"""File in a starter model's folder with one ``<sha256>  <name>`` line per weights file, as `sha256sum` writes it."""

LITTLE_DISK: Final = 2 * 1024**3
LITTLE_MEMORY: Final = 2 * 1024**3

_SET_UP: Final = "Run ./run_isicgui.sh (Windows: run_isicgui.bat), or: pip install -r requirements.txt"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding.

    Attributes
    ----------
    status
        ``ok``; ``warn``: something works worse or not at all, the rest does; ``fail``: nothing useful works.
    remedy
        What to do about it; empty if there is nothing to do.
    """

    name: str
    status: Status
    detail: str
    remedy: str = ""


def diagnose(paths: PathManager | None = None) -> list[Check]:
    """Look at Python, packages, devices, memory, disk, the window's needs, the starter models and the output folder.

    torch is imported if it is there, so this takes seconds.
    """
    paths = paths or PathManager()
    config = ConfigManager(paths.config_dir / FILE_NAME).load()
    output = config.folder("paths.output", paths.default_output_dir)
    checks = [_python(), *_packages(paths.project_root / "requirements.txt"), *_torch()]
    checks += [_memory(), _display(), *_starter(paths.starter_dir), _disk(output), _writable(output)]
    return checks + [Check("Settings", "warn", notice) for notice in config.notices]


def _python() -> Check:
    return Check("Python", "ok", f"{platform.python_version()} on {platform.platform(terse=True)} ({sys.executable})")


def _packages(requirements: Path) -> Iterator[Check]:
    """Yield one check for all packages that are as required, and one for each that is not."""
    fitting = []
    for requirement in read_requirements(requirements):
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            yield Check(requirement.name, "fail", "not installed", _SET_UP)
            continue
        if requirement.specifier.contains(version, prereleases=True):
            fitting.append(f"{requirement.name} {version}")
        else:
            yield Check(requirement.name, "warn", f"{version} is installed, {requirement} is needed", _SET_UP)
    yield Check("Packages", "ok", ", ".join(fitting))


def read_requirements(path: Path) -> list[Requirement]:
    """Return the requirements in a file that apply to this machine."""
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    found = [Requirement(line) for line in lines if line and not line.startswith("-")]
    return [requirement for requirement in found if requirement.marker is None or requirement.marker.evaluate()]


def _torch() -> Iterator[Check]:
    try:
        import torch
        from torchvision.ops import nms

        nms(torch.eye(4), torch.ones(4), 0.5)
    except (ImportError, OSError, RuntimeError, AttributeError) as problem:  # what mismatched binaries raise
        name = "torch and torchvision"
        yield Check(name, "fail", f"do not work together: {problem}", f"Delete the folder .venv. {_SET_UP}")
        return
    yield Check("torch and torchvision", "ok", "work together")
    yield _cpu()
    yield from _cuda()


def _cpu() -> Check:
    import torch

    from core.generator.precision import has_bf16

    bf16 = "bf16 in hardware" if has_bf16(torch.device("cpu")) else "no bf16 in hardware, fp32 is used"
    return Check("CPU", "ok", f"{os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}, {bf16}")


def _cuda() -> Iterator[Check]:
    import torch

    if not torch.cuda.is_available():
        yield _why_no_cuda(torch.version.cuda)
        return
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        detail = f"{torch.cuda.get_device_name(index)}, {_size(free)} of {_size(total)} free"
        yield Check(f"cuda:{index}", "ok", detail)


def _why_no_cuda(built_for: str | None) -> Check:
    if shutil.which("nvidia-smi") is None:
        return Check("CUDA", "ok", "no NVIDIA driver; images are made on the CPU")
    if built_for is None:
        how = "Delete the folder .venv, set UV_TORCH_BACKEND=auto, and run ./run_isicgui.sh or run_isicgui.bat again."
        return Check("CUDA", "warn", "there is an NVIDIA driver, but this PyTorch is built for the CPU only", how)
    detail = f"there is an NVIDIA driver, but PyTorch (built for CUDA {built_for}) finds no usable card"
    return Check("CUDA", "warn", detail, "Update the NVIDIA driver; nvidia-smi shows what it supports.")


def _memory() -> Check:
    try:
        import psutil
    except ImportError:
        return Check("Memory", "warn", "unknown, psutil is not installed", _SET_UP)
    memory = psutil.virtual_memory()
    detail = f"{_size(memory.available)} of {_size(memory.total)} free"
    if memory.available < LITTLE_MEMORY:
        return Check("Memory", "warn", detail, "Close other programs before generating.")
    return Check("Memory", "ok", detail)


def _display() -> Check:
    if missing := missing_libraries():
        names = ", ".join(library.soname for library in missing)
        return Check("Window", "warn", f"cannot open, system libraries are missing: {names}", remedy(missing))
    if not has_display():
        how = "Generate without it: python main.py generate --classes MEL=4 --output OUT"
        return Check(
            "Window", "warn", "cannot open, there is no display (DISPLAY is not set, or nobody answers there)", how
        )
    return Check("Window", "ok", "can open")


def _starter(folder: Path) -> Iterator[Check]:
    available = discover(folder).available
    if len(available) == len(CLASS_CODES):
        yield Check("Starter models", "ok", f"all {len(available)} classes")
    else:
        lacking = ", ".join(code for code in CLASS_CODES if code not in available)
        how = f"Download ISICGUI again, or bring back the folder {folder} (git checkout -- starter)."
        yield Check("Starter models", "warn", f"none for {lacking}", how)
    yield from _sums(folder)


def _sums(folder: Path) -> Iterator[Check]:
    """Compare the starter models' weights with the lists that ship with them."""
    if find_spec("torch") is None:
        return
    from core.utils.safe_weights import sha256_of

    for path, digest in read_sums(folder).items():
        if not path.is_file():
            yield Check(path.name, "warn", f"{path} is missing", "Bring it back with: git checkout -- starter")
        elif sha256_of(path) != digest:
            yield Check(path.name, "warn", f"{path} was changed or damaged", "Bring it back: git checkout -- starter")
        else:
            yield Check(f"{path.parent.name}/{path.name}", "ok", f"SHA-256 {digest}")


def read_sums(folder: Path) -> dict[Path, str]:
    """Return the SHA-256 that each file should have by the ``SHA256SUMS`` in the subfolders of `folder`."""
    listed: dict[Path, str] = {}
    for sums in sorted(folder.glob(f"*/{SUMS_NAME}")):
        pairs = (line.split(maxsplit=1) for line in sums.read_text(encoding="utf-8").splitlines() if line.strip())
        listed |= {sums.parent / name.lstrip("*"): digest.lower() for digest, name in pairs}
    return listed


def _disk(output: Path) -> Check:
    place = _existing(output)
    free = shutil.disk_usage(place).free
    detail = f"{_size(free)} free at {place}"
    if free < LITTLE_DISK:
        return Check("Disk", "warn", detail, "Free some space, or choose an output folder on another drive.")
    return Check("Disk", "ok", detail)


def _writable(output: Path) -> Check:
    place = _existing(output)
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as problem:
        how = "Choose another output folder with --output, or in the window."
        return Check("Output folder", "warn", f"{output} cannot be written: {problem.strerror}", how)
    return Check("Output folder", "ok", str(output))


def _existing(folder: Path) -> Path:
    """Return the folder itself or the closest one above it that exists."""
    return next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())


def _size(count: float) -> str:
    return f"{count / 1024**3:.1f} GiB"
