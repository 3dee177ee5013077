"""What is judged, how and against what: the left side of the evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import cast

from PyQt5.QtWidgets import QButtonGroup, QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from core.home import expanded, home_folder
from evaluation.measurements import MEASUREMENTS
from gui.common.photograph_report import PhotographReport
from gui.evaluate.evaluation import EvaluationModel
from gui.evaluate.evaluation_choice import ALL_PLACES, NOTHING, PLACES, PRESETS, RULES, Kind
from gui.i18n import tr, translate
from gui.theme.tokens import GAP_SMALL, GRID
from gui.widgets.buttons import icon_button, text_button
from gui.widgets.elided_combo import ElidedCombo
from gui.widgets.labels import label
from gui.widgets.path_line import PathLine
from gui.widgets.typed import when_typed


class EvaluationChoices(QWidget):
    """Shows the choice of an `EvaluationModel` and changes it, nothing else."""

    def __init__(self, model: EvaluationModel) -> None:
        super().__init__()
        self._model = model
        self.kinds = self._make_kinds()
        self.purpose = label("", "muted", wrap=True)
        self.synthetic = PathLine()
        self.lines = {name: PathLine() for name in ALL_PLACES}
        self.boxes: dict[str, QWidget] = {}
        self.reports: dict[str, PhotographReport] = {}
        self.preset = self._make_combo("preset", _presets())
        self.measure = self._make_combo("measure", _measures())
        self.before = self._make_combo("before", _rules())
        self.rules = self._make_combo("rules", {name: words for name, words in _rules().items() if name != NOTHING})
        self._name_all()
        self._lay_out()
        when_typed(self.synthetic, self._choose_synthetic)
        for name, line in self.lines.items():
            when_typed(line, partial(self._choose_place, name))

    def show_choice(self) -> None:
        """Show what the model says."""
        choice = self._model.choice
        self.kinds[choice.kind].setChecked(True)
        self.purpose.setText(_purposes()[choice.kind])
        _put(self.synthetic, str(choice.synthetic))
        for name, line in self.lines.items():
            _put(line, choice.place(name))
            self.boxes[name].setVisible(name in PLACES[choice.kind])
        shown = (self.measure, choice.measure), (self.preset, choice.preset), (self.before, choice.before)
        for combo, name in (*shown, (self.rules, choice.rules)):
            combo.setCurrentIndex(combo.findData(name))
        self.boxes["measure"].setVisible(choice.kind == "evaluate")
        self.boxes["preset"].setVisible(choice.kind == "utility")
        self.boxes["before"].setVisible(choice.kind == "utility")
        self.boxes["rules"].setVisible(choice.kind == "curate")
        self.setEnabled(not self._model.busy)

    def _make_kinds(self) -> dict[Kind, QPushButton]:
        kinds: dict[Kind, QPushButton] = {}
        group = QButtonGroup(self)
        for kind, (name, hint) in _kinds().items():
            kinds[kind] = button = text_button(name)
            button.setToolTip(hint)
            button.setCheckable(True)
            group.addButton(button)
            button.clicked.connect(partial(self._choose, kind=kind))
        return kinds

    def _make_combo(self, name: str, words: Mapping[str, str]) -> ElidedCombo:
        combo = ElidedCombo()
        for key, text in words.items():
            combo.addItem(text, key)
        combo.activated.connect(lambda row: self._choose(**{name: combo.itemData(row)}))
        return combo

    def _name_all(self) -> None:
        named: dict[QWidget, str] = {
            self.synthetic: tr("Folder of the generated images"),
            self.measure: tr("Which measures are computed; one alone is quicker"),
            self.preset: tr("Network, size of the images, steps, number of trainings"),
            self.before: tr("Synthetic images excluded from training"),
            self.rules: tr("Which images are excluded; no file is moved or deleted"),
            **{self.lines[name]: words for name, words in _hints().items()},
        }
        for widget, words in named.items():
            widget.setAccessibleName(words)
            widget.setToolTip(words)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        row = QHBoxLayout()
        row.setSpacing(GAP_SMALL)
        for button in self.kinds.values():
            row.addWidget(button, 1)
        layout.addLayout(row)
        layout.addWidget(self.purpose)
        layout.addWidget(self._place_box(tr("Generated images"), self.synthetic, self._browse_synthetic))
        for name, title in place_titles().items():
            box = self.boxes[name] = self._place_box(title, self.lines[name], partial(self._browse, name))
            if name in self._model.checks:
                self.reports[name] = PhotographReport(self._model.checks[name])
                cast(QVBoxLayout, box.layout()).addWidget(self.reports[name])
        self.boxes["measure"] = _box(tr("Measures"), self.measure)
        self.boxes["preset"] = _box(tr("Thoroughness"), self.preset)
        self.boxes["before"] = _box(tr("Filter before training"), self.before)
        self.boxes["rules"] = _box(tr("Excluded"), self.rules)
        for box in self.boxes.values():
            layout.addWidget(box)
        layout.addStretch(1)

    def _place_box(self, title: str, line: QLineEdit, browse: Callable[[], None]) -> QWidget:
        words = tr("Choose a folder: {title}").format(title=title)
        return _box(title, line, icon_button("folder", words, browse, flat=False))

    def _choose(self, _checked: bool = False, **changes: str) -> None:
        self._model.choose(**changes)

    def _choose_synthetic(self) -> None:
        text = self.synthetic.text().strip()
        if text and text != str(self._model.choice.synthetic):
            self._model.choose(synthetic=expanded(text).absolute())

    def _choose_place(self, name: str) -> None:
        text = self.lines[name].text().strip()
        if text != self._model.choice.place(name):
            self._model.choose_place(name, text)

    def _browse_synthetic(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("Generated images"), str(self._model.choice.synthetic))
        if folder:
            self._model.choose(synthetic=Path(folder))

    def _browse(self, name: str) -> None:
        start = self._model.choice.place(name) or str(home_folder())
        folder = QFileDialog.getExistingDirectory(self, place_titles()[name], start)
        if folder:
            self._model.choose_place(name, folder)


def _box(title: str, *widgets: QWidget) -> QWidget:
    box = QWidget()
    layout = QVBoxLayout(box)
    layout.setContentsMargins(0, GAP_SMALL, 0, 0)
    layout.setSpacing(GRID)
    row = QHBoxLayout()
    row.setSpacing(GAP_SMALL)
    row.addWidget(widgets[0], 1)
    for widget in widgets[1:]:
        row.addWidget(widget)
    layout.addWidget(label(title, "title"))
    layout.addLayout(row)
    return box


def _kinds() -> dict[Kind, tuple[str, str]]:
    return {
        "evaluate": (
            tr("Evaluation"),
            tr("How similar to real photographs, how varied, and whether training photographs are copied"),
        ),
        "curate": (tr("Curation"), tr("Which images are worth keeping, with a reason for each that is not")),
        "utility": (tr("Utility"), tr("Whether adding the images to the training data improves a classifier")),
    }


def place_titles() -> dict[str, str]:
    """Return what the folders are called, by the names of their flags."""
    return {
        "real": tr("Held-out real photographs"),
        "train": tr("Training photographs"),
        "test": tr("Test photographs"),
        "masks": tr("Lesion masks (optional)"),
    }


def _hints() -> dict[str, str]:
    return {
        "real": tr("Held-out photographs: lesions that the generator was not trained on"),
        "train": tr("Photographs used to train the generator or the classifier; a single data set is split by lesion"),
        "test": tr("Test photographs: lesions used neither for training nor for model selection"),
        "masks": tr("Masks that the images should follow, with the same file names"),
    }


def _purposes() -> dict[Kind, str]:
    return {
        "evaluate": tr(
            "How similar to real photographs is the set, how varied, and does it copy training photographs?"
        ),
        "curate": tr(
            "Each image is measured, ranked, and kept or excluded. Copy detection needs the "
            "generator's training photographs."
        ),
        "utility": tr("Compare classifiers trained with and without the set (slow)"),
    }


def _measures() -> dict[str, str]:
    return {"": tr("All measures"), **{key: translate(one.title) for key, one in MEASUREMENTS.items()}}


def _presets() -> dict[str, str]:
    words = (
        tr("Quick: minutes, a first look"),
        tr("Standard: some hours on a CPU"),
        tr("Large: for a GPU"),
    )
    return dict(zip(PRESETS, words, strict=True))


def _rules() -> dict[str, str]:
    words = (
        tr("Nothing"),
        tr("Class probability < 0.1, copies, near-duplicates"),
        tr("Class probability < 0.5, copies, near-duplicates"),
        tr("Class probability < 0.1, copies, near-duplicates, lower-ranked half of each class"),
    )
    return dict(zip(RULES, words, strict=True))


def _put(line: QLineEdit, text: str) -> None:
    if not line.hasFocus() and line.text() != text:
        line.setText(text)
