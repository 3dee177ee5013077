"""Text that can be written as UTF-8, whatever names of files are in it."""

from __future__ import annotations


def plain(text: str) -> str:
    r"""Return `text` with every surrogate that stands alone written out, as in ``\udcff``.

    Python gives such to bytes of a file's name that are no UTF-8. JSON reads what is written out back as what it was;
    for people it says which byte it is.
    """
    return text.encode("utf-8", errors="backslashreplace").decode("utf-8") if not text.isascii() else text
