"""What a window does on behalf of its session: opens the settings and the diagnostics, and does what it requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, QTimer
from PyQt5.QtWidgets import QDialog

from gui.common.problem import Problem
from gui.common.window_requests import WindowRequest
from gui.i18n import tr
from gui.shell.open_dialogs import OpenDialogs

if TYPE_CHECKING:
    from gui.settings.settings_dialog import Place
    from gui.shell.main_window import MainWindow


class SessionDialogs(QObject):
    """Opens dialogs over a window, one of a kind at a time; their code is loaded when they are first asked for."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
        self._stand = OpenDialogs()
        self._place: Place | None = None
        self._grants: dict[WindowRequest, Callable[[], object]] = {
            WindowRequest.OUTPUT_FOLDER: window.top.choose_output,
            WindowRequest.MODELS_FOLDER: window.top.choose_models,
            WindowRequest.GET_MODELS: self.show_models,
            WindowRequest.SETTINGS: self.show_settings,
            WindowRequest.DIAGNOSTICS: self.show_diagnostics,
            WindowRequest.CRASH_REPORT: self.show_crash,
            WindowRequest.EXPORT: self.show_export,
            WindowRequest.TRAIN: self.show_training,
            WindowRequest.EVALUATE: self.show_evaluation,
            WindowRequest.ANALYSIS: self.show_analysis,
        }
        self._session.wish.connect(self.fulfil)

    def fulfil(self, wish: WindowRequest) -> None:
        """Do what the session asks of its window."""
        self._grants[wish]()

    def offer(self, wish: WindowRequest, do: Callable[[], object]) -> None:
        """Say what a wish is granted with."""
        self._grants[wish] = do

    def show_settings(self) -> None:
        """Show the settings, where they were left if the language has just been changed in them."""
        from gui.settings.settings_dialog import Place, SettingsDialog

        place, self._place = self._place or Place(), None
        self._stand.show("settings", partial(SettingsDialog, self._session, place, self._window))
        dialog = self.dialog("settings")
        if isinstance(dialog, SettingsDialog):
            dialog.language_chosen.connect(self._come_back)

    def show_models(self) -> None:
        """Offer models, and say whether this computer is ready."""
        from gui.models.models_dialog import ModelsDialog

        self._stand.show("models", partial(ModelsDialog, self._session, self._window))

    def show_export(self) -> None:
        """Offer to make a data set of the output folder."""
        self.export_curated(None)

    def export_curated(self, curation: Path | None) -> None:
        """Offer to make a data set of what a curation keeps of the output folder."""
        from gui.gallery.export_dialog import ExportDialog

        model = self._session.dataset_export
        self._stand.show("export", partial(ExportDialog, model, self._window, curation=curation))

    def show_diagnostics(self) -> None:
        """Show what to send with a report."""
        self._show_report("diagnostics", tr("Diagnostics"), "")

    def report(self, problem: Problem) -> None:
        """Show what to send with a report on a problem."""
        self._show_report("diagnostics", tr("Diagnostics"), problem.report_text())

    def show_crash(self) -> None:
        """Show what is known of how the last session ended."""
        if self._session.last_crash:
            self._show_report("crash", tr("How the program ended last time"), self._session.last_crash)

    def _show_report(self, name: str, title: str, extra: Path | str) -> None:
        from gui.help.diagnostics import gather
        from gui.help.diagnostics_dialog import DiagnosticsDialog

        self._stand.show(name, partial(DiagnosticsDialog, gather(self._session, extra), title, self._window))

    def show_analysis(self) -> None:
        """Ask what of a trajectory is to be analysed."""
        from gui.explain.analysis_dialog import AnalysisDialog
        from gui.explain.analysis_request import suggest_analysis

        first = suggest_analysis(self._session.settings, self._session.picture.picture)
        self._stand.show("analysis", partial(AnalysisDialog, self._session, first, self._window))

    def show_report(self, run: Path) -> None:
        """Show what a run of explanations has found; several can be open."""
        from gui.evaluate.report_window import ReportWindow

        ReportWindow(run, self._window).show()

    def show_training(self) -> None:
        """Offer to train, beside the window: it takes hours."""
        from gui.train.training_dialog import TrainingDialog

        self._stand.show("training", partial(TrainingDialog, self._session, self._window), is_modal=False)

    def show_evaluation(self) -> None:
        """Offer to judge a synthetic set, beside the window."""
        self._stand.show("evaluation", self._make_evaluation, is_modal=False)

    def _make_evaluation(self) -> QDialog:
        from gui.evaluate.evaluation_dialog import EvaluationDialog

        dialog = EvaluationDialog(self._session.evaluation, self._window)
        dialog.export_wanted.connect(self.export_curated)
        return dialog

    def leave_training(self) -> None:
        """Ask whether the training that goes on is to be stopped, and close the window once it has."""
        from gui.train.close_training_dialog import CloseTrainingDialog

        if not self._session.training.leaving:
            self._stand.show("leave training", partial(CloseTrainingDialog, self._session.training, self._window))

    def leave_work(self, work: Sequence[str], leave: Callable[[], object]) -> None:
        """Ask whether what goes on is to be stopped, and leave if it is."""
        from gui.shell.close_work_dialog import CloseWorkDialog

        def make() -> QDialog:
            dialog = CloseWorkDialog(work, self._window)
            dialog.buttonClicked.connect(lambda button: leave() if button is dialog.stop_button else None)
            return dialog

        self._stand.show("leave work", make)

    def dialog(self, name: str) -> QDialog | None:
        """Return an open dialog by its name, such as ``settings`` or ``training``."""
        return self._stand.get(name)

    def take_over(self, old: SessionDialogs) -> None:
        """Open again what was open over the window before this one."""
        if old._place:
            self._place = old._place
            QTimer.singleShot(0, self.show_settings)
        for name, show in (("training", self.show_training), ("evaluation", self.show_evaluation)):
            dialog = old.dialog(name)
            if dialog and dialog.isVisible():
                QTimer.singleShot(0, show)
        for run in old.reports():
            QTimer.singleShot(0, partial(self.show_report, run))

    def reports(self) -> list[Path]:
        """Return the runs whose reports are open."""
        from gui.evaluate.report_window import ReportWindow

        windows = self._window.findChildren(ReportWindow)
        return [window.path for window in windows if window.isVisible()]

    def _come_back(self, place: Place) -> None:
        self._place = place
