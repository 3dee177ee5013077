"""What most people never need to touch: sampler, steps, seed, guidance, precision, colours, batch size."""

from __future__ import annotations

from PyQt5.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QSpinBox, QWidget

from core.generation import MAX_STEPS, PRECISIONS
from core.samplers import SAMPLERS, usual_steps
from core.taxonomy import SEED_MASK
from gui.common.settings import SettingsModel
from gui.i18n import tr
from gui.theme.tokens import GAP_SMALL, GRID
from gui.widgets.quiet import show_number, show_switch


class AdvancedOptions(QWidget):
    """A form over the settings; what is shown follows them, what is entered changes them."""

    def __init__(self, settings: SettingsModel) -> None:
        super().__init__()
        self._settings = settings
        self.sampler = self._choices(
            "generation.sampler",
            {key: tr(entry.title) for key, entry in SAMPLERS.items()},
            tr("The rule by which noise becomes an image"),
        )
        self.steps = self._number("generation.steps", 1, MAX_STEPS, tr("Denoising steps per image"))
        self.random = self._check("generation.seed_random", tr("Random seeds"), tr("A fresh seed for every image"))
        self.seed = self._number("generation.seed", 0, SEED_MASK, tr("All random numbers of a run are derived from it"))
        self.guidance = self._guidance()
        self.precision = self._choices(
            "generation.precision",
            {key: tr("automatic") if key == "auto" else key for key in PRECISIONS},
            tr("Numeric precision of the network"),
        )
        self.batch = self._number("generation.batch_size", 0, 4096, tr("Images computed together"))
        self.batch.setSpecialValueText(tr("automatic"))
        self.color = self._check(
            "generation.color", tr("Colour correction"), tr("Apply the colour statistics that are next to the models")
        )
        self._lay_out()
        settings.changed.connect(self._show)
        self._show()

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(GAP_SMALL, 0, 0, GAP_SMALL)
        form.setHorizontalSpacing(GAP_SMALL)
        form.setVerticalSpacing(GRID)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(tr("Sampler"), self.sampler)
        form.addRow(tr("Steps"), self.steps)
        form.addRow(tr("Seed"), self.seed)
        form.addRow("", self.random)
        form.addRow(tr("Guidance"), self.guidance)
        form.addRow(tr("Precision"), self.precision)
        form.addRow(tr("Batch size"), self.batch)
        form.addRow("", self.color)

    def _choices(self, key: str, words: dict[str, str], tip: str) -> QComboBox:
        combo = QComboBox()
        for value, text in words.items():
            combo.addItem(text, value)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.setMinimumContentsLength(12)
        combo.setToolTip(tip)
        combo.setAccessibleName(tip)
        combo.activated.connect(lambda row: self._chosen(key, combo.itemData(row)))
        return combo

    def _number(self, key: str, low: int, high: int, tip: str) -> QSpinBox:
        spin = QSpinBox()
        spin.setRange(low, high)
        spin.setToolTip(tip)
        spin.setAccessibleName(tip)
        spin.setKeyboardTracking(False)
        spin.valueChanged.connect(lambda value: self._settings.set(key, value))
        return spin

    def _guidance(self) -> QDoubleSpinBox:
        spin = QDoubleSpinBox()
        spin.setRange(0.0, 50.0)
        spin.setSingleStep(0.5)
        spin.setDecimals(2)
        spin.setSpecialValueText(tr("the model's own"))
        tip = tr("How strongly a model is pushed towards its class; 1 is none")
        spin.setToolTip(tip)
        spin.setAccessibleName(tip)
        spin.setKeyboardTracking(False)
        spin.valueChanged.connect(lambda value: self._settings.set("generation.guidance", value))
        return spin

    def _check(self, key: str, words: str, tip: str) -> QCheckBox:
        box = QCheckBox(words)
        box.setToolTip(tip)
        box.toggled.connect(lambda on: self._settings.set(key, on))
        return box

    def _chosen(self, key: str, value: str) -> None:
        self._settings.set(key, value)
        if key == "generation.sampler":
            self._settings.set("generation.steps", usual_steps(value))

    def _show(self) -> None:
        get = self._settings.get
        self.sampler.setCurrentIndex(self.sampler.findData(get("generation.sampler")))
        show_number(self.steps, get("generation.steps"))
        show_switch(self.random, get("generation.seed_random"))
        show_number(self.seed, get("generation.seed"))
        self.seed.setEnabled(not get("generation.seed_random"))
        show_number(self.guidance, get("generation.guidance"))
        self.precision.setCurrentIndex(self.precision.findData(get("generation.precision")))
        show_number(self.batch, get("generation.batch_size"))
        show_switch(self.color, get("generation.color"))
