"""Every setting on one page, made from the schema: searched, changed at once, reset, exported and imported."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.config.schema import SCHEMA, Setting
from core.config.transfer import Change
from core.errors import InputRefusedError, OutputError
from gui.common.devices import device_entries
from gui.i18n import tr, translate
from gui.settings.changes_dialog import ChangesDialog
from gui.settings.setting_row import Choice, SettingRow
from gui.settings.setting_words import fits, section_title
from gui.theme.tokens import GAP, GAP_LARGE, GAP_SMALL, GRID
from gui.widgets.buttons import text_button
from gui.widgets.fitting import fit
from gui.widgets.labels import label
from gui.widgets.vertical_scroll import VerticalScroll
from gui.workers.task import TaskRunner

if TYPE_CHECKING:
    from gui.shell.session import Session


SIZE: Final = (820, 620)
FILE_NAME: Final = "isicgui-settings.json"
LANGUAGE: Final = "ui.language"


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody was looking in the dialog."""

    search: str = ""
    scroll: int = 0
    key: str = ""


class SettingsDialog(QDialog):
    """Shows and changes the settings of a session.

    Signals
    -------
    language_chosen
        The window is about to be built anew, and this dialog with it; carries the `Place` to come back to.
    """

    language_chosen = pyqtSignal(object)

    def __init__(self, session: Session, place: Place = Place(), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._settings = session, session.settings
        self._files = TaskRunner(1, self)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Settings"))
        self.setAccessibleName(tr("Settings"))
        fit(self, SIZE)
        self.rows = {setting.key: self._make_row(setting) for setting in SCHEMA}
        self.search = self._make_search()
        self._items: dict[str, QListWidgetItem] = {}
        self.sections = QListWidget()
        self.sections.setAccessibleName(tr("Groups of settings"))
        self.sections.setProperty("roomy", True)
        self.sections.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.nothing = label(tr("No setting matches this search."), "muted")
        self._groups = self._make_groups()
        self.sections.setFixedWidth(self.sections.sizeHintForColumn(0) + 2 * GAP)
        self.page = self._make_page()
        self.message = label("", "problem", wrap=True)
        self._lay_out()
        self._connect()
        self._go_back_to(place)

    def done(self, result: int) -> None:
        """Take over what is being typed, as leaving the field would, before the dialog goes."""
        for row in self.rows.values():
            row.commit()
        self._files.close(0.5)
        super().done(result)

    def _make_row(self, setting: Setting) -> SettingRow:
        choices: list[Choice] = [(key, translate(words)) for key, words in setting.known_choices.items()]
        if setting.form == "device":
            choices = device_entries(self._session.engine, self._session.memory)
        return SettingRow(self._settings, setting, choices, self._files)

    def _make_search(self) -> QLineEdit:
        search = QLineEdit()
        search.setPlaceholderText(tr("Find a setting"))
        search.setAccessibleName(tr("Find a setting"))
        search.setToolTip(tr("Show only settings that contain these words"))
        search.setClearButtonEnabled(True)
        return search

    def _make_groups(self) -> dict[str, QWidget]:
        """Return a heading with its rows for each section, and list the section."""
        groups: dict[str, QWidget] = {}
        for section, settings in groupby(SCHEMA, key=lambda setting: setting.section):
            group = groups[section] = QWidget()
            column = QVBoxLayout(group)
            column.setContentsMargins(0, 0, 0, GAP_LARGE)
            column.setSpacing(GRID)
            column.addWidget(label(section_title(section), "title"))
            for setting in settings:
                column.addWidget(self.rows[setting.key])
            item = self._items[section] = QListWidgetItem(section_title(section), self.sections)
            item.setData(Qt.ItemDataRole.UserRole, section)
        return groups

    def _make_page(self) -> VerticalScroll:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, GAP, 0)
        column.setSpacing(0)
        for group in self._groups.values():
            column.addWidget(group)
        column.addWidget(self.nothing)
        column.addStretch(1)
        return VerticalScroll(content)

    def _lay_out(self) -> None:
        middle = QHBoxLayout()
        middle.setSpacing(GAP_LARGE)
        middle.addWidget(self.sections)
        middle.addWidget(self.page, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP_LARGE, GAP_LARGE, GAP_LARGE)
        layout.setSpacing(GAP)
        layout.addWidget(self.search)
        layout.addLayout(middle, 1)
        layout.addWidget(self.message)
        layout.addLayout(self._buttons())
        self.message.hide()

    def _buttons(self) -> QHBoxLayout:
        self.export = text_button(tr("Export…"), self._export)
        self.export.setToolTip(tr("Write all settings to a file"))
        self.read = text_button(tr("Import…"), self._import)
        self.read.setToolTip(tr("Import settings from a file, after a preview of the changes"))
        self.reset_all = text_button(tr("Reset all…"), self._reset_all)
        self.reset_all.setToolTip(tr("Restore all defaults, after a preview of the changes"))
        self.finish = text_button(tr("Close"), self.accept)
        self.finish.setToolTip(tr("Close the settings; changes apply already"))
        row = QHBoxLayout()
        row.setSpacing(GAP_SMALL)
        for button in (self.export, self.read, self.reset_all):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.finish)
        return row

    def _connect(self) -> None:
        self.search.textChanged.connect(self._filter)
        self.sections.itemActivated.connect(self._go_to)
        self.sections.itemClicked.connect(self._go_to)
        self._settings.changed.connect(self._changed)
        self._show_resettable()

    def _changed(self, key: str) -> None:
        self._show_resettable()
        if key == LANGUAGE:
            self.language_chosen.emit(Place(self.search.text(), self.page.verticalScrollBar().value(), key))
            self.accept()

    def _show_resettable(self) -> None:
        self.reset_all.setEnabled(bool(self._settings.to_defaults()))

    def _filter(self, text: str) -> None:
        fitting = {key for key, row in self.rows.items() if fits(row.setting, text)}
        for key, row in self.rows.items():
            row.setVisible(key in fitting)
        shown = {self.rows[key].setting.section for key in fitting}
        for section, item in self._items.items():
            item.setHidden(section not in shown)
            self._groups[section].setVisible(section in shown)
        self.nothing.setVisible(not shown)

    def _go_to(self, item: QListWidgetItem) -> None:
        group = self._groups[item.data(Qt.ItemDataRole.UserRole)]
        self.page.verticalScrollBar().setValue(group.y())

    def _go_back_to(self, place: Place) -> None:
        self.search.setText(place.search)
        self._filter(place.search)
        if place.key:
            self.rows[place.key].field.setFocus()
            self.page.widget().adjustSize()
            self.page.verticalScrollBar().setValue(place.scroll)
        else:
            self.search.setFocus()

    def _export(self) -> None:
        file, _ = QFileDialog.getSaveFileName(self, tr("Export the settings"), FILE_NAME, tr("Settings (*.json)"))
        if not file:
            return
        try:
            self._settings.export_to(Path(file))
        except OutputError as error:
            self._tell(f"{translate(error.message)} {translate(error.remedy)}")
        else:
            self._tell("")
            self._session.tell(tr("Written: {path}").format(path=file))

    def _import(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self, tr("Import settings"), "", tr("Settings (*.json)"))
        if not file:
            return
        try:
            plan = self._settings.read(Path(file))
        except InputRefusedError as error:
            self._tell(f"{translate(error.message)} {translate(error.remedy)}")
            return
        self._tell("")
        self._offer(plan.changes, tr("Use these settings?"), tr("Use them"), plan.unknown)

    def _reset_all(self) -> None:
        self._offer(self._settings.to_defaults(), tr("Restore all defaults?"), tr("Reset all"))

    def _offer(self, changes: tuple[Change, ...], title: str, action: str, unknown: tuple[str, ...] = ()) -> None:
        dialog = ChangesDialog(changes, title, action, unknown, self)
        dialog.accepted.connect(partial(self._settings.apply, changes))
        dialog.open()

    def _tell(self, words: str) -> None:
        self.message.setText(words)
        self.message.setVisible(bool(words))
