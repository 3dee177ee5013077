"""Reports, cards and PDFs: one model of sections and blocks, with a renderer for each form.

`model` says what a report is made of, `inline` how its sentences are marked. `html` makes a page of it and what the
window shows, `markdown` a card, `pdf` a document. `write` is how every one of them reaches the disk.
"""

from __future__ import annotations

from pathlib import Path

from core.files.text import plain
from core.keeping import replace_kept

__all__ = ["write"]


def write(path: Path, content: str | bytes) -> None:
    """Write a finished report, complete or not at all; what a person has changed there is set aside first.

    A text becomes UTF-8, whatever is in it.

    Raises
    ------
    OSError
        If it cannot be written; then `path` is what it was before.
    """
    replace_kept(path, plain(content).encode("utf-8") if isinstance(content, str) else content)
