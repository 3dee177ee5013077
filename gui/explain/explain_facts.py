"""What is known about the chosen map: its scale, the gate's verdict, the numbers behind it, the probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QBoxLayout, QComboBox, QHBoxLayout, QSizePolicy, QSlider, QVBoxLayout, QWidget

from gui.explain.explain import ShownMap
from gui.explain.explain_controls import setting_combo
from gui.explain.gate_badge import TOKENS, GateBadge
from gui.explain.probability_bars import ProbabilityBars
from gui.explain.xai_words import choice_name, method_name, short_name, style_name, unit_name
from gui.i18n import tr, translate
from gui.theme.tokens import CONTROL_HEIGHT, GAP_SMALL, GRID
from gui.widgets.buttons import text_button
from gui.widgets.color_bar import ColorBar
from gui.widgets.icon_label import IconLabel
from gui.widgets.labels import ElidedLabel, TwoLineLabel
from gui.widgets.quiet import show_number
from xai.explanation import Explanation
from xai.methods import METHODS

if TYPE_CHECKING:
    from gui.shell.session import Session


MOST_LINES_NARROW = 6
"""Lines of the numbers behind a map when they stand in a column."""

GOOD_GAP, FAIR_GAP = 0.01, 0.05
"""Relative convergence deltas: below the first a map is taken to add up, above the second it is not."""


class ExplainFacts(QWidget):
    """Everything below the maps; says what it is told about one of them."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._shown: ShownMap | None = None
        self.bar = ColorBar()
        self.style_choice = self._make_style()
        self.opacity = self._make_opacity()
        self.legend = self._make_legend()
        self.badge = GateBadge()
        self.gap = IconLabel("green", "evidence")
        self.caption = TwoLineLabel()
        self.caption.setProperty("role", "muted")
        self.test = text_button(tr("Test this map"), self._test)
        self.numbers = self._make_numbers()
        self.agreement = ElidedLabel()
        self.agreement.setProperty("role", "muted")
        self.bars = ProbabilityBars()
        self._narrow = False
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        for part in (self.legend, self.badge, self.numbers, self.agreement, self.bars):
            layout.addWidget(part)
        session.settings.changed.connect(self._setting_changed)

    def set_narrow(self, narrow: bool) -> None:
        """Stand beside the maps, in a column, or below them, in rows."""
        if narrow == self._narrow:
            return
        self._narrow = narrow
        direction = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        for line in (self._legend_line, self._number_line):
            line.setDirection(direction)
        self.caption.most_lines = MOST_LINES_NARROW if narrow else TwoLineLabel.MOST_LINES
        self.badge.set_narrow(narrow)
        self.bars.set_upright(narrow)

    def least_height(self, width: int) -> int:
        """Return the height of what must be seen below the maps: the scale, and the verdict with its reasons."""
        return self.bar.sizeHint().height() + GRID + self.badge.row_height(width - CONTROL_HEIGHT)

    def full_height(self, width: int) -> int:
        """Return the height of everything below the maps."""
        line = self.fontMetrics().lineSpacing()
        agreement = line + GRID if self.agreement.text() else 0
        numbers = max(CONTROL_HEIGHT, TwoLineLabel.MOST_LINES * line)
        return self.least_height(width) + GRID + numbers + GRID + agreement + self.bars.row_height

    def show_map(self, shown: ShownMap) -> None:
        """Show what is known about a map."""
        self._shown = shown
        explanation, drawn = shown.entry.explanation, shown.drawn
        for part in (self.bar, self.style_choice, self.opacity, self.legend, self.test):
            part.setVisible(not drawn.no_map)
        self.bar.show_scale(drawn.low, drawn.high, drawn.colors, unit_name(explanation.method))
        self.badge.show_verdict(explanation.gate)
        self.bars.show_probabilities(explanation.classification.probabilities)
        self._show_caption(shown)
        self._show_gap(explanation)
        self._show_test(explanation)
        self._show_agreement(shown)

    def show_value(self, shown: ShownMap | None, place: tuple[int, int] | None) -> None:
        """Show the value under the pointer instead of the caption, or the caption again."""
        if shown is None or place is None or shown.drawn.no_map:
            self.bar.mark(None)
            if self._shown:
                self._show_caption(self._shown)
            return
        x, y = place
        self.bar.mark(float(shown.drawn.values[y, x]))
        self.caption.setText(value_words(shown, x, y))

    def _show_caption(self, shown: ShownMap) -> None:
        """Tell the numbers behind a map, or why there is none unless the badge says it; the tooltip tells decisions."""
        explanation, why = shown.entry.explanation, shown.drawn.no_map
        told = not why or why in explanation.gate.reasons
        self.caption.setText(caption_of(explanation) if told else translate(why))
        self.caption.setToolTip("\n".join([caption_of(explanation), *map(translate, explanation.notes)]))

    def _make_style(self) -> QComboBox:
        combo = setting_combo("xai.style", tr("Colours of maps"), style_name)
        combo.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        combo.setFixedWidth(96)
        combo.setCurrentIndex(combo.findData(self._session.settings.get("xai.style")))
        combo.activated.connect(self._choose_style)
        return combo

    def _make_opacity(self) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, 100)
        slider.setValue(round(100 * self._session.settings.get("xai.opacity")))
        slider.setFixedWidth(72)
        slider.setAccessibleName(tr("Opacity of the map"))
        slider.setToolTip(tr("Opacity: from the image alone to the map alone"))
        return slider

    def _make_legend(self) -> QWidget:
        whole = QWidget()
        line = self._legend_line = QBoxLayout(QBoxLayout.Direction.LeftToRight, whole)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(GAP_SMALL)
        line.addWidget(self.bar, 1)
        choices = QHBoxLayout()
        choices.setSpacing(GAP_SMALL)
        choices.addWidget(self.style_choice)
        choices.addWidget(self.opacity)
        line.addLayout(choices)
        return whole

    def _make_numbers(self) -> QWidget:
        whole = QWidget()
        line = self._number_line = QBoxLayout(QBoxLayout.Direction.LeftToRight, whole)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(GAP_SMALL)
        words = QHBoxLayout()
        words.setSpacing(GAP_SMALL)
        words.addWidget(self.gap, 0, Qt.AlignmentFlag.AlignTop)
        words.addWidget(self.caption, 1)
        line.addLayout(words, 1)
        line.addWidget(self.test, 0, Qt.AlignmentFlag.AlignLeft)
        return whole

    def _choose_style(self, row: int) -> None:
        self._session.settings.set("xai.style", self.style_choice.itemData(row))

    def _setting_changed(self, key: str) -> None:
        get = self._session.settings.get
        if key == "xai.opacity":
            show_number(self.opacity, 100 * get(key))
        elif key == "xai.style":
            self.style_choice.setCurrentIndex(self.style_choice.findData(get(key)))

    def _show_agreement(self, shown: ShownMap) -> None:
        table = () if shown.entry.pinned else self._session.explain.agreement
        words = agreement_words(shown.entry.explanation.method, table)
        self.agreement.setText(words)
        self.agreement.setVisible(bool(words))

    def _show_gap(self, explanation: Explanation) -> None:
        gap = explanation.relative_delta
        self.gap.setVisible(gap is not None)
        if gap is None:
            return
        level = "green" if gap < GOOD_GAP else "amber" if gap < FAIR_GAP else "red"
        self.gap.show_icon(level, TOKENS[level])
        words = {
            "green": tr(
                "Completeness error {gap:.1%}: the attributions sum to the logit difference between image and baseline."
            ),
            "amber": tr(
                "Completeness error {gap:.1%}: the attributions deviate slightly from the logit "
                "difference between image and baseline."
            ),
            "red": tr(
                "Completeness error {gap:.1%}: the attributions deviate from the logit difference "
                "between image and baseline."
            ),
        }[level].format(gap=gap)
        self.gap.setToolTip(words)
        self.gap.setAccessibleName(words)

    def _show_test(self, explanation: Explanation) -> None:
        testing = self._session.explain.testing
        measured = explanation.faithfulness is not None
        busy = testing is not None and self._shown is not None and testing == self._shown.entry.key
        words = tr("Testing…") if busy else tr("Test result…") if measured else tr("Test this map")
        self.test.setText(words)
        self.test.setAccessibleName(words)
        self.test.setEnabled(testing is None)
        self.test.setToolTip(
            tr("Measure whether the class really depends on what the map shows, compared with random maps")
        )

    def _test(self) -> None:
        if self._shown is None:
            return
        if self._shown.entry.explanation.faithfulness is not None:
            self._show_result()
        else:
            self._session.explain.test(self._shown.entry.key)

    def _show_result(self) -> None:
        from gui.explain.faithfulness_dialog import FaithfulnessDialog

        if self._shown:
            FaithfulnessDialog(self._shown.entry.explanation, self.window()).open()


def agreement_words(method: str, table: Sequence[Mapping[str, Any]]) -> str:
    """Say how far a map agrees with the others of its picture, by ranks: 1 the same, 0 by chance."""
    others = []
    for pair in table:
        if method in (pair["a"], pair["b"]) and pair["spearman"] is not None:
            other = pair["b"] if method == pair["a"] else pair["a"]
            others.append(tr("{method} {value:+.2f}").format(method=short_name(other), value=pair["spearman"]))
    return tr("Rank agreement with {others}").format(others=", ".join(others)) if others else ""


def caption_of(explanation: Explanation) -> str:
    """Return the numbers behind a map in one line."""
    words = tr("{method} for {target}: logit {score:+.2f}, {baseline} {base:+.2f}")
    parts = [
        words.format(
            method=method_name(explanation.method),
            target=explanation.target,
            score=explanation.score,
            baseline=choice_name("xai.baseline", explanation.baseline),
            base=explanation.baseline_score,
        ),
        *_further(explanation),
    ]
    return " · ".join(parts)


def _further(explanation: Explanation) -> list[str]:
    """Return what only some methods have to say."""
    parts: list[str] = []
    if explanation.relative_delta is not None:
        parts.append(tr("completeness error {gap:.1%}").format(gap=explanation.relative_delta))
    elif explanation.method in METHODS and not METHODS[explanation.method].complete:
        parts.append(tr("completeness not defined for this method"))
    if explanation.cell is not None:
        height, width = explanation.cell
        parts.append(tr("cells of {height:.0f} × {width:.0f} pixels").format(height=height, width=width))
    if explanation.segments is not None:
        parts.append(tr("%n region(s)", int(explanation.segments.max()) + 1))
    if explanation.standard_error is not None:
        parts.append(_error_words(explanation))
    return parts


def _error_words(explanation: Explanation) -> str:
    error = _region_sums(explanation, explanation.standard_error)
    return tr("standard error up to {error:.2g} logits per region").format(error=max(error.values(), default=0.0))


def value_words(shown: ShownMap, x: int, y: int) -> str:
    """Return the value of a pixel, and of the region it lies in, in words."""
    explanation, drawn = shown.entry.explanation, shown.drawn
    words = tr("x {x}, y {y}: {value:+.2g} {unit}").format(
        x=x, y=y, value=float(drawn.values[y, x]), unit=unit_name(explanation.method)
    )
    segments = explanation.segments
    if segments is None:
        return words
    region = int(segments[y, x])
    total = float(explanation.attribution.sum(axis=2)[segments == region].sum())
    if explanation.standard_error is None:
        return words + tr(" · region {total:+.3f}").format(total=total)
    error = float(explanation.standard_error[segments == region].sum())
    return words + tr(" · region {total:+.3f} ± {error:.3f}").format(total=total, error=error)


def _region_sums(explanation: Explanation, values: Any) -> dict[int, float]:
    segments = explanation.segments
    if segments is None or values is None:
        return {}
    return {region: float(values[segments == region].sum()) for region in range(int(segments.max()) + 1)}
