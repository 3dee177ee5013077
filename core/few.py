"""How many images a headline needs: one number, and one way to say that there are fewer, in the same sentence."""

from __future__ import annotations

from typing import Final

from core.message import Message

FEW: Final = 30
"""A number that was measured on fewer images is said to say little."""


def count_in_words(images: int) -> int | Message:
    """Return a number of images as a sentence holds it, with a warning if they are few."""
    return images if images >= FEW else Message("{n}, too few to say much", n=images)
