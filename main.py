"""The front door: no arguments, or `--safe-mode`, open the window; anything else is a command."""

from __future__ import annotations

import io
import sys
from importlib.util import find_spec
from pathlib import Path

from cli.streams import open_standard_streams
from core.environment.system_libraries import has_display
from core.version import SAFE_MODE

BASE = ("click", "packaging", "platformdirs")
FILES = (*BASE, "filelock", "numpy", "PIL")
ENGINE = (*FILES, "torch", "torchvision", "diffusers", "safetensors", "psutil", "tqdm")
EXPLAINING = (*ENGINE, "captum", "matplotlib", "scipy", "skimage")
EVALUATING = (*EXPLAINING, "sklearn")
TRAINING = (*EVALUATING, "accelerate", "pydantic", "tomli")
WINDOW = (*EXPLAINING, "PyQt5", "qtawesome")
NEEDED = {
    "doctor": BASE,
    "--help": BASE,
    "--version": BASE,
    "explain": EXPLAINING,
    "classify": EXPLAINING,
    "trajectory": EXPLAINING,
    "evaluate": EVALUATING,
    "curate": EVALUATING,
    "utility": TRAINING,
    "export": (*FILES, "tqdm"),
    **dict.fromkeys(("image2image", "inpaint", "interpolate"), (*ENGINE, "scipy")),
    "models": (*ENGINE, "gdown", "requests"),
    "train": TRAINING,
    "experiments": TRAINING,
    "runs": TRAINING,
}
"""What a command cannot do without; every command that is not named here runs a model and needs `ENGINE`."""

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
"""Lies beside this file in a checkout; an installed copy has its requirements in the metadata of the package."""

SET_UP = (
    "Run ./run_isicgui.sh (Windows: run_isicgui.bat), which sets everything up, "
    "or install them here with: pip install -r requirements.txt"
)
INSTALL_AGAIN = "Install ISICGUI again with its requirements: pip install --upgrade PATH, its folder or wheel."


def missing_packages(names: tuple[str, ...]) -> list[str]:
    """Return those of `names` that this Python cannot import; nothing is imported to find out."""
    return [name for name in names if find_spec(name) is None]


def complaint(argv: list[str]) -> str | None:
    """Return why this machine cannot do what was asked, and what to do about it, or None if it can."""
    wants_window = argv in ([], [SAFE_MODE])
    if missing := missing_packages(WINDOW if wants_window else NEEDED.get(argv[0], ENGINE)):
        return f"ISICGUI needs packages that this Python ({sys.executable}) does not have: {', '.join(missing)}.\n" + (
            SET_UP if REQUIREMENTS.is_file() else INSTALL_AGAIN
        )
    if wants_window and not has_display():
        return (
            "The window needs a display, and there is none here (DISPLAY is not set, or nobody answers there).\n"
            "Everything works without one too, for example: python main.py generate --classes MEL=4 --output OUT"
        )
    return None


def main(argv: list[str]) -> int:
    """Open the window, or carry out the command in `argv`; return the exit code."""
    open_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    if problem := complaint(argv):
        print(problem, file=sys.stderr)
        return 1
    if argv not in ([], [SAFE_MODE]):
        from cli.app import main as run_command

        return run_command(argv)
    from gui.start import main as open_window

    return open_window(argv)


def start() -> None:
    """Be the command `isicgui`, which pip makes when it installs this."""
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    start()
