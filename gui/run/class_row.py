"""One class: checked or not, its name, whether it can be made, how many images."""

from __future__ import annotations

from PyQt5.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt5.QtGui import QFontMetrics
from PyQt5.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSpinBox, QWidget

from core.taxonomy import CLASS_CODES, class_name
from gui.i18n import tr, translate
from gui.run.classes import MAX_IMAGES, ClassChoice
from gui.theme.palette import tabular
from gui.theme.tokens import GAP_SMALL, GRID
from gui.widgets.buttons import icon_button
from gui.widgets.labels import ElidedLabel, label

COUNT_WIDTH = 68


class ClassRow(QWidget):
    """A row of the class list.

    Signals
    -------
    check_asked, count_asked
        The user wants it checked or not; wants so many images.
    models_asked
        The user wants a model for a class that has none.
    """

    check_asked = pyqtSignal(bool)
    count_asked = pyqtSignal(int)
    models_asked = pyqtSignal()

    def __init__(self, code: str) -> None:
        super().__init__()
        self._name = translate(class_name(code))
        self._check = QCheckBox()
        self._check.setAccessibleName(f"{code}, {self._name}")
        self._code = label(code, "title")
        self._code.setFixedWidth(_code_width(self._code))
        self._title = ElidedLabel(self._name)
        self._mark = icon_button("get", tr("Get a model for {name}…").format(name=self._name), self.models_asked.emit)
        self._count = QSpinBox()
        self._count.setRange(1, MAX_IMAGES)
        self._count.setFixedWidth(COUNT_WIDTH)
        self._count.setFont(tabular(self._count.font()))
        self._count.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._count.setAccessibleName(tr("Number of images of {name}").format(name=self._name))
        self._lay_out()
        self._check.toggled.connect(self.check_asked)
        self._count.valueChanged.connect(self.count_asked)

    def show_choice(self, choice: ClassChoice) -> None:
        """Show a row of the model."""
        usable = choice.available is not False
        self._check.setEnabled(usable)
        with QSignalBlocker(self._check):  # a model that has gone for a while takes nobody's choice away
            self._check.setChecked(choice.checked and usable)
        self._count.setEnabled(usable and choice.checked)
        if self._count.value() != choice.count:
            self._count.setValue(choice.count)
        self._title.setEnabled(usable)
        self._code.setEnabled(usable)
        self._title.setText(self._name if usable else tr("{name}: no model").format(name=self._name))
        self._mark.setVisible(not usable)
        self.setToolTip(self._name if usable else f"{self._name}\n{translate(choice.reason)}")
        self._mark.setAccessibleDescription(translate(choice.reason))

    def mousePressEvent(self, event: object) -> None:
        """Let a click on the name check the class too."""
        if self._check.isEnabled():
            self._check.toggle()

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_SMALL)
        for widget in (self._check, self._code):
            layout.addWidget(widget)
        layout.addWidget(self._title, 1)
        layout.addWidget(self._mark)
        layout.addWidget(self._count)


def _code_width(code: QLabel) -> int:
    """Return the width of the widest class code, so that names stand in one column."""
    font = code.font()
    font.setBold(True)
    metrics = QFontMetrics(font)
    return max(metrics.horizontalAdvance(text) for text in CLASS_CODES) + GRID
