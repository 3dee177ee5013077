"""The report of a run of explanations in a window of its own: page, numbers, and the way to its files."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import Qt, QUrl
from PyQt5.QtGui import QCloseEvent, QKeySequence, QTextDocument
from PyQt5.QtWidgets import QHBoxLayout, QShortcut, QTabWidget, QTextBrowser, QVBoxLayout, QWidget

from gui.common.desktop import open_path
from gui.evaluate.json_tree import JsonTree
from gui.evaluate.report_page import page_of
from gui.evaluate.run_report import RunReport, read_report
from gui.explain.analysis_words import run_title
from gui.i18n import tr
from gui.theme.tokens import GAP, GAP_SMALL
from gui.widgets.buttons import text_button
from gui.widgets.fitting import fit
from gui.workers.task import TaskRunner

SIZE = (860, 680)


class ReportWindow(QWidget):
    """Reads a run on a thread and shows it."""

    def __init__(self, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        self.setWindowTitle(tr("Explanations: {name}").format(name=run_title(path.name)))
        fit(self, SIZE)
        self.path = path
        self.report: RunReport | None = None
        self._tasks = TaskRunner(1, self)
        self.page = self._make_page()
        self.numbers = JsonTree()
        self.tabs = QTabWidget()
        self.tabs.addTab(self.page, tr("Report"))
        self.tabs.addTab(self.numbers, tr("Numbers"))
        self.tabs.setAccessibleName(tr("Report and numbers"))
        self.browser = text_button(tr("Open the report in the browser"), self._open_page)
        self.folder = text_button(tr("Open the folder"), self._open_folder)
        self.finish = text_button(tr("Close"), self.close)
        self._lay_out()
        QShortcut(QKeySequence("Esc"), self).activated.connect(self.close)
        self._tasks.start(lambda: read_report(path), self._show, self._refuse)

    def _make_page(self) -> QTextBrowser:
        page = QTextBrowser()
        page.setAccessibleName(tr("Report"))
        page.setOpenLinks(False)
        page.setProperty("paper", True)
        page.setPlainText(tr("Reading…"))
        return page

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(GAP_SMALL)
        buttons.addWidget(self.browser)
        buttons.addWidget(self.folder)
        buttons.addStretch(1)
        buttons.addWidget(self.finish)
        self.browser.setEnabled(False)
        self.browser.setToolTip(tr("The whole report with every image, ready to share"))
        self.folder.setToolTip(tr("Images, raw arrays and numbers"))
        self.finish.setToolTip(tr("Close"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP, GAP, GAP)
        layout.setSpacing(GAP)
        layout.addWidget(self.tabs, 1)
        layout.addLayout(buttons)

    def _show(self, report: RunReport) -> None:
        self.report = report
        document = self.page.document()
        for number, picture in enumerate(report.pictures):
            kind = int(QTextDocument.ResourceType.ImageResource)
            document.addResource(kind, QUrl(f"picture:{number}"), picture.image)
        self.page.setHtml(page_of(report))
        self.numbers.show_files(report.numbers)
        self.browser.setEnabled(report.page is not None)

    def _refuse(self, error: BaseException) -> None:
        words = tr("This analysis cannot be read: {error}")
        self.page.setPlainText(words.format(error=error))

    def _open_page(self) -> None:
        if self.report and self.report.page:
            open_path(self.report.page)

    def _open_folder(self) -> None:
        open_path(self.path if self.path.is_dir() else self.path.parent)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Wait for nothing that is still being read."""
        self._tasks.close(0.0)
        super().closeEvent(event)
