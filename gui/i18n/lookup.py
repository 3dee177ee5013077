"""How a text is looked up in a catalogue: as plural form, in a context, or as it is."""

from __future__ import annotations

import gettext
from typing import Final

from core.message import in_english
from gui.i18n.marking import CONTEXT_END

NUMBER: Final = "%n"
"""Stands for the number in a text that has plural forms."""


def look_up(texts: gettext.NullTranslations, text: str, n: int = -1) -> str:
    """Return the translation of a text, English where the catalogue has none.

    Parameters
    ----------
    texts
        The catalogue, with the English one as its fallback.
    text
        The English text, as `tr` and `Message` are given it; with a context mark if it was marked with one.
    n
        The number that chooses the plural form. A text without ``%n`` has no plural forms, and is not asked for as if
        it had: its ``{n}`` is a value like any other.
    """
    if n >= 0 and NUMBER in text:
        return in_english(texts.ngettext(text, text, n), n)
    found = texts.gettext(text)
    return found.partition(CONTEXT_END)[2] if found == text and CONTEXT_END in text else found
