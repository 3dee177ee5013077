"""What the test of a map found: each measure beside its random control, and which way is better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gui.explain.xai_words import method_name
from gui.i18n import tr, translate
from gui.i18n.numbers import local
from gui.theme.tokens import GAP, GAP_LARGE
from gui.widgets.labels import label
from xai.explanation import Explanation


class FaithfulnessDialog(QDialog):
    """Shows `Explanation.faithfulness` of one map."""

    def __init__(self, explanation: Explanation, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("How faithful is this map?"))
        self.setMinimumWidth(680)
        measures = list((explanation.faithfulness or {}).get("measures", ()))
        self.table = self._make_table(measures)
        words = tr(
            "{method} for {target}. A faithful map does better than random maps: the class really "
            "depends on the regions it marks."
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP_LARGE, GAP_LARGE, GAP)
        layout.setSpacing(GAP)
        layout.addWidget(
            label(words.format(method=method_name(explanation.method), target=explanation.target), wrap=True)
        )
        layout.addWidget(self.table, 1)
        layout.addWidget(label("\n".join(_sentences(measures)), "muted", wrap=True))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setText(tr("Close"))
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)

    def _make_table(self, measures: list[Mapping[str, Any]]) -> QTableWidget:
        heads = (tr("Measure"), tr("This map"), tr("Random"), tr("Better is"), tr("Result"))
        table = QTableWidget(len(measures), len(heads))
        table.setHorizontalHeaderLabels(heads)
        table.setAccessibleName(self.windowTitle())
        table.verticalHeader().hide()
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        for row, measure in enumerate(measures):
            for column, text in enumerate(_cells(measure)):
                item = QTableWidgetItem(text)
                item.setToolTip(translate(str(measure.get("words", ""))))
                table.setItem(row, column, item)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        return table


def _sentences(measures: list[Mapping[str, Any]]) -> list[str]:
    words = (translate(measure["words"]) for measure in measures if measure.get("words"))
    return [str(sentence) for sentence in words]


def _cells(measure: Mapping[str, Any]) -> tuple[str, ...]:
    passed = measure.get("passed")
    result = tr("not decided") if passed is None else tr("better than random") if passed else tr("not better")
    better = {"higher": tr("higher"), "lower": tr("lower")}.get(str(measure.get("better")), "")
    title = translate(str(measure.get("title", measure.get("key", ""))))
    return title, _number(measure.get("value")), _control(measure), better, result


def _control(measure: Mapping[str, Any]) -> str:
    spread = measure.get("control_sd")
    return _number(measure.get("control")) + (f" ± {_number(spread)}" if spread is not None else "")


def _number(value: object) -> str:
    return local(f"{value:.3f}") if isinstance(value, (int, float)) else "–"
