"""The top region: models, output, device, explanations, theme, language."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtWidgets import QComboBox, QFileDialog, QFrame, QHBoxLayout, QMenu, QSpinBox, QToolButton, QWidget

from core.generation import MAX_STEPS
from gui.common.desktop import open_path
from gui.common.devices import device_entries
from gui.common.shortcuts import keyed
from gui.common.window_requests import WindowRequest
from gui.i18n import tr
from gui.shell.language_button import LanguageButton
from gui.shell.session import Session
from gui.shell.theme_button import ThemeButton
from gui.theme.icons import set_icon
from gui.theme.tokens import CONTROL_HEIGHT, GAP_SMALL, ICON_SIZE
from gui.widgets.buttons import icon_button
from gui.widgets.elided_combo import ElidedCombo
from gui.widgets.folder_button import FolderButton, short_path
from gui.widgets.quiet import show_number, show_switch

DEVICE_CHARACTERS = 12
"""Shown of a device; its memory changes every two seconds and must not move the bar. The list shows all."""


class TopBar(QWidget):
    """One row of controls; it shows the settings and changes them, nothing else."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._settings = session.settings
        self.models = FolderButton("models", tr("Models"))
        self.output = FolderButton("output", tr("Output"), Qt.TextElideMode.ElideMiddle)
        self.device = ElidedCombo()
        self.explain = self._explain_switch()
        self.every = self._every_spin()
        self.steps = self._steps_spin()
        self.theme = ThemeButton(session.settings)
        self.language = LanguageButton(session.settings)
        self.panels = icon_button("panels", tr("Panels and keyboard"))
        self._lay_out()
        self._connect()
        self._show_all()
        self._lock_while_running()

    def add_menu(self, menu: QMenu) -> None:
        """Put the menu of the panels behind its button."""
        self.panels.setMenu(menu)
        self.panels.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)

    def choose_output(self) -> None:
        """Ask for another output folder."""
        self._choose("paths.output", tr("Folder for images"))

    def choose_models(self) -> None:
        """Ask for another folder of models."""
        self._choose("paths.models", tr("Folder of models"))

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_SMALL)
        layout.addWidget(self.models, 3)
        layout.addWidget(self.output, 3)
        layout.addWidget(self.device)
        layout.addStretch(1)
        layout.addWidget(_line())
        layout.addWidget(self.explain)
        layout.addWidget(self.every)
        layout.addWidget(self.steps)
        layout.addWidget(_line())
        layout.addWidget(self.theme)
        layout.addWidget(self.language)
        layout.addWidget(self.panels)
        self.device.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.device.setMinimumContentsLength(DEVICE_CHARACTERS)
        self.device.setAccessibleName(tr("Device"))

    def _connect(self) -> None:
        self.models.about_to_open.connect(self._fill_models_menu)
        self.output.about_to_open.connect(self._fill_output_menu)
        self.device.activated.connect(self._choose_device)
        self.explain.toggled.connect(lambda on: self._settings.set("xai.enabled", on))
        self.every.valueChanged.connect(lambda n: self._settings.set("xai.every", n))
        self.steps.valueChanged.connect(lambda n: self._settings.set("xai.save_steps", n))
        self._settings.changed.connect(self._show_all)
        self._session.catalog.changed.connect(self._show_folders)
        self._session.engine.changed.connect(self._show_devices)
        self._session.memory.changed.connect(self._show_devices)
        self._session.run.state_changed.connect(self._lock_while_running)

    def _explain_switch(self) -> QToolButton:
        button = QToolButton()
        set_icon(button, "explain")
        button.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
        button.setText(tr("Explain"))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setCheckable(True)
        button.setToolTip(tr("Show attribution maps for the shown image, and explain images of a run"))
        keyed(button, "explain")
        button.setAccessibleName(tr("Explanations"))
        return button

    def _every_spin(self) -> QSpinBox:
        spin = QSpinBox()
        spin.setRange(0, 10_000)
        spin.setSpecialValueText(tr("none saved"))
        spin.setPrefix(tr("every") + " ")
        spin.setAccessibleName(tr("Save the explanation of every N-th image"))
        spin.setToolTip(
            tr(
                "While generating with explanations on, the explanation of every N-th image of "
                "each class is saved too, starting with the first"
            )
        )
        _narrow(spin, 100)
        return spin

    def _steps_spin(self) -> QSpinBox:
        spin = QSpinBox()
        spin.setRange(1, MAX_STEPS)
        spin.setPrefix(tr("steps") + " ")
        spin.setAccessibleName(tr("XAI steps: every N-th denoising step"))
        spin.setToolTip(tr("The trajectory analysis covers every N-th denoising step"))
        _narrow(spin, 100)
        return spin

    def _show_all(self) -> None:
        self._show_folders()
        self._show_devices()
        show_switch(self.explain, self._settings.get("xai.enabled"))
        show_number(self.every, self._settings.get("xai.every"))
        self.every.setEnabled(self._settings.get("xai.enabled"))
        show_number(self.steps, self._settings.get("xai.save_steps"))
        self.steps.setEnabled(self._settings.get("xai.enabled"))

    def _show_folders(self) -> None:
        folder, output = self._settings.models, self._settings.output
        starter = folder == self._settings.paths.default_models_dir
        title = self._session.catalog.title or short_path(folder)
        self.models.show_value(f"{tr('starter')}: {title}" if starter else title, str(folder))
        self.output.show_value(short_path(output), str(output))

    def _show_devices(self) -> None:
        chosen = self._settings.get("generation.device")
        entries = device_entries(self._session.engine, self._session.memory)
        if chosen not in [key for key, _ in entries]:
            entries.append((chosen, chosen))
        if [key for key, _ in entries] != [self.device.itemData(row) for row in range(self.device.count())]:
            self.device.clear()
            self.device.addItems([name for _, name in entries])
        for row, (key, name) in enumerate(entries):  # in place: the list may be open while the numbers change
            self.device.setItemText(row, name)
            self.device.setItemData(row, key)
        self.device.view().setMinimumWidth(self.device.view().sizeHintForColumn(0) + 2 * GAP_SMALL)
        self.device.setCurrentIndex(self.device.findData(chosen))
        self.device.setToolTip(tr("Images are computed on: {device}").format(device=self.device.currentText()))

    def _choose_device(self, row: int) -> None:
        self._settings.set("generation.device", self.device.itemData(row))

    def _lock_while_running(self) -> None:
        for control in (self.models, self.output, self.device):
            control.setEnabled(not self._session.run.busy)

    def _fill_models_menu(self, menu: QMenu) -> None:
        menu.clear()
        menu.addAction(tr("Starter models"), lambda: self._settings.choose_folder("paths.models", None))
        menu.addAction(tr("Choose a folder…"), self.choose_models)
        menu.addAction(tr("Get models…"), partial(self._session.wish.emit, WindowRequest.GET_MODELS))
        self._add_recent(menu, "paths.models")
        menu.addSeparator()
        menu.addAction(tr("Show in the file manager"), lambda: open_path(self._settings.models))
        menu.addAction(tr("Check again"), lambda: self._session.catalog.look(self._settings.models))

    def _fill_output_menu(self, menu: QMenu) -> None:
        menu.clear()
        menu.addAction(tr("Default folder"), lambda: self._settings.choose_folder("paths.output", None))
        menu.addAction(tr("Choose a folder…"), self.choose_output)
        self._add_recent(menu, "paths.output")
        menu.addSeparator()
        menu.addAction(tr("Show in the file manager"), lambda: open_path(self._settings.output))

    def _add_recent(self, menu: QMenu, key: str) -> None:
        recent = self._settings.recent(key)
        if recent:
            menu.addSeparator()
        for text in recent:
            menu.addAction(short_path(Path(text)), lambda text=text: self._settings.choose_folder(key, Path(text)))

    def _choose(self, key: str, title: str) -> None:
        start = self._settings.models if key == "paths.models" else self._settings.output
        folder = QFileDialog.getExistingDirectory(self, title, str(start))
        if folder:
            self._settings.choose_folder(key, Path(folder))


def _narrow(spin: QSpinBox, number: int) -> None:
    """Make room for a prefix and a number of so many digits, and no more."""
    text = f"{spin.prefix()}{number}"
    spin.setFixedWidth(spin.fontMetrics().horizontalAdvance(text) + CONTROL_HEIGHT)


def _line() -> QFrame:
    line = QFrame()
    line.setObjectName("line")
    line.setFixedSize(1, 20)
    return line
