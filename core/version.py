"""The product's name and version, in one place."""

from __future__ import annotations

from typing import Final

PRODUCT: Final = "ISICGUI"
__version__: Final = "0.1.0"
