"""The language of the window: which one it is, and every text in it.

Texts are looked up where they are shown and never at import, so that building the window again is all that a switch of
the language takes.
"""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from pathlib import Path
from string import Formatter
from types import MappingProxyType
from typing import Any, Final

from PyQt5.QtCore import QLocale

from core.message import Message
from gui.i18n.lookup import look_up
from gui.i18n.marking import mark
from gui.i18n.qt_words import translate_qt

DOMAIN: Final = "isicgui"
FOLDER: Final = Path(__file__).with_name("locale")
SYSTEM: Final = "system"
MINUS: Final = "\N{MINUS SIGN}"
NAMES: Final[Mapping[str, str]] = MappingProxyType({"en": "English", "ru": "Русский", "zh": "简体中文"})
"""Code and own name of every language there is; the first is the one the texts are written in."""


class _InForce:
    code = "en"
    texts: gettext.NullTranslations | None = None


class Text(str):
    """A text in the language of the window; what `format` puts into it speaks that language too."""

    def format(self, *args: Any, **values: Any) -> str:
        """Fill the gaps; numbers with the decimal sign of the language, sentences of the engine translated."""
        return _LocalFormatter().vformat(self, args, values)


def tr(text: str, n: int = -1, *, context: str = "") -> str:
    """Return `text` in the language of the window; with `n`, `%n` becomes it, in the plural form that fits it.

    Parameters
    ----------
    text
        English, a literal at the call or wrapped in `mark` where it is written down. A text with ``%n`` must be given
        an `n`; its English forms are in the English catalogue.
    n
        The number in the text.
    context
        As for `mark`; a literal.
    """
    if not text:
        return Text()  # gettext answers an empty text with the header of its file
    return Text(look_up(_texts(), mark(text, context), n))


def translate(message: str) -> str:
    """Return a sentence of the rooms below in the language of the window; any string but a `Message` as it is."""
    if not isinstance(message, Message):
        return message
    text = tr(message.template, message.values.get("n", -1))
    return text.format(**message.values) if message.values else text


def languages() -> Mapping[str, str]:
    """Return code and own name of every language that can be chosen, besides the system's."""
    return NAMES


def current() -> str:
    """Return the code of the language in force."""
    return _InForce.code


def set_language(code: str) -> str:
    """Show everything that is built from now on in a language, and Qt's own texts and all numbers too.

    Parameters
    ----------
    code
        One of `languages`, or ``system`` for the first language of the system's list that there is, else English.

    Returns
    -------
    str
        The code of the language that is in force now.
    """
    chosen = of_system() if code == SYSTEM else code
    use(load(chosen), chosen)
    translate_qt(chosen, tr)
    return chosen


def use(texts: gettext.NullTranslations, code: str) -> None:
    """Take all texts from a catalogue."""
    _InForce.texts, _InForce.code = texts, code
    QLocale.setDefault(_locale(code))


def load(code: str) -> gettext.NullTranslations:
    """Return the catalogue of a language; what it lacks comes from the English one."""
    texts = gettext.translation(DOMAIN, FOLDER, [code], fallback=True)
    if code != "en":
        texts.add_fallback(load("en"))
    return texts


def of_system() -> str:
    """Return the code of the system's language, English if there is none that the window speaks."""
    wanted = (name.replace("_", "-").split("-")[0].lower() for name in QLocale.system().uiLanguages())
    return next((code for code in wanted if code in NAMES), "en")


def _texts() -> gettext.NullTranslations:
    if _InForce.texts is None:
        _InForce.texts = load("en")
    return _InForce.texts


def _locale(code: str) -> QLocale:
    """Return the system's ways of writing numbers and dates if they are those of the language, else the language's."""
    system, wanted = QLocale.system(), QLocale(code)
    return system if system.language() == wanted.language() else wanted


class _LocalFormatter(Formatter):
    """Fills gaps in the language of the window."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        """Return a value as its format says."""
        text = super().format_field(translate(value) if isinstance(value, str) else value, format_spec)
        return local(text) if isinstance(value, float) else text


def local(text: str) -> str:
    """Return the text of a number, as Python writes it, with the decimal sign of the language and a real minus."""
    return text.replace(".", QLocale().decimalPoint()).replace("-", MINUS)
