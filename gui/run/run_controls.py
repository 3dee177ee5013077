"""What a run is started, paused, stopped and repeated with; what it will cost stands above."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import QHBoxLayout, QMenu, QPushButton, QToolButton, QVBoxLayout, QWidget

from core.cancel import StopMode
from core.generation import GenerationRequest
from core.utils.shell import shell_line
from gui.common.shortcuts import keyed
from gui.i18n import tr
from gui.run.discard_dialog import DiscardDialog
from gui.run.request import describe_request
from gui.run.run import PAUSES
from gui.theme.icons import set_icon
from gui.theme.tokens import GAP_SMALL
from gui.widgets.buttons import hold_width, icon_button, text_button
from gui.widgets.labels import label
from gui.widgets.warning_lines import WarningLines

if TYPE_CHECKING:
    from gui.shell.session import Session


class RunControls(QWidget):
    """The estimate, its warnings, and the buttons."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._question: DiscardDialog | None = None
        self.estimate = label("", "muted", wrap=True)
        self.warnings = WarningLines()
        self.start = self._make_start()
        self.pause = keyed(text_button(tr("Pause"), session.run.toggle_pause), "pause")
        self.pause.setProperty("tall", True)
        set_icon(self.pause, "pause")
        hold_width(self.pause, tr("Pause"), tr("Resume"))
        self.stop = self._make_stop()
        self.regenerate = keyed(text_button(tr("Generate more"), session.regenerate), "regenerate")
        set_icon(self.regenerate, "again")
        self.enqueue = text_button(tr("Add to queue"), session.queue_up)
        set_icon(self.enqueue, "queue-add")
        for button in (self.regenerate, self.enqueue):
            button.setProperty("tight", True)
        keyed(self.enqueue, "enqueue").setToolTip(tr("Put this run at the end of the queue"))
        self.more = self._make_more()
        self._lay_out()
        self._connect()
        self._show_state()

    def copy_command(self) -> None:
        """Put the command line of what the window describes into the clipboard, and say so."""
        request = self._session.request()
        if request:
            QGuiApplication.clipboard().setText(
                shell_line(replace(request, threads=self._session.settings.get("performance.threads")).arguments())
            )
            self._session.tell(_copied(request))

    def ask_to_discard(self) -> None:
        """Ask whether the run shall be stopped and its images deleted; the question goes when the run has ended."""
        run = self._session.run
        if not run.busy or self._question:
            return
        output = run.started.output if run.started else self._session.settings.output
        dialog = self._question = DiscardDialog(run.done, output, self.window())
        dialog.buttonClicked.connect(lambda button: self._answered(button is dialog.discard_button))
        dialog.finished.connect(self._forget_question)
        dialog.open()

    def _count_question(self) -> None:
        if self._question:
            self._question.count(self._session.run.done)

    def _answered(self, discard: bool) -> None:
        if discard:
            self._session.stop(StopMode.DISCARD)

    def _forget_question(self) -> None:
        self._question = None

    def _make_start(self) -> QPushButton:
        button = text_button(tr("Start"), self._session.start)
        button.setObjectName("primary")
        keyed(button, "start").setToolTip(tr("Generate the images"))
        set_icon(button, "start", "on_accent")
        return button

    def _make_stop(self) -> QPushButton:
        button = text_button(tr("Stop"))
        button.setProperty("tall", True)
        set_icon(button, "stop")
        menu = QMenu(button)
        stop = self._session.stop
        menu.addAction(tr("Stop after this image"), lambda: stop(StopMode.AFTER_IMAGE))
        keyed(menu.addAction(tr("Stop now and keep the finished images"), lambda: stop(StopMode.NOW)), "stop")
        menu.addSeparator()
        menu.addAction(tr("Stop now and delete this run's images…"), self.ask_to_discard)
        button.setMenu(menu)
        button.setToolTip(tr("Stop the run; there are three ways"))
        return button

    def _make_more(self) -> QToolButton:
        button = icon_button("more", tr("More ways to run"), flat=False)
        menu = QMenu(button)
        menu.setToolTipsVisible(True)
        self.random = menu.addAction(
            tr("Generate more with new random seeds"), lambda: self._session.regenerate(random_seeds=True)
        )
        self.random.setToolTip(tr("The last run again, with a fresh seed for every image, recorded with it"))
        self.finish = menu.addAction(tr("Finish the stopped runs of this folder"), self._session.finish_stopped)
        menu.aboutToShow.connect(self._show_stopped)
        self.command = keyed(menu.addAction(tr("Copy as command"), self.copy_command), "copy-command")
        self.command.setToolTip(tr("The command line of the same run"))
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return button

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_SMALL)
        layout.addWidget(self.estimate)
        layout.addWidget(self.warnings)
        for row, stretched in (
            ((self.start, self.pause, self.stop), self.start),
            ((self.regenerate, self.enqueue, self.more), self.regenerate),
        ):
            line = QHBoxLayout()
            line.setSpacing(GAP_SMALL)
            for button in row:
                line.addWidget(button, 1 if button is stretched else 0)
            layout.addLayout(line)

    def _connect(self) -> None:
        session = self._session
        session.forecast.changed.connect(self._show_state)
        session.memory.changed.connect(self._show_warnings)
        session.run.state_changed.connect(self._show_state)
        session.run.progress_changed.connect(self._count_question)

    def _show_state(self) -> None:
        session, run = self._session, self._session.run
        cost = session.forecast.estimate
        self.estimate.setText(tr("Reading the models…") if session.catalog.catalog is None else _unbroken(cost.text()))
        self.enqueue.setEnabled(cost.images > 0)
        self.command.setEnabled(cost.images > 0)
        self._enable_run(can_start=not run.busy and cost.images > 0)
        self._show_pause()
        self._show_last()
        self._show_warnings()
        if self._question and not run.busy:
            self._question.go_on_button.click()  # nothing is left to be stopped

    def _enable_run(self, *, can_start: bool) -> None:
        """Pass the focus between Start and Stop: Qt would pass it on to the queue, where a space bar adds a run."""
        busy = self._session.run.busy
        if busy and self.start.hasFocus():
            self.stop.setEnabled(True)
            self.stop.setFocus()
        if can_start and not self.start.isEnabled() and (self.stop.hasFocus() or self.pause.hasFocus()):
            self.start.setEnabled(True)
            self.start.setFocus()
        self.start.setEnabled(can_start)
        self.stop.setEnabled(busy)

    def _show_pause(self) -> None:
        run = self._session.run
        paused = run.state in PAUSES
        self.pause.setText(tr("Resume") if paused else tr("Pause"))
        self.pause.setAccessibleName(self.pause.text())
        self.pause.setToolTip(
            tr("Continue the image being generated") if paused else tr("Wait after this denoising step")
        )
        set_icon(self.pause, "start" if paused else "pause")
        self.pause.setEnabled(run.can_pause)

    def _show_last(self) -> None:
        run = self._session.run
        for control in (self.regenerate, self.random):
            control.setEnabled(not run.busy and run.last_request is not None)
        self.regenerate.setToolTip(_regenerate_tip(run.last_request))

    def _show_stopped(self) -> None:
        stopped = self._session.stopped
        left = sum(run.total - run.done for run in stopped)
        self.finish.setEnabled(bool(stopped) and not self._session.run.busy)
        self.finish.setToolTip(tr("%n image(s) are left to be generated.", left) if stopped else "")

    def _show_warnings(self) -> None:
        session = self._session
        self.warnings.show_warnings([] if session.run.busy else session.forecast.warnings)


def _unbroken(text: str) -> str:
    """Return a line that breaks between its parts only."""
    return " · ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in text.split(" · "))


def _copied(request: GenerationRequest) -> str:
    words = tr("The command line of this run has been copied.")
    return f"{words} {tr('It uses new random seeds, because random seeds are on.')}" if request.seed is None else words


def _regenerate_tip(last: GenerationRequest | None) -> str:
    if last is None:
        return tr("Generate additional images with the settings of the last run.")
    words = tr("Additional images with the settings of the last run") + f"\n{describe_request(last)}"
    if last.seed is None:
        return words
    return f"{words}\n" + tr(
        "The sequence of seed {seed} continues: images already in the folder are not generated again."
    ).format(seed=last.seed)
