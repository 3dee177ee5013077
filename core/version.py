"""The product's name and version, in one place."""

from __future__ import annotations

from typing import Final

PRODUCT: Final = "ISICGUI"
__version__: Final = "0.1.0"

COMMAND: Final = "isicgui"
"""Name of the package for pip, and of the command that it installs."""

SAFE_MODE: Final = "--safe-mode"
"""Opens the window with default settings and without touching the GPU."""
