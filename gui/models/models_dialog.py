"""The first page: models at once, the original ones, or one's own; and whether this computer is ready."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QDialog, QFileDialog, QFrame, QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from core.taxonomy import CLASS_CODES
from gui.i18n import tr, translate
from gui.i18n.numbers import size_text
from gui.models.checkup import CheckupModel
from gui.models.finding_list import FindingList
from gui.models.model_download import Arrival, ModelDownload, Outlook
from gui.models.offer_card import OfferCard
from gui.models.transfer_bar import TransferBar
from gui.theme.tokens import GAP, GAP_LARGE, GAP_SMALL, PRIMARY_HEIGHT
from gui.widgets.buttons import icon_button, text_button
from gui.widgets.fitting import fit
from gui.widgets.folder_button import short_path
from gui.widgets.labels import label
from gui.widgets.vertical_scroll import VerticalScroll

if TYPE_CHECKING:
    from gui.shell.session import Session


SIZE = (820, 660)
FRAME = (2 * GAP_LARGE, 4 * GAP_LARGE)
"""What stays free of a small screen: for the frame and the title that the desktop adds."""


class ModelsDialog(QDialog):
    """Offers models and shows the checkup; what it starts goes on when it is closed."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._download: ModelDownload = session.model_download
        self._checkup: CheckupModel = session.checkup
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Models and this computer"))
        self.setAccessibleName(tr("Models and this computer"))
        fit(self, SIZE)
        self.starter = text_button(tr("Start with the starter models"), self._use_starter)
        self.fetch = text_button(tr("Download"), self._fetch_or_stop)
        self.folder = text_button(tr("Other folder…"), self._choose_target)
        self.take = text_button(tr("Import a folder or zip…"))
        self.again = icon_button("again", tr("Check this computer again"), self._checkup.look)
        self.finish = text_button(tr("Close"), self.close)
        self.outcome = _selectable("")
        self.problem = _selectable("problem")
        self.findings = FindingList()
        self.checked = self._framed(self.findings)
        self.verdict = label("", "title", wrap=True)
        self._dress()
        self._originals = self._originals_card()
        self._lay_out()
        self._download.changed.connect(self._show_download)
        self._checkup.changed.connect(self._show_checkup)
        self._download.look()
        self._show_download()
        if not self._checkup.findings:
            self._checkup.look()
        self._show_checkup()
        self.starter.setFocus()

    def _dress(self) -> None:
        self.starter.setObjectName("primary")
        self.starter.setFixedHeight(PRIMARY_HEIGHT)
        self.starter.setDefault(True)
        self.starter.setToolTip(tr("Use the models that came with the program, and close this page"))
        self.folder.setToolTip(tr("Choose where downloaded and imported models go"))
        self.take.setToolTip(tr("Check model files that are on this computer and copy them into the models folder"))
        self.finish.setToolTip(tr("Close this page; a running download continues"))
        buttons = (self.starter, self.fetch, self.folder, self.take)
        width = max(button.sizeHint().width() for button in buttons)
        for button in buttons:  # all the same, so that the words beside them end in one line
            button.setMinimumWidth(width)
        menu = QMenu(self.take)
        menu.addAction(tr("A zip archive…"), self._choose_archive)
        menu.addAction(tr("A folder…"), self._choose_folder)
        self.take.setMenu(menu)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP_LARGE, GAP_SMALL, GAP_LARGE)
        layout.setSpacing(GAP)
        layout.addWidget(label(tr("Choose a generator"), "heading"))
        layout.addWidget(VerticalScroll(self._content()), 1)
        layout.addLayout(self._foot())

    def _content(self) -> QWidget:
        content = QWidget()
        inside = QVBoxLayout(content)
        inside.setContentsMargins(0, 0, GAP_SMALL, 0)
        inside.setSpacing(GAP)
        for card in (self._starter_card(), self._originals, self._own_card()):
            inside.addWidget(card)
        inside.addWidget(self.outcome)
        inside.addWidget(self.problem)
        inside.addLayout(self._checkup_head())
        inside.addWidget(self.checked)
        inside.addStretch(1)
        return content

    def _starter_card(self) -> OfferCard:
        sentence = tr("All seven classes, 128 x 128 pixels, small and quick. They came with the program.")
        card = OfferCard("models", tr("The starter models"), sentence)
        card.add_button(self.starter)
        return card

    def _originals_card(self) -> OfferCard:
        card = OfferCard("get", tr("ISICGenerator checkpoints"))
        card.add_button(self.fetch)
        card.add_button(self.folder)
        card.add_below(TransferBar(self._download))
        return card

    def _own_card(self) -> OfferCard:
        sentence = tr(
            "Files named {name}, from an archive or a folder. Each is read and checked, and nothing in it is run."
        ).format(name="unet_<CLASS>_best.pth")
        card = OfferCard("folder", tr("Your own model files (no download)"), sentence)
        card.add_button(self.take)
        return card

    def _checkup_head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(GAP_SMALL)
        row.addWidget(self.verdict, 1)
        row.addWidget(self.again)
        return row

    def _framed(self, findings: FindingList) -> QFrame:
        frame = QFrame()
        frame.setObjectName("panel")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(GAP, GAP, GAP, GAP)
        inside.addWidget(findings)
        return frame

    def _foot(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, GAP_SMALL, 0)
        row.addWidget(label(tr("Research only, not a diagnosis"), "muted"), 1)
        row.addWidget(self.finish)
        return row

    def _show_download(self) -> None:
        model = self._download
        self._originals.say(_originals_words(model.target, model.outlook))
        has_part = model.outlook is not None and model.outlook.received > 0
        words = tr("Continue the download") if has_part else tr("Download")
        self.fetch.setText(tr("Stop") if model.busy else words)
        self.fetch.setAccessibleName(self.fetch.text())
        self.fetch.setToolTip(
            tr("Stop; what has arrived is kept")
            if model.busy
            else tr("Download the ISICGenerator checkpoints from Google Drive, check them, and use them")
        )
        for button in (self.folder, self.take, self.starter):
            button.setEnabled(not model.busy)
        _tell(self.outcome, _outcome(model.last) if model.last else "")
        problem = model.problem
        _tell(self.problem, f"{translate(problem.message)} {translate(problem.remedy)}" if problem else "")

    def _show_checkup(self) -> None:
        model = self._checkup
        self.findings.show_findings(model.findings)
        self.checked.setVisible(bool(model.findings))
        self.again.setEnabled(not model.busy)
        amiss = sum(finding.status != "ok" for finding in model.findings)
        if model.busy:
            self.verdict.setText(tr("Checking this computer…"))
        elif model.is_well:
            self.verdict.setText(tr("This computer is ready."))
        else:
            self.verdict.setText(tr("This computer: %n note(s)", amiss))

    def _use_starter(self) -> None:
        self._session.settings.choose_folder("paths.models", None)
        self.accept()

    def _fetch_or_stop(self) -> None:
        if self._download.busy:
            self._download.stop()
        else:
            self._download.fetch_originals()

    def _choose_target(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("Folder for models"), str(self._download.target))
        if folder:
            self._download.choose_target(Path(folder))

    def _choose_archive(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, tr("Archive with models"), "", tr("Zip archives (*.zip)"))
        if path:
            self._download.take(Path(path))

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("Folder with models"))
        if folder:
            self._download.take(Path(folder))


def _selectable(role: str) -> QLabel:
    made = label("", role, wrap=True)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    made.hide()
    return made


def _tell(line: QLabel, words: str) -> None:
    line.setText(words)
    line.setAccessibleName(words)
    line.setVisible(bool(words))


def _originals_words(target: Path, outlook: Outlook | None) -> str:
    what = tr("The ISICGenerator network of each class: larger and slower. About 0.8 GB from Google Drive.")
    where = tr("They go to {folder}.").format(folder=short_path(target))
    if outlook is None or outlook.free is None:
        return f"{what} {where}"
    room = tr("They go to {folder} ({free} free, {needed} needed).").format(
        folder=short_path(target), free=size_text(outlook.free), needed=size_text(2 * outlook.expected)
    )
    if not outlook.received:
        return f"{what} {room}"
    part = tr("{received} already downloaded.").format(received=size_text(outlook.received))
    return f"{what} {room} {part}"


def _outcome(last: Arrival) -> str:
    if last.status == "stopped":
        return tr("Stopped. What has arrived is kept: the download continues from there.")
    if last.status == "refused":
        return "\n".join((tr("None of these files can be used:"), *map(translate, last.refused)))
    what = ", ".join(last.classes or last.files)
    ready = tr("Ready: {what}, in {folder}.").format(what=what, folder=short_path(last.folder))
    lacking = tuple(code for code in CLASS_CODES if code not in last.classes)
    lines = [tr("They are already present and unchanged.")] if last.status == "already" else []
    if lacking and last.classes:
        lines.append(tr("Still without a model: {classes}.").format(classes=", ".join(lacking)))
    if last.refused:
        lines += [tr("Not imported:"), *map(translate, last.refused)]
    return "\n".join((ready, *lines))
