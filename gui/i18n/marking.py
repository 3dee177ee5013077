"""Says of a text written down in one place that it is translated in another."""

from __future__ import annotations

from typing import Final

CONTEXT_END: Final = "\x04"
"""Ends the context in the key of a text, as gettext writes ``msgctxt`` into a compiled catalogue."""


def mark(text: str, context: str = "") -> str:
    """Return `text` for `tr`, which translates it where it is shown.

    Parameters
    ----------
    text
        English, a literal.
    context
        A word that tells this text from an equal one that other languages say otherwise: "Done" is the state of a run
        and a button. A literal, as it becomes the ``msgctxt`` of the catalogues.
    """
    return f"{context}{CONTEXT_END}{text}" if context else text
