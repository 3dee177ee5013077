"""What leaves with a report is shown first, can be changed, and holds nothing planted."""

from __future__ import annotations

import getpass
import logging
from pathlib import Path

import pytest
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import QFileDialog

from core.errors import DeviceError
from gui.help.diagnostics_dialog import DiagnosticsDialog
from gui.shell.main_window import MainWindow


@pytest.fixture
def dialog(window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot) -> DiagnosticsDialog:
    monkeypatch.setattr(getpass, "getuser", lambda: "ivanova")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "ivanova")
    window.session.settings.set("generation.steps", 33)
    window.session.settings.choose_folder("paths.output", tmp_path / "Patientin Meyer")
    logging.getLogger("core.test").info("%s/ivanova/x for ivanova in %s/Patientin Meyer/MEL", tmp_path, tmp_path)
    qtbot.waitUntil(lambda: "cuda:0" in window.session.memory.devices)
    (action,) = [action for action in window.top.panels.menu().actions() if action.text().startswith("Diagnostics…")]
    action.trigger()
    found = window.desk.dialog("diagnostics")
    qtbot.waitUntil(lambda: found.copy.isEnabled())
    return found


def test_everything_useful_and_nothing_private_is_shown(dialog: DiagnosticsDialog, tmp_path: Path) -> None:
    text = dialog.text.toPlainText()
    for useful in ("ISICGUI: 0", "Python: 3.", "PyQt 5.", "Device cuda:0: Test GPU", "Memory cuda:0: 6.0 of 8.0 GB"):
        assert useful in text
    assert "generation.steps = 33" in text
    assert "~/x for <user> in <output folder>/MEL" in text
    for secret in ("ivanova", "Meyer", str(tmp_path / "ivanova")):
        assert secret not in text


def test_only_what_is_shown_is_copied(dialog: DiagnosticsDialog) -> None:
    dialog.text.setPlainText("only this")
    dialog.copy.click()
    assert QGuiApplication.clipboard().text() == "only this"
    assert dialog.told.text() == "Copied"


def test_it_is_saved_or_told_why_not(dialog: DiagnosticsDialog, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "out.txt"), ""))
    dialog.save.click()
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == dialog.text.toPlainText()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "no" / "out.txt"), ""))
    dialog.save.click()
    assert dialog.told.text().startswith("Not saved: ")


def test_a_problem_is_reported_with_what_it_is_about(window: MainWindow, qtbot) -> None:
    window.session.report(DeviceError("There is no cuda:3.", remedy="Choose another."))
    window._problems[0].diagnostics_asked.emit()
    found = window.desk.dialog("diagnostics")
    qtbot.waitUntil(lambda: found.copy.isEnabled())
    assert found.text.toPlainText().startswith("Device not available\nThere is no cuda:3.\n")


def test_closing_while_it_is_being_gathered_is_no_error(window: MainWindow, qtbot) -> None:
    window.desk.show_diagnostics()
    window.desk.dialog("diagnostics").close()
    qtbot.wait(50)


def test_a_report_that_has_gone_is_told(window: MainWindow, tmp_path: Path, qtbot) -> None:
    window.session.last_crash = tmp_path / "gone.txt"
    window.desk.show_crash()
    found = window.desk.dialog("crash")
    qtbot.waitUntil(lambda: "could not be collected" in found.text.toPlainText())
    assert not found.copy.isEnabled()
