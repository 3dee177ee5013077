"""Every text of the window passes through `tr`, so that a translation file is all a new language needs.

Widgets hold no state of their own, so switching the language can simply build them again.
"""

from __future__ import annotations

from PyQt5.QtCore import QCoreApplication

CONTEXT = "isicgui"


def tr(text: str, n: int = -1) -> str:
    """Return `text` in the language of the window; `%n` becomes `n`, in the plural form that fits it.

    Without a translation `(s)` in English texts is resolved here, since Qt does that only with a translation file.
    """
    translated = QCoreApplication.translate(CONTEXT, text, None, n)
    if n < 0:
        return translated
    return translated.replace("(s)", "" if n == 1 else "s").replace("%n", str(n))
