"""docs/xai-parameters.md says what every number that was chosen is, and says it of all of them."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

from tests.tools.guards import GUARDS

PROJECT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| `([\w/]+)\.(\w+)` \| (.+?) \| .+ \|$", re.MULTILINE)
DOCUMENTED = {
    (module, name): value
    for module, name, value in ROW.findall((PROJECT / "docs" / "xai-parameters.md").read_text(encoding="utf-8"))
}
NOT_CHOSEN = {
    ("trajectory/source", "BATCH_SIZE"),  # what `generate` takes
    ("trajectory/time_shap", "GPU_WIDTH"),  # how much is done at once
    ("sanity", "VERSION"),
    ("sanity", "_SEED"),
    ("gate", "_SEVERITY"),
    *(("overlay", name) for name in ("_RGB_TO_LMS", "_LMS_TO_LAB", "_LIGHTNESS", "_CHROMA", "POSITIVE", "NEGATIVE")),
    *(("overlay", name) for name in ("MARKS", "_OVERSAMPLING", "_STROKES")),  # what a mark looks like
    ("faithfulness", "_NEIGHBOURS"),  # of the published method
}


def numbers_of(module: str) -> set[tuple[str, str]]:
    """Return the constants of a module that hold numbers, sizes of batches left out."""
    body = ast.parse((PROJECT / "xai" / f"{module}.py").read_text(encoding="utf-8")).body
    found = set()
    for node in body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            constants = (part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant))
            if any(type(value) in (int, float) for value in constants) and "CHUNK" not in node.target.id:
                found.add((module, node.target.id))
    return found


@pytest.mark.parametrize(("module", "name"), DOCUMENTED)
def test_the_value_in_the_table_is_that_of_the_code(module: str, name: str) -> None:
    value = getattr(importlib.import_module(f"xai.{module.replace('/', '.')}"), name)
    documented = ast.literal_eval(DOCUMENTED[module, name])
    assert value == documented
    assert isinstance(documented, tuple) or type(documented) in (int, float)


def test_no_number_is_missing_from_the_table() -> None:
    found = set().union(*map(numbers_of, GUARDS))
    assert not found - DOCUMENTED.keys() - NOT_CHOSEN
    assert not NOT_CHOSEN - found, "an exception for what is no longer there"
