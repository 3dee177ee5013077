"""`python -m scripts.reference`: write `docs/reference.md`, the tables of everything that the program can be asked for.

A test holds the page to the registries: whoever adds an entry runs this.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Final

from core.registry import REGISTRIES
from core.utils.atomic import write_text_atomic

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "reference.md"
HOMES: Final = (
    "core.generator.samplers",
    "core.generator.conditioning",
    "evaluation.measurements",
)
"""Modules that make the registries."""

_HEAD: Final = """# Reference: what there is to choose from

Written by `python -m scripts.reference` from the registries in the code; the command line, the window and the checks of
requests read the same entries.
"""


def render() -> str:
    """Return the page."""
    for home in HOMES:
        importlib.import_module(home)
    parts = [f"\n## {name[0].upper()}{name[1:]}\n\n{registry.table()}" for name, registry in sorted(REGISTRIES.items())]
    return _HEAD + "".join(parts)


if __name__ == "__main__":
    write_text_atomic(PAGE, render())
