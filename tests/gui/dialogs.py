"""Every dialog of the window, and how to bring it up: what the tests of access and looks walk through.

Whoever adds a dialog adds a line to `DIALOGS`: a function that takes the window and returns the dialog, shown or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from PyQt5.QtWidgets import QDialog

from core.checks import Check
from core.config.schema import SCHEMA
from core.config.transfer import Change
from core.errors import OutOfMemoryError
from core.generation import GenerationRequest
from gui.common.problem import FailedRun, Problem, describe
from gui.explain.faithfulness_dialog import FaithfulnessDialog
from gui.gallery.empty_trash_dialog import EmptyTrashDialog
from gui.help.diagnostics_dialog import DiagnosticsDialog
from gui.help.problem_dialog import ProblemDialog
from gui.i18n import tr
from gui.run.discard_dialog import DiscardDialog
from gui.settings.changes_dialog import ChangesDialog
from gui.shell.close_dialog import CloseDialog
from gui.shell.close_work_dialog import CloseWorkDialog
from gui.shell.main_window import MainWindow
from gui.train.close_training_dialog import CloseTrainingDialog
from tests.gui.fake_engine import make_explanation, make_pixels
from xai.explanation import ExplainOptions

Maker = Callable[[MainWindow], QDialog]


def _problem(window: MainWindow) -> QDialog:
    problem = Problem("The folder is full", "No space left on the device.", "Free some space.", details="line\n" * 9)
    return ProblemDialog(problem, parent=window)


def _remedies(window: MainWindow) -> QDialog:
    """The tallest: a problem with every button that can be offered for it."""
    request = GenerationRequest((("MEL", 4),), Path("models"), Path("output"), device="cuda:0", batch_size=8)
    run = FailedRun(Path("output"), request, "r1", "cuda:0", 8)
    problem = describe(OutOfMemoryError("Not even one image fits.", remedy="Close other programs."), run)
    return ProblemDialog(problem, window.session.remedies.of(problem), window)


def _settings(window: MainWindow) -> QDialog:
    window.desk.show_settings()
    dialog = window.desk.dialog("settings")
    assert dialog
    return dialog


def _changes(window: MainWindow) -> QDialog:
    changes = [Change(setting, setting.default, setting.default) for setting in SCHEMA]
    return ChangesDialog(changes, tr("Use these settings?"), tr("Use them"), ["future.key"], window)


def _diagnostics(window: MainWindow) -> QDialog:
    return DiagnosticsDialog(lambda: "Python: 3.12", tr("Diagnostics"), window)


def _keys(window: MainWindow) -> QDialog:
    window.help.show_keys()
    return _shown(window, "keys")


def _palette(window: MainWindow) -> QDialog:
    window.help.show_palette()
    return _shown(window, "palette")


def _training(window: MainWindow) -> QDialog:
    window.desk.show_training()
    dialog = window.desk.dialog("training")
    assert dialog
    return dialog


def _analysis(window: MainWindow) -> QDialog:
    window.desk.show_analysis()
    dialog = window.desk.dialog("analysis")
    assert dialog
    return dialog


def _faithfulness(window: MainWindow) -> QDialog:
    explanation = make_explanation(make_pixels(1), options=ExplainOptions(faithfulness=True))
    return FaithfulnessDialog(explanation, window)


def _evaluation(window: MainWindow) -> QDialog:
    window.desk.show_evaluation()
    dialog = window.desk.dialog("evaluation")
    assert dialog
    return dialog


def _export(window: MainWindow) -> QDialog:
    window.desk.show_export()
    dialog = window.desk.dialog("export")
    assert dialog
    return dialog


def _models(window: MainWindow) -> QDialog:
    amiss = Check("Memory", "warn", "0.4 GiB of 8.0 GiB free", "Close other programs before generating.")
    window.session.checkup.findings = (Check("Python", "ok", "3.12"), amiss)
    window.desk.show_models()
    dialog = window.desk.dialog("models")
    assert dialog
    return dialog


def _glossary(window: MainWindow) -> QDialog:
    window.help.show_glossary()
    return _shown(window, "glossary")


def _shown(window: MainWindow, name: str) -> QDialog:
    dialog = window.help.dialog(name)
    assert dialog
    return dialog


DIALOGS: Final[Mapping[str, Maker]] = {
    "export": _export,
    "models": _models,
    "analysis": _analysis,
    "faithfulness": _faithfulness,
    "training": _training,
    "evaluation": _evaluation,
    "close while training": lambda window: CloseTrainingDialog(window.session.training, window),
    "close while working": lambda window: CloseWorkDialog(["An export: nothing is left of it."], window),
    "close": lambda window: CloseDialog(3, 8, window),
    "discard": lambda window: DiscardDialog(3, Path("output"), window),
    "empty trash": lambda window: EmptyTrashDialog(5, window),
    "problem": _problem,
    "problem with remedies": _remedies,
    "settings": _settings,
    "changes of settings": _changes,
    "diagnostics": _diagnostics,
    "keyboard shortcuts": _keys,
    "command palette": _palette,
    "glossary": _glossary,
}
