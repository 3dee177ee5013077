"""A real window that really crashes: what the next start offers, and what a clean end does not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.version import SAFE_MODE
from tests.support.patience import PATIENCE, PATIENCE_MS

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import json, os, signal, sys
from PyQt5.QtCore import QTimer

def begin(window):
    QTimer.singleShot(0, lambda: act(window))

def act(window):
    banner, settings = window.banner, window.session.settings
    own = [n for n in window.session.notices._notices.values() if n.topic in ("ending", "settings", "safe mode")]
    print(json.dumps({{
        "banner": own[0].words if own else "",
        "action": own[0].action if own else "",
        "title": window.windowTitle(),
        "device": settings.get("generation.device"),
        "steps": settings.get("generation.steps"),
        "cards": os.environ.get("CUDA_VISIBLE_DEVICES"),
    }}), flush=True)
    {action}

def tell_report(window):
    dialog = window.desk.dialog("crash")
    text = dialog.text.toPlainText() if dialog else ""
    if text in ("", "Collecting…"):
        QTimer.singleShot(20, lambda: tell_report(window))
        return
    print(text, flush=True)
    window.close()

def patch():
    from gui.shell.main_window import MainWindow
    MainWindow._begin = begin

if __name__ == "__main__":
    {before}
    import gui.start
    patch()
    sys.exit(gui.start.main({argv}))
"""
CLOSE = "window.close()"


def start(home: Path, action: str, argv: list[str] | None = None, before: str = "pass") -> subprocess.CompletedProcess:
    script = home / "open.py"
    home.mkdir(exist_ok=True)
    script.write_text(SCRIPT.format(action=action, argv=argv or [], before=before), encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "ISICGUI_HOME": str(home),
        "QT_QPA_PLATFORM": "offscreen",
    }
    command = [sys.executable, str(script)]
    # Files, not pipes: a worker that has not yet seen that its window is gone would hold those open.
    out, err = home / "stdout", home / "stderr"
    with out.open("w", encoding="utf-8") as said, err.open("w", encoding="utf-8") as errors:
        done = subprocess.run(command, env=environment, stdout=said, stderr=errors, timeout=PATIENCE, check=False)
    done.stdout, done.stderr = out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")
    return done


def told(done: subprocess.CompletedProcess) -> dict:
    assert done.stdout, done.stderr
    return json.loads(done.stdout.splitlines()[0])


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_a_crash_is_offered_once_with_where_it_was_and_what_happened_before(tmp_path: Path) -> None:
    first = start(tmp_path, "os.kill(os.getpid(), signal.SIGSEGV)")
    assert first.returncode == -signal.SIGSEGV
    assert told(first)["banner"] == ""
    second = start(tmp_path, "own[0].do(); tell_report(window)")
    assert "ended unexpectedly last time" in told(second)["banner"]
    assert told(second)["action"] == "Show the report…"
    report = second.stdout
    assert "Segmentation fault" in report
    assert "in act" in report
    assert "INFO     gui.app: ISICGUI" in report  # of the log of that session
    assert told(start(tmp_path, CLOSE))["banner"] == ""


def test_a_clean_end_offers_nothing(tmp_path: Path) -> None:
    assert start(tmp_path, CLOSE).returncode == 0
    assert told(start(tmp_path, CLOSE))["banner"] == ""
    assert not list((tmp_path / "logs").glob("session-*"))


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_a_killed_window_has_not_crashed(tmp_path: Path) -> None:
    start(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")
    banner = told(start(tmp_path, CLOSE))["banner"]
    assert "not closed properly" in banner
    assert "unexpectedly" not in banner


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_the_end_of_the_desktops_session_is_a_clean_end(tmp_path: Path) -> None:
    wait = f"os.kill(os.getpid(), signal.SIGTERM); QTimer.singleShot({PATIENCE_MS // 2}, lambda: os._exit(7))"
    assert start(tmp_path, wait).returncode == 0
    assert told(start(tmp_path, CLOSE))["banner"] == ""


def test_qt_that_cannot_be_imported_is_told_with_a_report(tmp_path: Path) -> None:
    before = "sys.modules['PyQt5.QtWidgets'] = None; global patch; patch = lambda: None"
    done = start(tmp_path, CLOSE, before=before.replace("global patch; ", ""))
    assert done.returncode == 1
    assert "cannot open its window" in done.stderr
    assert "run_isicgui" in done.stderr
    (report,) = (tmp_path / "logs").glob("crash-*.txt")
    assert str(report) in done.stderr
    assert "PyQt5.QtWidgets" in report.read_text(encoding="utf-8")
    assert told(start(tmp_path, CLOSE))["banner"] == ""  # it has been told already


def test_an_error_before_the_window_is_told_with_a_way_out(tmp_path: Path) -> None:
    before = "import gui.app; gui.app.make_stage = lambda *_, **__: 1 / 0"
    done = start(tmp_path, CLOSE, before=before)
    assert done.returncode == 1
    assert "could not be started" in done.stderr
    assert SAFE_MODE in done.stderr
    assert "ZeroDivisionError" in done.stderr
    assert "Traceback" not in done.stderr


def test_safe_mode_has_defaults_and_keeps_what_was_saved(tmp_path: Path) -> None:
    saved = tmp_path / "config" / "config.json"
    saved.parent.mkdir(parents=True)
    text = '{"generation": {"steps": 33, "device": "cuda:0"}, "ui": {"theme": "dark"}}\n'
    saved.write_text(text, encoding="utf-8")
    assert told(start(tmp_path, CLOSE))["steps"] == 33
    before = {path: path.read_bytes() for path in saved.parent.iterdir()}
    change = "settings.set('generation.seed', 5); settings.remember('x', 1); window.close()"
    safe = told(start(tmp_path, change, [SAFE_MODE]))
    assert safe["steps"] == 20
    assert safe["device"] == "cpu"
    assert safe["cards"] == ""
    assert safe["title"] == "ISICGUI (safe mode)"
    assert "Safe mode" in safe["banner"]
    assert safe["action"] == "Reset settings to defaults"
    assert {path: path.read_bytes() for path in saved.parent.iterdir()} == before


def test_settings_are_reset_from_safe_mode_if_asked(tmp_path: Path) -> None:
    saved = tmp_path / "config" / "config.json"
    saved.parent.mkdir(parents=True)
    saved.write_text('{"generation": {"steps": 33}}', encoding="utf-8")
    assert start(tmp_path, "settings.remember('window/x', 1); window.close()").returncode == 0
    done = start(tmp_path, "own[0].do(); print(banner.text, flush=True); window.close()", [SAFE_MODE])
    assert "config.json.bak" in done.stdout
    assert json.loads(saved.read_text(encoding="utf-8")) == {}
    assert "33" in saved.with_name("config.json.bak").read_text(encoding="utf-8")
    assert told(start(tmp_path, CLOSE))["steps"] == 20


def test_the_predecessors_settings_are_taken_over_and_told_at_the_first_start(tmp_path: Path) -> None:
    output = tmp_path / "выход"
    output.mkdir()
    old = {
        "paths": {"checkpoints": "Q:\\ISIC\\checkpoints", "output": str(output)},
        "generation": {"inference_timesteps": 33, "seed_value": 7, "xai_frequency": 1},
        "ui": {"theme": "dark", "language": "en"},
        "advanced": {"enable_xai": False, "enable_color_postprocessing": True},
    }
    place = tmp_path / "user" / ".config" / "ISICGenerator" / "config.json"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps(old), encoding="utf-8")
    before = (
        f"os.environ['HOME'] = os.environ['USERPROFILE'] = {str(tmp_path / 'user')!r}; os.environ.pop('APPDATA', None)"
    )
    first = told(start(tmp_path, CLOSE, before=before))
    assert "imported from the earlier program" in first["banner"]
    assert str(place) in first["banner"]
    assert "Q:\\ISIC\\checkpoints" in first["banner"]
    assert first["steps"] == 33
    second = told(start(tmp_path, CLOSE, before=before))
    assert (second["banner"], second["steps"]) == ("", 33)
