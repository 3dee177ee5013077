"""One setting: its title, a field that fits its type, what it means, why a typed value is refused, its way back."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QCheckBox, QComboBox, QFileDialog, QGridLayout, QHBoxLayout, QLineEdit, QWidget

from core.config.schema import Setting, Value
from core.errors import UsageError
from gui.common.settings import SettingsModel
from gui.i18n import tr, translate
from gui.settings.setting_words import typed, value_words
from gui.theme.tokens import GAP_SMALL, GRID
from gui.widgets.buttons import icon_button, text_button
from gui.widgets.labels import label
from gui.widgets.path_line import PathLine
from gui.workers.task import TaskRunner

TITLE_WIDTH = 168
NUMBER_WIDTH = 120

Choice = tuple[str, str]


class SettingRow(QWidget):
    """A form row over one setting; what is shown follows the model, what is entered changes it once it is valid.

    Parameters
    ----------
    choices
        Value and words of each choice; empty for a setting that is typed or switched.
    files
        Where it is looked up whether a path is there: its drive may be slow, or gone.
    """

    def __init__(self, model: SettingsModel, setting: Setting, choices: Sequence[Choice], files: TaskRunner) -> None:
        super().__init__()
        self._model, self.setting, self._files = model, setting, files
        self._title = translate(setting.title)
        self._is_there = True
        self._buttons: list[QWidget] = []
        self._choices = list(choices)
        self.field = self._make_field()
        self.reason = label("", "problem", wrap=True)
        self.reason.hide()
        self.note = label("", "muted", wrap=True)
        self.note.hide()
        self.reset = icon_button("undo", tr("Reset {title} to its default").format(title=self._title), self._reset)
        self._describe()
        self._lay_out()
        model.changed.connect(self._follow)
        model.held.connect(self._show_held)
        self._show()

    def commit(self) -> None:
        """Take over what was typed, if it is valid; what is not stays as it was."""
        if isinstance(self.field, QLineEdit) and self.field.isModified():
            value = self._judge(self.field.text())
            if value is not None:
                self._model.choose(self.setting.key, value)
                self._show()

    def _make_field(self) -> QWidget:
        if self.setting.type is bool:
            box = QCheckBox(self._title)
            box.clicked.connect(partial(self._model.choose, self.setting.key))
            return box
        if self._choices:
            combo = QComboBox()
            combo.activated.connect(self._take_choice)
            return combo
        line = PathLine() if self.setting.form in ("folder", "path") else QLineEdit()
        line.textEdited.connect(self._judge)
        line.editingFinished.connect(self.commit)
        if not self.setting.form:
            line.setMaximumWidth(NUMBER_WIDTH)
        return line

    def _describe(self) -> None:
        description = translate(self.setting.description)
        self.field.setAccessibleName(self._title)
        self.field.setAccessibleDescription(description)
        self.field.setToolTip(description)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, GRID, 0, GRID)
        grid.setHorizontalSpacing(GAP_SMALL)
        grid.setVerticalSpacing(2)
        title = label("" if isinstance(self.field, QCheckBox) else self._title, wrap=True)
        title.setFixedWidth(TITLE_WIDTH)
        title.setBuddy(self.field)
        grid.addWidget(title, 0, 0)
        grid.setColumnStretch(1, 1)
        grid.addLayout(self._field_line(), 0, 1)
        grid.addWidget(self.reset, 0, 2, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.reason, 1, 1, 1, 2)
        grid.addWidget(self.note, 2, 1, 1, 2)
        grid.addWidget(label(translate(self.setting.description), "muted", wrap=True), 3, 1, 1, 2)

    def _field_line(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(GAP_SMALL)
        line.addWidget(self.field, 1 if self.setting.form else 0)
        if self.setting.form == "folder":
            line.addWidget(self._browse_button(tr("Choose…"), self._choose_folder))
        elif self.setting.form == "path":
            line.addWidget(self._browse_button(tr("File…"), self._choose_file))
            line.addWidget(self._browse_button(tr("Folder…"), self._choose_folder))
        else:
            line.addStretch(1)
        return line

    def _browse_button(self, words: str, choose: Callable[[], object]) -> QWidget:
        button = text_button(words, choose)
        button.setAccessibleName(f"{self._title}: {words}")
        self._buttons.append(button)
        return button

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self._title, self._model.get(self.setting.key))
        if folder:
            self._model.choose(self.setting.key, folder)

    def _choose_file(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self, self._title, self._model.get(self.setting.key))
        if file:
            self._model.choose(self.setting.key, file)

    def _take_choice(self, row: int) -> None:
        self._model.choose(self.setting.key, self._choices[row][0])

    def _judge(self, text: str) -> Value | None:
        """Say why a typed text is refused, as it is typed; return its value if it is not."""
        try:
            value = typed(self.setting, text)
        except UsageError as refusal:
            self._refuse(translate(refusal.remedy))
            return None
        self._refuse("")
        return value

    def _refuse(self, reason: str) -> None:
        self.reason.setText(reason)
        self.reason.setVisible(bool(reason))
        self.field.setProperty("refused", bool(reason))
        self.field.style().polish(self.field)
        self.field.setAccessibleDescription(reason or translate(self.setting.description))

    def _reset(self) -> None:
        self._model.reset(self.setting.key)
        self._show()

    def _follow(self, key: str) -> None:
        if key == self.setting.key:
            self._show()

    def _show(self) -> None:
        value = self._model.get(self.setting.key)
        self._show_held()
        if isinstance(self.field, QCheckBox):
            self.field.setChecked(bool(value))
        elif isinstance(self.field, QComboBox):
            self._show_choice(self.field, str(value))
        elif isinstance(self.field, QLineEdit):
            self._show_text(self.field, value)

    def _show_held(self) -> None:
        """Let nobody change what a run works with, and say so; what is asked for elsewhere waits for its end."""
        held = self._model.is_held(self.setting.key)
        for control in (self.field, *self._buttons):
            control.setEnabled(not held)
        self.reset.setEnabled(not held and not self._model.is_default(self.setting.key))
        self._show_note()

    def _show_choice(self, combo: QComboBox, value: str) -> None:
        if value not in [key for key, _ in self._choices]:
            self._choices.append((value, value))
        if len(self._choices) != combo.count():
            combo.clear()
            combo.addItems([words for _, words in self._choices])
        combo.setCurrentIndex([key for key, _ in self._choices].index(value))

    def _show_text(self, line: QLineEdit, value: Value) -> None:
        line.setText(f"{value:g}" if isinstance(value, float) else str(value))
        line.setModified(False)
        line.setPlaceholderText(value_words(self.setting, self.setting.default))
        self._refuse("")
        self._note(is_there=True)
        if value and self.setting.form in ("folder", "path"):
            self._files.start(partial(os.path.exists, str(value)), self._note, _ignore)

    def _note(self, is_there: bool) -> None:
        """Say that a path leads nowhere: allowed, since drives come and go and folders are made, but rarely meant."""
        self._is_there = is_there
        self._show_note()

    def _show_note(self) -> None:
        words = [tr("Cannot be changed during a run.")] if self._model.is_held(self.setting.key) else []
        if not self._is_there:
            words.append(tr("Nothing exists at this path now."))
        self.note.setText("\n".join(words))
        self.note.setVisible(bool(words))


def _ignore(error: BaseException) -> None:
    """A place that cannot be looked at is not called empty."""
