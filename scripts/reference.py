"""`python -m scripts.reference`: write `docs/reference.md`, the tables of everything that the program can be asked for.

A test holds the page to the registries: whoever adds an entry runs this.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Final

from core.files.atomic import write_text_atomic
from core.registry import Registry

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "reference.md"
HOMES: Final = (
    "photographs.label_forms",
    "core.samplers",
    "core.conditioning",
    "core.models.classification.architectures",
    "evaluation.measurements",
    "xai.methods",
    "xai.baselines",
)
"""Modules that make the registries."""

_HEAD: Final = """# Reference: what there is to choose from

Written by `python -m scripts.reference` from the registries in the code; the command line, the window and the checks of
requests read the same entries.
"""


def render() -> str:
    """Return the page."""
    parts = [f"\n## {one.many[0].upper()}{one.many[1:]}\n\n{one.table()}" for one in _registries()]
    return _HEAD + "".join(parts)


def _registries() -> list[Registry[Any]]:
    """Return the registries in the order of their homes, whatever was imported first."""
    modules = [importlib.import_module(home) for home in HOMES]
    found = [one for module in modules for one in vars(module).values() if isinstance(one, Registry)]
    return list({one.many: one for one in found}.values())


if __name__ == "__main__":
    write_text_atomic(PAGE, render())
