"""What this machine has, what is missing, and how to get it: a list of independent checks."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

from core.cancel import CancelToken
from core.checks import Check, Checked, DoctorRequest
from core.config.config_manager import FILE_NAME, ConfigManager
from core.environment.system_libraries import has_display, missing_libraries, remedy
from core.events import Event
from core.files.opening import read_regular, sha256_of
from core.jobs.stream import JobStopped
from core.message import Message
from core.models.discovery import discover
from core.taxonomy import CLASS_CODES
from core.utils.path_manager import PathManager
from core.version import COMMAND

SUMS_NAME: Final = "SHA256SUMS"
"""File in a starter model's folder with one ``<sha256>  <name>`` line per weights file, as `sha256sum` writes it."""

_SUM_LINE: Final = re.compile(r"(?P<digest>[0-9a-fA-F]{64})\s+\*?(?P<name>[^\0]+)")
_MAX_SUMS: Final = 1 << 20
"""Bytes of one list."""

LITTLE_DISK: Final = 2 * 1024**3
LITTLE_MEMORY: Final = 2 * 1024**3

_SET_UP: Final = Message("Run ./run_isicgui.sh (Windows: run_isicgui.bat), or: pip install -r requirements.txt")
_SET_UP_ANEW: Final = Message("Delete the folder .venv. {set_up}", set_up=_SET_UP)
_BRING_BACK: Final = Message("Bring it back with: git checkout -- starter")

_BINARIES: Final = Message("torch and torchvision")
_MEMORY: Final = Message("Memory")
_WINDOW: Final = Message("Window")
_STARTER: Final = Message("Starter models")
_DISK: Final = Message("Disk")
_OUTPUT: Final = Message("Output folder")


def run_doctor(request: DoctorRequest, cancel: CancelToken) -> Iterator[Event]:
    """Yield every finding of `diagnose`; a stop ends it between two of them."""
    for check in diagnose():
        if cancel.mode is not None:
            raise JobStopped
        yield Checked(check)


def diagnose(paths: PathManager | None = None) -> Iterator[Check]:
    """Look at Python, packages, memory, disk, the window's needs, the starter models, the output folder, and devices.

    Each finding is told as soon as it is there; torch, whose import takes seconds, comes last.
    """
    paths = paths or PathManager()
    config = ConfigManager(paths.config_dir / FILE_NAME).load()
    output = config.folder("paths.output", paths.default_output_dir)
    yield _python()
    yield from _packages(paths.project_root / "requirements.txt")
    yield from (_memory(), _display(), _disk(output), _writable(output))
    yield from (Check(Message("Settings"), "warn", notice) for notice in config.notices)
    yield from _starter(paths.starter_dir)
    yield from _torch()


def _python() -> Check:
    system = platform.platform(terse=True)
    words = Message(
        "{version} on {system} ({path})", version=platform.python_version(), system=system, path=sys.executable
    )
    return Check("Python", "ok", words)


def _packages(requirements: Path) -> Iterator[Check]:
    """Yield one check for all packages that are as required, and one for each that is not."""
    fitting = []
    for requirement in read_requirements(requirements):
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            yield Check(requirement.name, "fail", Message("not installed"), _SET_UP)
            continue
        if requirement.specifier.contains(version, prereleases=True):
            fitting.append(f"{requirement.name} {version}")
        else:
            words = Message("{version} is installed, {wanted} is needed", version=version, wanted=str(requirement))
            yield Check(requirement.name, "warn", words, _SET_UP)
    yield Check(Message("Packages"), "ok", ", ".join(fitting))


def read_requirements(path: Path) -> list[Requirement]:
    """Return the requirements in a file that apply to this machine; without it, those of the installed package.

    Raises
    ------
    PackageNotFoundError
        If there is no file, and pip did not install ISICGUI either.
    """
    told = path.read_text(encoding="utf-8").splitlines() if path.is_file() else metadata.requires(COMMAND) or []
    lines = (line.split("#")[0].strip() for line in told)
    found = [Requirement(line) for line in lines if line and not line.startswith("-")]
    return [requirement for requirement in found if requirement.marker is None or requirement.marker.evaluate()]


def _torch() -> Iterator[Check]:
    try:
        import torch
        from torchvision.ops import nms

        nms(torch.eye(4), torch.ones(4), 0.5)
    except (ImportError, OSError, RuntimeError, AttributeError) as problem:  # what mismatched binaries raise
        words = Message("do not work together: {problem}", problem=str(problem))
        yield Check(_BINARIES, "fail", words, _SET_UP_ANEW)
        return
    yield Check(_BINARIES, "ok", Message("work together"))
    yield _cpu()
    yield from _cuda()


def _cpu() -> Check:
    import torch

    from core.precision import has_bf16

    fast = has_bf16(torch.device("cpu"))
    bf16 = Message("bf16 in hardware") if fast else Message("no bf16 in hardware, fp32 is used")
    kind = torch.backends.cpu.get_cpu_capability()
    return Check("CPU", "ok", Message("{cores} cores, {kind}, {bf16}", cores=os.cpu_count() or 1, kind=kind, bf16=bf16))


def _cuda() -> Iterator[Check]:
    import torch

    if not torch.cuda.is_available():
        yield _why_no_cuda(torch.version.cuda)
        return
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        name = torch.cuda.get_device_name(index)
        yield Check(f"cuda:{index}", "ok", Message("{name}, {free}", name=name, free=_free_of(free, total)))


def _why_no_cuda(built_for: str | None) -> Check:
    if shutil.which("nvidia-smi") is None:
        return Check("CUDA", "ok", Message("no NVIDIA driver; images are generated on the CPU"))
    if built_for is None:
        words = Message("there is an NVIDIA driver, but this PyTorch is built for the CPU only")
        how = Message(
            "Delete the folder .venv, set UV_TORCH_BACKEND=auto, and run ./run_isicgui.sh or run_isicgui.bat again."
        )
        return Check("CUDA", "warn", words, how)
    words = Message(
        "there is an NVIDIA driver, but PyTorch (built for CUDA {version}) finds no usable GPU", version=built_for
    )
    return Check("CUDA", "warn", words, Message("Update the NVIDIA driver; nvidia-smi shows what it supports."))


def _memory() -> Check:
    try:
        import psutil
    except ImportError:
        return Check(_MEMORY, "warn", Message("unknown, psutil is not installed"), _SET_UP)
    memory = psutil.virtual_memory()
    detail = _free_of(memory.available, memory.total)
    if memory.available < LITTLE_MEMORY:
        return Check(_MEMORY, "warn", detail, Message("Close other programs before generating."))
    return Check(_MEMORY, "ok", detail)


def _display() -> Check:
    if missing := missing_libraries():
        names = ", ".join(library.soname for library in missing)
        words = Message("cannot open, system libraries are missing: {names}", names=names)
        return Check(_WINDOW, "warn", words, remedy(missing))
    if not has_display():
        words = Message("cannot open, there is no display (DISPLAY is unset or no X server responds)")
        how = Message("Generate without it: python main.py generate --classes MEL=4 --output OUT")
        return Check(_WINDOW, "warn", words, how)
    return Check(_WINDOW, "ok", Message("can open"))


def _starter(folder: Path) -> Iterator[Check]:
    available = discover(folder).available
    if len(available) == len(CLASS_CODES):
        yield Check(_STARTER, "ok", Message("all {n} classes", n=len(available)))
    else:
        lacking = ", ".join(code for code in CLASS_CODES if code not in available)
        how = Message(
            "Download ISICGUI again, or bring back the folder {folder} (git checkout -- starter).", folder=folder
        )
        yield Check(_STARTER, "warn", Message("none for {classes}", classes=lacking), how)
    yield from _sums(folder)


def _sums(folder: Path) -> Iterator[Check]:
    """Compare the starter models' weights with the lists that ship with them."""
    for path, digest in read_sums(folder).items():
        if not path.is_file():
            yield Check(path.name, "warn", Message("{path} is missing", path=path), _BRING_BACK)
        elif sha256_of(path) != digest:
            yield Check(path.name, "warn", Message("{path} was changed or damaged", path=path), _BRING_BACK)
        else:
            yield Check(f"{path.parent.name}/{path.name}", "ok", f"SHA-256 {digest}")


def read_sums(folder: Path) -> dict[Path, str]:
    """Return the SHA-256 that each file should have by the ``SHA256SUMS`` in the subfolders of `folder`.

    Lines, and files, that are none of `sha256sum` are ignored.
    """
    listed: dict[Path, str] = {}
    for sums in sorted(folder.glob(f"*/{SUMS_NAME}")):
        try:
            text = read_regular(sums, _MAX_SUMS).decode("utf-8", "replace")
        except OSError:
            continue
        found = (_SUM_LINE.fullmatch(line.strip()) for line in text.splitlines())
        listed |= {sums.parent / match["name"]: match["digest"].lower() for match in found if match}
    return listed


def _disk(output: Path) -> Check:
    place = _existing(output)
    free = shutil.disk_usage(place).free
    detail = Message("{free} free at {place}", free=_disk_size(free), place=place)
    if free < LITTLE_DISK:
        how = Message("Free some space, or choose an output folder on another drive.")
        return Check(_DISK, "warn", detail, how)
    return Check(_DISK, "ok", detail)


def _writable(output: Path) -> Check:
    place = _existing(output)
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as problem:
        how = Message("Choose another output folder with --output, or in the window.")
        words = Message("{folder} cannot be written: {why}", folder=output, why=problem.strerror or str(problem))
        return Check(_OUTPUT, "warn", words, how)
    return Check(_OUTPUT, "ok", str(output))


def _existing(folder: Path) -> Path:
    """Return the folder itself or the closest one above it that exists."""
    return next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())


def _free_of(free: float, total: float) -> Message:
    return Message("{free} of {total} free", free=_size(free), total=_size(total))


def _size(count: float) -> Message:
    return Message("{size:.1f} GiB", size=count / 1024**3)


def _disk_size(count: float) -> Message:
    """Say it as drives are sold, file managers count and the download does: in thousands."""
    return Message("{size:.1f} GB", size=count / 1000**3)
