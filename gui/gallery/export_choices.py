"""What an export is asked to be: format, images, parts, archive, place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from core.home import expanded
from core.taxonomy import CLASSES, class_name
from dataset.export.request import DEFAULT_SPLIT, FORMATS
from dataset.layout import MAX_STARS
from gui.gallery.dataset_export import DatasetExportModel, all_classes
from gui.i18n import tr, translate
from gui.theme.tokens import GAP, GAP_SMALL, GRID
from gui.widgets.buttons import icon_button
from gui.widgets.elided_combo import ElidedCombo
from gui.widgets.labels import label
from gui.widgets.path_line import PathLine
from gui.widgets.typed import when_typed

FORMAT_NAMES = {
    "imagefolder": "ImageFolder",
    "csv": "CSV",
    "jsonl": "JSON Lines",
    "hf": "Hugging Face",
    "isic": "ISIC 2018",
}
"""Proper names, in every language."""

CLASS_COLUMNS = 4
OTHER = "other"


class ExportChoices(QWidget):
    """Shows the options of an export and changes them, nothing else."""

    def __init__(self, model: DatasetExportModel) -> None:
        super().__init__()
        self._model = model
        self._shows = False
        self.format = self._make_format()
        self.purpose = label("", "muted", wrap=True)
        self.rating = self._make_rating()
        self.curation = ElidedCombo()
        self.classes = {lesion.code: QCheckBox(lesion.code) for lesion in CLASSES}
        self.split = QCheckBox(tr("Split into train, val and test"))
        self.train = label("")
        self.val, self.test = self._make_percent("val"), self._make_percent("test")
        self.zip = QCheckBox(tr("A zip archive too"))
        self.target = PathLine()
        self.browse = icon_button("output", tr("Choose where the new folder goes"), self._choose_place, flat=False)
        self._name_all()
        self._lay_out()
        self._connect()
        self.show_options()

    def show_options(self) -> None:
        """Show what the model says."""
        options = self._model.options
        self._shows = True
        self.format.setCurrentIndex(self.format.findData(options.format))
        self.purpose.setText(translate(FORMATS[options.format]))
        self.rating.setCurrentIndex(options.rating)
        self._show_curation()
        for code, box in self.classes.items():
            box.setChecked(not options.classes or code in options.classes)
        self._show_split()
        self.zip.setChecked(options.zip)
        if not self.target.hasFocus() and self.target.text() != str(options.target):
            self.target.setText(str(options.target))
        self._shows = False

    def _show_curation(self) -> None:
        known = self._model.curation
        self.curation.clear()
        self.curation.addItem(tr("No curation file"), "")
        if known:
            self.curation.addItem(tr("Curation: {name}").format(name=known.parent.name), str(known))
        self.curation.addItem(tr("Another curation file…"), OTHER)
        self.curation.setCurrentIndex(1 if self._model.options.curation else 0)

    def _show_split(self) -> None:
        ratios = self._model.options.split
        self.split.setChecked(ratios is not None)
        train, val, test = ratios or DEFAULT_SPLIT
        self.train.setText(tr("train {train} %").format(train=train))
        self.val.setValue(val)
        self.test.setValue(test)
        for part in (self.train, self.val, self.test):
            part.setEnabled(ratios is not None)

    def _make_format(self) -> QComboBox:
        combo = QComboBox()
        for key, words in FORMATS.items():
            combo.addItem(FORMAT_NAMES[key], key)
            combo.setItemData(combo.count() - 1, translate(words), Qt.ItemDataRole.ToolTipRole)
        return combo

    def _make_rating(self) -> QComboBox:
        combo = QComboBox()
        combo.addItem(tr("All finished images"), 0)
        for stars in range(1, MAX_STARS + 1):
            combo.addItem(tr("At least %n star(s)", stars), stars)
        return combo

    def _make_percent(self, part: str) -> QSpinBox:
        spin = QSpinBox()
        spin.setRange(0, 49)
        spin.setPrefix(f"{part} ")
        spin.setSuffix(" %")
        words = tr("Percent of the images for {part}").format(part=part)
        spin.setAccessibleName(words)
        spin.setToolTip(words)
        return spin

    def _name_all(self) -> None:
        for widget, words in (
            (self.format, tr("Format of the data set")),
            (self.rating, tr("Which images; rejected images are never exported")),
            (self.curation, tr("Exclude the images that a curation file (curation.csv) rejects")),
            (self.split, tr("Images that share a seed always go to the same split")),
            (self.zip, tr("Also write a zip archive next to the folder, byte-identical every time")),
            (self.target, tr("The new folder; it must not exist yet, or be empty")),
        ):
            widget.setToolTip(words)
            widget.setAccessibleName(words)
        for lesion in CLASSES:
            box = self.classes[lesion.code]
            box.setToolTip(translate(class_name(lesion.code)))
            box.setAccessibleName(f"{lesion.code}, {translate(class_name(lesion.code))}")

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        self._add(layout, tr("Format"), self.format, self.purpose)
        self._add(layout, tr("Images"), self.rating, self.curation)
        self._add(layout, tr("Classes"), self._class_boxes())
        self._add(layout, tr("Splits"), self.split, _row(self.train, self.val, self.test))
        self._add(layout, tr("Where"), _row(self.target, self.browse), self.zip)
        layout.addStretch(1)

    def _add(self, layout: QVBoxLayout, title: str, *widgets: QWidget) -> None:
        if layout.count():
            layout.addSpacing(GAP)
        head = label(title, "title")
        head.setBuddy(widgets[0])
        layout.addWidget(head)
        for widget in widgets:
            layout.addWidget(widget)

    def _class_boxes(self) -> QWidget:
        boxes = QWidget()
        grid = QGridLayout(boxes)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GAP_SMALL)
        for place, box in enumerate(self.classes.values()):
            grid.addWidget(box, place // CLASS_COLUMNS, place % CLASS_COLUMNS)
        return boxes

    def _connect(self) -> None:
        self.format.activated.connect(lambda row: self._choose(format=self.format.itemData(row)))
        self.rating.activated.connect(lambda row: self._choose(rating=self.rating.itemData(row)))
        self.curation.activated.connect(self._choose_curation)
        for box in self.classes.values():
            box.toggled.connect(self._choose_classes)
        self.split.toggled.connect(lambda on: self._choose(split=DEFAULT_SPLIT if on else None))
        self.val.valueChanged.connect(self._choose_ratios)
        self.test.valueChanged.connect(self._choose_ratios)
        self.zip.toggled.connect(lambda on: self._choose(zip=on))
        when_typed(self.target, self._choose_typed)

    def _choose(self, **changes: Any) -> None:
        if not self._shows:
            self._model.choose(**changes)

    def _choose_curation(self, row: int) -> None:
        chosen: str = self.curation.itemData(row)
        if chosen == OTHER:
            start = str(self._model.curation or self._model.output)
            chosen, _ = QFileDialog.getOpenFileName(self, tr("Curation"), start, "curation.csv (*.csv)")
            chosen = chosen or str(self._model.options.curation or "")
        self._choose(curation=Path(chosen) if chosen else None)
        self.show_options()

    def _choose_classes(self) -> None:
        chosen = {code for code, box in self.classes.items() if box.isChecked()}
        if not chosen:
            self.show_options()  # nothing cannot be exported: the last one stays
            return
        self._choose(classes=all_classes(chosen))

    def _choose_ratios(self) -> None:
        val, test = self.val.value(), self.test.value()
        self._choose(split=(100 - val - test, val, test))

    def _choose_typed(self) -> None:
        text = self.target.text().strip()
        if text and text != str(self._model.options.target):
            self._choose(target=expanded(text))

    def _choose_place(self) -> None:
        now = self._model.options.target
        folder = QFileDialog.getExistingDirectory(self, tr("Put the new folder into"), str(now.parent))
        if folder:
            self._choose(target=Path(folder) / now.name)


def _row(*widgets: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(GAP_SMALL)
    for widget in widgets:
        layout.addWidget(widget)
    return row
