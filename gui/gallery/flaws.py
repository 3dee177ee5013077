"""Words about an image of the gallery: why it cannot be shown, how it is rated."""

from __future__ import annotations

import os

from dataset.ratings import Rating
from gui.i18n import tr
from gui.workers.image_check import EMPTY, GONE, INCOMPLETE, SPECIAL, TOO_LARGE, Flaw


def flaw_words(flaw: Flaw) -> str:
    """Say why a file cannot be shown."""
    if flaw.kind == TOO_LARGE:
        words = tr("{width} × {height} pixels; at most 50 megapixels are shown")
        return words.format(width=flaw.width, height=flaw.height)
    words_of = {
        EMPTY: tr("the file is empty (0 bytes)"),
        INCOMPLETE: tr("the file is incomplete"),
        GONE: tr("the file is gone or may not be read"),
        SPECIAL: tr("it is no regular file"),
    }
    return words_of[flaw.kind]


def flaw_line(flaw: Flaw) -> str:
    """Name a file and say why it cannot be shown."""
    return f"{_name(flaw)}: {flaw_words(flaw)}"


def flaw_lines(flaw: Flaw) -> tuple[str, str]:
    """Name a file as a heading, and say under it why it cannot be shown."""
    words = flaw_words(flaw)
    return _name(flaw), words[:1].upper() + words[1:]


def _name(flaw: Flaw) -> str:
    folder, name = os.path.split(flaw.path)
    return f"{os.path.basename(folder)}/{name}"


def rating_words(rating: Rating) -> str:
    """Say how an image is rated; nothing if it is not."""
    stars = tr("%n star(s)", rating.stars) if rating.stars else ""
    rejected = tr("rejected") if rating.rejected else ""
    return ", ".join(words for words in (stars, rejected) if words)
