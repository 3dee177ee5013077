"""How much is read at once; apart from the readers, so that asking costs no library."""

from __future__ import annotations

from typing import Final

MAX_PIXELS: Final = 50_000_000
"""Of one picture: 50 megapixels."""

MAX_SHEET_IMAGES: Final = 2000
"""Of one contact sheet."""
