"""What is explained and how: methods, class, baseline, colours; and what can be done with the maps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import (
    QAction,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from core.taxonomy import CLASS_CODES, class_name
from gui.common.window_requests import WindowRequest
from gui.explain.xai_words import choice_hint, choice_name, choices, method_hint, method_name, short_name, target_name
from gui.i18n import tr, translate
from gui.theme.tokens import CONTROL_HEIGHT, GAP_LARGE, GRID
from gui.widgets.buttons import icon_button
from gui.widgets.check_menu import CheckMenu
from gui.widgets.elided_combo import ElidedCombo
from xai.methods import METHODS

if TYPE_CHECKING:
    from gui.shell.session import Session


class ExplainControls(QWidget):
    """One row of controls; it shows the settings and changes them, nothing else."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._actions: dict[str, QAction] = {}
        self.methods = self._make_methods()
        self.target = setting_combo("xai.target", tr("Explained class"), target_name)
        self.baseline = setting_combo(
            "xai.baseline", tr("Baseline: the reference image against which attributions are computed")
        )
        self.more = icon_button("export", tr("Save the maps, or analyse the whole trajectory"))
        self._make_more()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        for control in (self.methods, self.target, self.baseline):
            layout.addWidget(control, 1)
        layout.addWidget(self.more)
        for combo, key in ((self.target, "xai.target"), (self.baseline, "xai.baseline")):
            combo.activated.connect(partial(self._choose, combo, key))
        session.settings.changed.connect(self._show)
        session.explain.changed.connect(self._show)
        self._show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Call a method by its short name where the long one has no room."""
        super().resizeEvent(event)
        self._show_methods()

    def _show_methods(self) -> None:
        chosen = self._session.explain.options.methods
        words = method_name(chosen[0]) if len(chosen) == 1 else tr("%n method(s)", len(chosen))
        if self.methods.fontMetrics().horizontalAdvance(words) + 2 * GAP_LARGE > self.methods.width():
            words = short_name(chosen[0]) if len(chosen) == 1 else str(len(chosen))
        self.methods.setText(words)

    def _make_methods(self) -> QToolButton:
        button = QToolButton()
        button.setMinimumHeight(CONTROL_HEIGHT)
        button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        button.setAccessibleName(tr("Methods"))
        button.setToolTip(tr("Methods; several at once are shown side by side on one scale"))
        button.setProperty("chooser", True)
        button.setProperty("arrow", True)
        menu = CheckMenu(button)
        menu.setToolTipsVisible(True)
        for key in METHODS:
            action = menu.addAction(method_name(key))
            action.setCheckable(True)
            action.setToolTip(method_hint(key))
            action.toggled.connect(partial(self._toggle, key))
            self._actions[key] = action
        button.setMenu(menu)
        return button

    def _make_more(self) -> None:
        menu = QMenu(self.more)
        self.keep = menu.addAction(tr("Keep maps and raw arrays in the project"), self._keep)
        self.export = menu.addAction(tr("Export maps and raw arrays…"), self._export)
        menu.addSeparator()
        self.analyse = menu.addAction(tr("Analyse the whole trajectory…"), self._analyse)
        self.more.setMenu(menu)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)

    def _show(self) -> None:
        get, explain = self._session.settings.get, self._session.explain
        chosen = explain.options.methods
        for key, action in self._actions.items():
            action.blockSignals(True)
            action.setChecked(key in chosen)
            action.setEnabled(chosen != (key,))  # one method at least
            action.blockSignals(False)
        self._show_methods()
        for combo, setting in ((self.target, "xai.target"), (self.baseline, "xai.baseline")):
            combo.setCurrentIndex(combo.findData(get(setting)))
        self.keep.setEnabled(bool(explain.shown))
        self.export.setEnabled(bool(explain.shown))
        self.analyse.setEnabled(self._session.picture.picture is not None)

    def _toggle(self, key: str, checked: bool) -> None:
        chosen = self._session.explain.options.methods
        self._session.choose_methods(tuple(m for m in METHODS if (checked if m == key else m in chosen)))

    def _choose(self, combo: QComboBox, setting: str, row: int) -> None:
        self._session.settings.set(setting, combo.itemData(row))

    def _keep(self) -> None:
        self._session.explain.export(None)

    def _export(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, tr("Folder for maps and raw arrays"), str(self._session.settings.output)
        )
        if folder:
            self._session.explain.export(Path(folder))

    def _analyse(self) -> None:
        self._session.wish.emit(WindowRequest.ANALYSIS)


def setting_combo(setting: str, words: str, name: Callable[[str], str] | None = None) -> QComboBox:
    """Return a combo box of a setting's choices that gets by with little room.

    Parameters
    ----------
    name
        What a choice is called; what the settings call it if None.
    """
    combo = ElidedCombo()
    for choice in choices(setting):
        text = name(choice) if name else choice_name(setting, choice)
        combo.addItem(text[:1].upper() + text[1:], choice)
        hint = translate(class_name(choice)) if choice in CLASS_CODES else choice_hint(setting, choice)
        combo.setItemData(combo.count() - 1, hint or None, Qt.ItemDataRole.ToolTipRole)
    combo.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    combo.setMinimumWidth(64)
    combo.view().setMinimumWidth(combo.view().sizeHintForColumn(0) + CONTROL_HEIGHT)
    combo.setAccessibleName(words)
    combo.setToolTip(words)
    return combo
