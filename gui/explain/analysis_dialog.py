"""Asks what of a trajectory is to be analysed, and says what that does and how long it takes."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from core.generation import MAX_STEPS
from core.taxonomy import CLASS_CODES, SEED_MASK, class_name
from core.utils.shell import shell_line
from gui.explain.analysis_words import time_of
from gui.explain.explain_controls import setting_combo
from gui.explain.xai_words import method_hint, method_name
from gui.i18n import tr, translate
from gui.theme.tokens import CONTROL_HEIGHT, GAP, GAP_LARGE, GAP_SMALL
from gui.widgets.check_menu import CheckMenu
from gui.widgets.elided_combo import ElidedCombo
from gui.widgets.fitting import fit
from gui.widgets.labels import label
from xai.methods import METHODS
from xai.trajectory.request import TrajectoryRequest

if TYPE_CHECKING:
    from gui.shell.session import Session


WIDTH = 600
ALL = "all"
MOST_GROUPS = 10
"""Up to so many groups of steps Time-SHAP is exact."""


class AnalysisDialog(QDialog):
    """Describes an analysis; `request` is what the controls say."""

    def __init__(self, session: Session, first: TrajectoryRequest, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._first = session, first
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Analyse the whole trajectory"))
        self.setMinimumWidth(WIDTH)
        self.shown, self.drawn = self._make_subject()
        self.code = self._make_code()
        self.seed = _spin(0, SEED_MASK, first.seed, tr("Base seed, as when images are generated"))
        self.count = _spin(1, 1000, first.count, tr("Images of each class; from some on the report has intervals"))
        self.full, self.quick = self._make_depth()
        self.groups = _spin(
            2, MOST_GROUPS, first.groups, tr("Groups of denoising steps; each one more doubles the time")
        )
        self.every = _spin(1, MAX_STEPS, first.every, tr("XAI steps: analyse every N-th denoising step"))
        self._methods = first.methods
        self.methods = self._make_methods()
        self.baseline = setting_combo(
            "xai.baseline", tr("Baseline: the reference image against which attributions are computed")
        )
        self.baseline.setCurrentIndex(self.baseline.findData(first.baseline))
        self.what = label("", "muted", wrap=True)
        self.time = label("", wrap=True)
        self.buttons = self._make_buttons()
        self._lay_out()
        self._connect()
        self._show()
        fit(self, (WIDTH, self.layout().heightForWidth(WIDTH)))

    def request(self) -> TrajectoryRequest:
        """Return what the controls say."""
        asked = dataclasses.replace(
            self._first,
            groups=self.groups.value(),
            every=self.every.value(),
            methods=self._methods,
            baseline=self.baseline.currentData(),
            quick=self.quick.isChecked(),
        )
        if not self.drawn.isChecked():
            return asked.of_image()
        code = self.code.currentData()
        return dataclasses.replace(
            asked,
            image=None,
            classes=CLASS_CODES if code == ALL else (code,),
            seed=self.seed.value(),
            count=self.count.value(),
        )

    def accept(self) -> None:
        """Put the analysis into the list."""
        self._session.analyses.add(self.request())
        super().accept()

    def _make_subject(self) -> tuple[QRadioButton, QRadioButton]:
        image = self._first.image
        shown = QRadioButton(
            tr("The shown image, {folder} {image}").format(folder=image.parent.name, image=image.stem)
            if image
            else tr("The shown image (none that this program has generated is shown)")
        )
        shown.setEnabled(image is not None)
        shown.setToolTip(tr("It is reproduced from its recipe, and every step on the way is analysed"))
        drawn = QRadioButton(tr("Images of a class, generated for the analysis"))
        drawn.setToolTip(tr("The images that a run with this seed generates, starting with the first"))
        (shown if image else drawn).setChecked(True)
        group = QButtonGroup(self)
        group.addButton(shown)
        group.addButton(drawn)
        return shown, drawn

    def _make_code(self) -> QComboBox:
        combo = ElidedCombo()
        for code in CLASS_CODES:
            combo.addItem(f"{code} · {translate(class_name(code))}", code)
        combo.addItem(tr("All seven classes"), ALL)
        combo.setCurrentIndex(combo.findData(self._first.classes[0]))
        combo.setAccessibleName(tr("Class"))
        combo.setToolTip(tr("Class of the images to generate"))
        return combo

    def _make_depth(self) -> tuple[QRadioButton, QRadioButton]:
        full, quick = QRadioButton(tr("Full")), QRadioButton(tr("Quick"))
        full.setToolTip(tr("Maps and interventions at every analysed step"))
        quick.setToolTip(tr("Four groups of steps; maps and interventions of the finished image only"))
        (quick if self._first.quick else full).setChecked(True)
        group = QButtonGroup(self)
        group.addButton(full)
        group.addButton(quick)
        return full, quick

    def _make_methods(self) -> QPushButton:
        button = QPushButton()
        button.setAutoDefault(False)
        button.setAccessibleName(tr("Methods"))
        button.setToolTip(tr("Methods whose maps are computed; the first decides which regions are tested"))
        button.setProperty("chooser", True)
        button.setProperty("arrow", True)
        menu = CheckMenu(button)
        menu.setToolTipsVisible(True)
        for key in METHODS:
            action = menu.addAction(method_name(key))
            action.setCheckable(True)
            action.setChecked(key in self._methods)
            action.setToolTip(method_hint(key))
            action.toggled.connect(partial(self._toggle, key))
        button.setMenu(menu)
        return button

    def _make_buttons(self) -> QDialogButtonBox:
        box = QDialogButtonBox()
        self.start = box.addButton(tr("Start the analysis"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.start.setObjectName("primary")
        self.start.setDefault(True)
        self.start.setToolTip(tr("Runs in a separate process; the queue shows its progress"))
        cancel = box.addButton(tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        cancel.setToolTip(tr("Close without an analysis"))
        self.copy = box.addButton(tr("Copy as command"), QDialogButtonBox.ButtonRole.ActionRole)
        self.copy.setToolTip(tr("Copy the equivalent command line"))
        self.copy.clicked.connect(self._copy)
        box.accepted.connect(self.accept)
        box.rejected.connect(self.reject)
        return box

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(GAP_LARGE)
        form.setVerticalSpacing(GAP_SMALL)
        form.addRow(tr("Class"), self.code)
        form.addRow(tr("Seed"), self.seed)
        form.addRow(tr("Images of each class"), self.count)
        depth = QHBoxLayout()
        depth.setSpacing(GAP_LARGE)
        depth.addWidget(self.full)
        depth.addWidget(self.quick)
        depth.addStretch(1)
        further = QFormLayout()
        further.setHorizontalSpacing(GAP_LARGE)
        further.setVerticalSpacing(GAP_SMALL)
        further.addRow(tr("Depth"), depth)
        further.addRow(tr("Groups of steps"), self.groups)
        further.addRow(tr("Every N-th step"), self.every)
        further.addRow(tr("Methods"), self.methods)
        further.addRow(tr("Baseline"), self.baseline)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP_LARGE, GAP_LARGE, GAP)
        layout.setSpacing(GAP)
        layout.addWidget(self.shown)
        layout.addWidget(self.drawn)
        form.setContentsMargins(CONTROL_HEIGHT, 0, 0, 0)
        layout.addLayout(form)
        layout.addLayout(further)
        layout.addWidget(self.what)
        layout.addWidget(self.time)
        layout.addWidget(self.buttons)

    def _connect(self) -> None:
        for button in (self.shown, self.drawn, self.full, self.quick):
            button.toggled.connect(self._show)
        for spin in (self.count, self.groups, self.every, self.seed):
            spin.valueChanged.connect(self._show)
        self.code.currentIndexChanged.connect(self._show)

    def _toggle(self, key: str, checked: bool) -> None:
        self._methods = tuple(m for m in METHODS if (checked if m == key else m in self._methods))
        self._show()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(shell_line(self.request().arguments()))
        self._session.tell(tr("The command line was copied."))

    def _show(self) -> None:
        drawn, quick = self.drawn.isChecked(), self.quick.isChecked()
        for control in (self.code, self.seed, self.count):
            control.setEnabled(drawn)
        self.groups.setEnabled(not quick)
        self.every.setEnabled(not quick)
        self.methods.setText(", ".join(method_name(key) for key in self._methods) or tr("none"))
        self.start.setEnabled(bool(self._methods))
        self.copy.setEnabled(bool(self._methods))
        self.what.setText(_what_it_does(quick))
        if self._methods:
            request = self.request()
            self.time.setText(time_of(self._session.analyses.expected_seconds(request), request.images))


def _what_it_does(quick: bool) -> str:
    if quick:
        return tr(
            "Reproduces the image, attributes its class logit to four groups of denoising steps "
            "(Time-SHAP), maps the finished image and tests by interventions whether the marked "
            "regions matter."
        )
    return tr(
        "Reproduces the image, attributes its class logit to groups of denoising steps "
        "(Time-SHAP), maps the steps on the way, tests by interventions whether the marked regions "
        "matter more than random ones, and repeats that with negative controls."
    )


def _spin(low: int, high: int, value: int, words: str) -> QSpinBox:
    spin = QSpinBox()
    spin.setRange(low, high)
    spin.setValue(value)
    spin.setAccessibleName(words)
    spin.setToolTip(words)
    return spin
