"""Fusion with a palette and a short style sheet, both built from the tokens; switched while the window is open."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QDir
from PyQt5.QtGui import QBrush, QColor, QFont, QPainter, QPalette, QPixmap
from PyQt5.QtWidgets import QApplication

from gui.theme import icons
from gui.theme.style import style_sheet
from gui.theme.tokens import CHECKER, DARK, GROUNDS, LIGHT, Tokens

_DARK_BELOW = 128
_ICONS = Path(__file__).parent / "icons_svg"


class _Current:
    tokens: Tokens = LIGHT
    system_is_dark: bool = False
    ground: str = "grey"


def tokens() -> Tokens:
    """Return the tokens in force."""
    return _Current.tokens


def color(name: str) -> QColor:
    """Return the colour of token `name`."""
    return QColor(getattr(_Current.tokens, name))


def set_ground(name: str) -> None:
    """Choose what is around pictures, a name of `GROUNDS`; an unknown one gives the first."""
    _Current.ground = name if name in GROUNDS else next(iter(GROUNDS))


def ground() -> str:
    """Return the name of what is around pictures; the same in both themes, since surroundings shift colours."""
    return _Current.ground


def ground_brush() -> QBrush:
    """Return what to paint around pictures."""
    even, odd = (QColor(value) for value in GROUNDS[_Current.ground])
    if even == odd:
        return QBrush(even)
    squares = QPixmap(2 * CHECKER, 2 * CHECKER)
    squares.fill(even)
    painter = QPainter(squares)
    for corner in (0, CHECKER):
        painter.fillRect(corner, corner, CHECKER, CHECKER, odd)
    painter.end()
    return QBrush(squares)


def remember_system(app: QApplication) -> None:
    """Note whether Qt was given dark colours by the desktop; call before the first `apply_theme`."""
    _Current.system_is_dark = app.palette().color(QPalette.ColorRole.Window).lightness() < _DARK_BELOW


def system_is_dark() -> bool:
    """Whether theme `system` is the dark one at present."""
    return _Current.system_is_dark


def set_system_dark(dark: bool) -> None:
    """Say that the desktop is dark, or light; the next `apply_theme` of `system` obeys."""
    _Current.system_is_dark = dark


def apply_theme(app: QApplication, theme: str) -> Tokens:
    """Give the application theme `light`, `dark` or `system` and return the tokens now in force."""
    dark = theme == "dark" or (theme == "system" and _Current.system_is_dark)
    _Current.tokens = DARK if dark else LIGHT
    icons.retint(_Current.tokens)  # first: what hears of the new palette asks for icons in its colours
    QDir.setSearchPaths("icons", [str(_ICONS)])
    app.setPalette(make_palette(_Current.tokens))
    app.setStyleSheet(style_sheet(_Current.tokens))
    return _Current.tokens


def make_palette(t: Tokens) -> QPalette:
    """Return the palette of a set of tokens."""
    palette = QPalette()
    role = QPalette.ColorRole
    plain = {
        role.Window: t.window,
        role.WindowText: t.text,
        role.Base: t.panel,
        role.AlternateBase: t.window,
        role.Text: t.text,
        role.PlaceholderText: t.muted,
        role.Button: t.raised,
        role.ButtonText: t.text,
        role.BrightText: t.none,
        role.Highlight: t.accent,
        role.HighlightedText: t.on_accent,
        role.Link: t.accent,
        role.LinkVisited: t.accent,
        role.ToolTipBase: t.raised,
        role.ToolTipText: t.text,
        role.Light: t.raised,
        role.Midlight: t.hairline,
        role.Mid: t.control_line,
        role.Dark: t.control_line,
        role.Shadow: t.hairline,
    }
    for which, value in plain.items():
        palette.setColor(which, QColor(value))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(t.disabled))
    return palette


def tabular(font: QFont) -> QFont:
    """Return `font` for numbers that change in place: kerning off, so that digits keep their width."""
    copy = QFont(font)
    copy.setKerning(False)
    return copy
