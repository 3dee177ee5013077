"""What a training is asked to be: what is trained, from which photographs, how, where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from core.home import expanded, home_folder
from gui.common.devices import device_entries
from gui.common.photograph_report import PhotographReport
from gui.i18n import tr
from gui.theme.tokens import GAP_SMALL, GRID
from gui.train.training_choice import PRESETS, Kind
from gui.widgets.buttons import icon_button, text_button
from gui.widgets.labels import label
from gui.widgets.path_line import PathLine
from gui.widgets.typed import when_typed

if TYPE_CHECKING:
    from gui.shell.session import Session


LONGEST_MINUTES = 100_000


class TrainingChoices(QWidget):
    """Shows the choice of a `TrainingModel` and changes it, nothing else."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session, self._model = session, session.training
        self.kinds = self._make_kinds()
        self.data = PathLine()
        self.browse_folder = icon_button(
            "folder", tr("Choose a folder of photographs"), self._choose_folder, flat=False
        )
        self.browse_table = icon_button("report", tr("Choose a table of photographs"), self._choose_table, flat=False)
        self.report = PhotographReport(
            self._model.check, tr("Class folders, HAM10000, ISIC 2018, or a table."), tells_problem=False
        )
        self.preset = QComboBox()
        self.purpose = label("", "muted", wrap=True)
        self.device = QComboBox()
        self.minutes = self._make_minutes()
        self.root = PathLine()
        self.browse_root = icon_button(
            "output", tr("Choose the folder that holds the runs"), self._choose_root, flat=False
        )
        self._name_all()
        self._lay_out()
        self._connect()
        self.show_choice()

    def show_choice(self) -> None:
        """Show what the model says."""
        choice = self._model.choice
        self.kinds[choice.kind].setChecked(True)
        _show_path(self.data, choice.data)
        _show_path(self.root, choice.root)
        self._show_presets(choice.kind, choice.preset)
        self._show_devices(choice.device)
        self.minutes.setValue(choice.minutes)

    def _show_presets(self, kind: Kind, preset: str) -> None:
        if [self.preset.itemData(row) for row in range(self.preset.count())] != list(PRESETS[kind]):
            self.preset.clear()
            for name in PRESETS[kind]:
                self.preset.addItem(name, name)
        self.preset.setCurrentIndex(self.preset.findData(preset))
        self.purpose.setText(tr(PRESETS[kind][preset]))

    def _show_devices(self, device: str) -> None:
        entries = device_entries(self._session.engine, self._session.memory)
        if device not in [key for key, _ in entries]:
            entries.append((device, device))
        self.device.clear()
        for key, words in entries:
            self.device.addItem(words, key)
        self.device.setCurrentIndex(self.device.findData(device))

    def _make_kinds(self) -> dict[Kind, QPushButton]:
        generator = text_button(tr("Generator"))
        generator.setToolTip(tr("Train a network that generates images"))
        classifier = text_button(tr("Classifier"))
        classifier.setToolTip(tr("Train a network that classifies images"))
        group = QButtonGroup(self)
        for button in (generator, classifier):
            button.setCheckable(True)
            group.addButton(button)
        return {"diffusion": generator, "classifier": classifier}

    def _make_minutes(self) -> QSpinBox:
        spin = QSpinBox()
        spin.setRange(0, LONGEST_MINUTES)
        spin.setSpecialValueText(tr("as the preset says"))
        spin.setSuffix(tr(" min"))
        spin.setKeyboardTracking(False)
        return spin

    def _name_all(self) -> None:
        for widget, words in (
            (self.data, tr("Folder or table of training photographs")),
            (self.preset, tr("Initial settings")),
            (self.device, tr("Where the network is trained")),
            (self.minutes, tr("Time limit; the training is saved when it is reached")),
            (self.root, tr("Folder that holds the runs; each gets a folder of its own in it")),
        ):
            widget.setToolTip(words)
            widget.setAccessibleName(words)
        self.device.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addLayout(_row(*self.kinds.values()))
        self._add(layout, tr("Photographs"), _row(self.data, self.browse_folder, self.browse_table))
        layout.addWidget(self.report)
        self._add(layout, tr("Preset"), _row(self.preset))
        layout.addWidget(self.purpose)
        self._add(layout, tr("Device"), _row(self.device))
        self._add(layout, tr("At most"), _row(self.minutes))
        self._add(layout, tr("Runs"), _row(self.root, self.browse_root))
        layout.addStretch(1)

    def _add(self, layout: QVBoxLayout, title: str, row: QHBoxLayout) -> None:
        layout.addSpacing(GAP_SMALL)
        layout.addWidget(label(title, "title"))
        layout.addLayout(row)

    def _connect(self) -> None:
        for kind, button in self.kinds.items():
            button.clicked.connect(lambda _, kind=kind: self._model.choose(kind=kind))
        when_typed(self.data, self._choose_typed_data)
        when_typed(self.root, self._choose_typed_root)
        self.preset.activated.connect(lambda row: self._model.choose(preset=self.preset.itemData(row)))
        self.device.activated.connect(lambda row: self._model.choose(device=self.device.itemData(row)))
        self.minutes.valueChanged.connect(self._choose_minutes)

    def _choose_minutes(self, minutes: int) -> None:
        if minutes != self._model.choice.minutes:
            self._model.choose(minutes=minutes)

    def _choose_typed_data(self) -> None:
        text = self.data.text().strip()
        if text and text != str(self._model.choice.data or ""):
            self._model.choose(data=expanded(text).absolute())

    def _choose_typed_root(self) -> None:
        text = self.root.text().strip()
        if text and text != str(self._model.choice.root):
            self._model.choose(root=expanded(text).absolute())

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("Training photographs"), self._place())
        if folder:
            self._model.choose(data=Path(folder))

    def _choose_table(self) -> None:
        words = tr("Tables") + " (*.csv *.tab *.tsv)"
        name, _ = QFileDialog.getOpenFileName(self, tr("Table of photographs"), self._place(), words)
        if name:
            self._model.choose(data=Path(name))

    def _choose_root(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("Folder that holds the runs"), str(self._model.choice.root))
        if folder:
            self._model.choose(root=Path(folder))

    def _place(self) -> str:
        return str(self._model.choice.data or home_folder())


def _show_path(line: QLineEdit, path: Path | None) -> None:
    text = str(path) if path else ""
    if not line.hasFocus() and line.text() != text:
        line.setText(text)


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(GAP_SMALL)
    for widget in widgets:
        row.addWidget(widget)
    for widget in widgets:
        if isinstance(widget, QLineEdit | QComboBox | QSpinBox | QPushButton):
            row.setStretchFactor(widget, 1)
    row.setAlignment(Qt.AlignmentFlag.AlignVCenter)
    return row
