"""What is loaded before the window is on the screen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "torchvision", "diffusers", "captum", "matplotlib", "scipy", "sklearn", "transformers", "pydantic")
SLOW = ("numpy", "PIL", "psutil", "requests", "jinja2", "pandas", "pyqtgraph")
"""What costs a noticeable part of the second that a start may take, and is not needed to paint the window."""

SCRIPT = """
import sys
import gui.app
from PyQt5.QtCore import QTimer
from gui.shell.main_window import MainWindow

def begin(window):
    QTimer.singleShot(0, lambda: act(window))

def act(window):
    QTimer.singleShot(300, window.close)
    {action}

MainWindow._begin = begin
if __name__ == "__main__":
    sys.exit(gui.app.main([]))
"""


def run(action: str, folder: Path) -> subprocess.CompletedProcess[str]:
    script = folder / "open.py"
    script.write_text(SCRIPT.format(action=action), encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "ISICGUI_HOME": str(folder / "home"),
        "QT_QPA_PLATFORM": "offscreen",
    }
    command = [sys.executable, str(script)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_the_window_is_shown_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    done = run(f"print(window.isVisible(), sorted(set({HEAVY + SLOW!r}) & set(sys.modules)), flush=True)", tmp_path)
    assert done.stdout.strip() == "True []", done.stdout + done.stderr
    assert done.returncode == 0, done.stderr


def test_an_exception_in_a_slot_leaves_a_report_and_a_living_program(tmp_path: Path) -> None:
    """PyQt5 aborts the process (SIGABRT) unless the hooks are in place."""
    done = run("1 / 0", tmp_path)
    assert done.returncode == 0, done.stderr
    (report,) = (tmp_path / "home" / "logs").glob("crash-*.txt")
    assert "ZeroDivisionError" in report.read_text(encoding="utf-8")
