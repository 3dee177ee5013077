"""Icons of one family (Material Design, through QtAwesome), tinted by the tokens, anew when the theme changes."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Final

import qtawesome
from PyQt5 import sip
from PyQt5.QtGui import QIcon
from PyQt5.QtWidgets import QAbstractButton, QAction
from qtawesome.iconic_font import IconicFont

from gui.theme.tokens import LIGHT, Tokens

Wearer = QAbstractButton | QAction


NAMES: Final[dict[str, str]] = {
    "start": "mdi6.play",
    "stop": "mdi6.stop",
    "pause": "mdi6.pause",
    "queue-add": "mdi6.playlist-plus",
    "queue": "mdi6.playlist-play",
    "more": "mdi6.dots-horizontal",
    "up": "mdi6.arrow-up",
    "down": "mdi6.arrow-down",
    "remove": "mdi6.delete-outline",
    "waiting": "mdi6.clock-outline",
    "interrupted": "mdi6.pause-circle-outline",
    "again": "mdi6.refresh",
    "models": "mdi6.cube-outline",
    "get": "mdi6.download-outline",
    "output": "mdi6.folder-outline",
    "open": "mdi6.open-in-new",
    "explain": "mdi6.eye-outline",
    "light": "mdi6.white-balance-sunny",
    "dark": "mdi6.weather-night",
    "desktop": "mdi6.theme-light-dark",
    "ground": "mdi6.checkerboard",
    "help": "mdi6.help-circle-outline",
    "fit": "mdi6.fit-to-page-outline",
    "zoom-in": "mdi6.magnify-plus-outline",
    "zoom-out": "mdi6.magnify-minus-outline",
    "pixels": "mdi6.grid",
    "copy": "mdi6.content-copy",
    "save": "mdi6.content-save-outline",
    "image": "mdi6.image-outline",
    "rejected": "mdi6.close-thick",
    "undo": "mdi6.undo-variant",
    "swap": "mdi6.swap-horizontal",
    "pin": "mdi6.pin-outline",
    "export": "mdi6.export-variant",
    "wipe": "mdi6.arrow-split-vertical",
    "beside": "mdi6.view-split-vertical",
    "blink": "mdi6.flip-to-front",
    "made-again": "mdi6.repeat-variant",
    "images": "mdi6.image-multiple-outline",
    "folder": "mdi6.folder-outline",
    "report": "mdi6.file-document-outline",
    "info": "mdi6.information-outline",
    "warning": "mdi6.alert-outline",
    "error": "mdi6.alert-circle-outline",
    "green": "mdi6.check-circle-outline",
    "amber": "mdi6.help-circle-outline",
    "red": "mdi6.close-circle-outline",
    "open-fold": "mdi6.chevron-down",
    "closed-fold": "mdi6.chevron-right",
    "panels": "mdi6.view-dashboard-outline",
    "menu": "mdi6.menu",
    "close": "mdi6.close",
    "broken": "mdi6.image-broken-variant",
    "app": "mdi6.scatter-plot-outline",
    "previous": "mdi6.chevron-left",
    "next": "mdi6.chevron-right",
}


FAMILY: Final = "mdi6"
FILES: Final = "materialdesignicons6"
"""Beginning of the names of the family's files, which go on with its version."""


class _Tint:
    tokens: Tokens = LIGHT
    family: IconicFont | None = None


_wearers: weakref.WeakKeyDictionary[Wearer, tuple[str, str]] = weakref.WeakKeyDictionary()


def icon(name: str, token: str = "text") -> QIcon:
    """Return icon `name` in the colour of a token."""
    t = _Tint.tokens
    made: QIcon = _family().icon(NAMES[name], color=getattr(t, token), color_disabled=t.disabled)
    return made


def _family() -> IconicFont:
    """Return the one family in use: QtAwesome would load all of its twelve before the window is shown."""
    if _Tint.family is None or not qtawesome.has_valid_font_ids(_Tint.family):
        folder = Path(qtawesome.get_fonts_info()[0])
        names = [next(folder.glob(f"{FILES}*{suffix}")).name for suffix in (".ttf", ".json")]
        _Tint.family = IconicFont((FAMILY, *names))
    return _Tint.family


def set_icon(wearer: Wearer, name: str, token: str = "text") -> None:
    """Give `wearer` an icon that follows the theme."""
    _wearers[wearer] = (name, token)
    wearer.setIcon(icon(name, token))


def retint(tokens: Tokens) -> None:
    """Colour every icon in use anew."""
    _Tint.tokens = tokens
    for wearer, (name, token) in list(_wearers.items()):
        if not sip.isdeleted(wearer):
            wearer.setIcon(icon(name, token))
