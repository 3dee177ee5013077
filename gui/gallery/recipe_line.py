"""What is known about the shown picture: one line, the whole recipe one click away."""

from __future__ import annotations

import json
from pathlib import Path

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtGui import QFontDatabase, QGuiApplication
from PyQt5.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from dataset.recipe import Recipe
from gui.common.picture import Picture
from gui.i18n import tr
from gui.theme.tokens import GRID
from gui.widgets.buttons import icon_button, text_button
from gui.widgets.labels import ElidedLabel

FULL_HEIGHT = 168


class RecipeLine(QWidget):
    """Shows file and recipe of a picture as text that can be selected and copied.

    Signals
    -------
    again_asked
        The picture shall be made again from its recipe.
    explain_asked
        The picture shall be explained: the way on with a picture that has no recipe.
    """

    again_asked = pyqtSignal()
    explain_asked = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.line = ElidedLabel()
        self.full = QPlainTextEdit()
        self.full.setReadOnly(True)
        self.full.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.full.setFixedHeight(FULL_HEIGHT)
        self.full.setAccessibleName(tr("Recipe"))
        self.full.hide()
        self._more = text_button(tr("Recipe"), flat=True)
        self._more.setCheckable(True)
        self._more.toggled.connect(self.full.setVisible)
        self.again = icon_button("made-again", "", self.again_asked.emit)
        self.explain = text_button(tr("Explain it"), self.explain_asked.emit, flat=True)
        self.explain.setToolTip(tr("Let the classifier say what it sees in this picture, and why"))
        self.allow_again("")
        self._copy = icon_button("copy", tr("Copy the recipe"), self._copy_recipe)
        self._lay_out()
        self.show_picture(None)

    def show_picture(self, picture: Picture | None) -> None:
        """Show what is known about a picture."""
        if picture is None:
            return
        recipe = picture.recipe
        self.line.setText(f"{picture.path.name} · {one_line(recipe)}" if recipe else _without_recipe(picture))
        self.full.setPlainText(json.dumps(recipe.to_json(), indent=2, ensure_ascii=False) if recipe else "")
        for part in (self._more, self.again):
            part.setVisible(recipe is not None)
        self.explain.setVisible(recipe is None)
        self._copy.setVisible(recipe is not None)
        self.full.setVisible(recipe is not None and self._more.isChecked())

    def allow_again(self, obstacle: str) -> None:
        """Let the picture be made again, or say why that cannot be now."""
        words = tr("Make it again and measure the difference")
        self.again.setEnabled(not obstacle)
        self.again.setToolTip(obstacle or words)
        self.again.setAccessibleName(words)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(self.line, 1)
        head.addWidget(self.explain)
        head.addWidget(self.again)
        head.addWidget(self._copy)
        head.addWidget(self._more)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addLayout(head)
        layout.addWidget(self.full)

    def _copy_recipe(self) -> None:
        QGuiApplication.clipboard().setText(self.full.toPlainText())


def one_line(recipe: Recipe) -> str:
    """Return the gist of a recipe."""
    parts = [
        recipe.class_code,
        tr("seed {seed}").format(seed=recipe.seed),
        tr("{steps} steps {sampler}").format(steps=recipe.steps, sampler=recipe.sampler),
        Path(recipe.models).name,
        recipe.precision,
    ]
    return " · ".join(part for part in parts if part)


def _without_recipe(picture: Picture) -> str:
    height, width = picture.pixels.shape[:2]
    size = tr("{width} × {height} pixels").format(width=width, height=height)
    return f"{picture.path.name} · " + tr("no recipe: not made by this program, or edited since") + f" · {size}"
