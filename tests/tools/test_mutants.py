"""The tool that plants faults: it finds every place, changes one thing, and knows each module's tests."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from scipy.stats import binomtest

from tests.tools.guards import ROOMS
from tests.tools.mutants import PRELOADED, draw, mutant, places, wilson

PROJECT = Path(__file__).resolve().parents[2]

SOURCE = """
def larger(a: float, b: float = 2) -> bool:
    if not a:
        raise ValueError("nothing")
    return a > b + 1 and round(a, ndigits=3) != 0.5
"""

MADE = {
    "if a:", "if not not a:", "b: float=3", "b: float=1", "pass", "a >= b + 1", "a <= b + 1", "a > b - 1", "a > b + 2",
    "a > b + 0", "a > b + 1 or round", "round(a)", "ndigits=4", "ndigits=2", "== 0.5", "!= 1.0", "!= 0.25",
}  # fmt: skip


def test_every_place_is_found_and_one_thing_is_changed() -> None:
    found = [mutant(SOURCE, number) for number in range(len(places(SOURCE)))]
    texts = [text for _, _, text in found]
    assert len(set(texts)) == len(texts) == len(MADE)
    for part in MADE:
        assert sum(part in text for text in texts) >= 1, part
    plain = ast.unparse(ast.parse(SOURCE)).splitlines()
    for line, what, text in found:
        changed = [(one, other) for one, other in zip(plain, text.splitlines(), strict=True) if one != other]
        assert len(changed) == 1, what
        assert 2 <= line <= 5


def test_a_draw_depends_on_its_seed_and_takes_some_of_each_module() -> None:
    modules = {"one": SOURCE, "two": SOURCE * 3}
    first = list(draw(modules, 0.1, 2, seed=1))
    assert first == list(draw(modules, 0.1, 2, seed=1)) != list(draw(modules, 0.1, 2, seed=2))
    assert len(set(first)) == len(first)
    assert sum(name == "one" for name, _ in first) == 2
    assert sum(name == "two" for name, _ in first) == round(0.1 * len(places(SOURCE * 3)))


@pytest.mark.parametrize(("hits", "total"), [(0, 7), (31, 40), (40, 40)])
def test_the_interval_is_that_of_wilson(hits: int, total: int) -> None:
    expected = binomtest(hits, total).proportion_ci(method="wilson")
    assert wilson(hits, total) == pytest.approx((expected.low, expected.high), abs=1e-6)


@pytest.mark.parametrize("room", ROOMS)
def test_modules_and_their_tests_are_there(room: str) -> None:
    assert PRELOADED[room]
    for module, tests in ROOMS[room].items():
        assert (PROJECT / f"{module}.py").is_file()
        assert tests
        assert not [name for name in tests if not (PROJECT / "tests" / f"{name}.py").is_file()]


@pytest.mark.parametrize("room", ["photographs", "measures", "evaluation"])
def test_no_module_that_computes_or_reads_is_left_out(room: str) -> None:
    known = {module for modules in ROOMS.values() for module in modules}
    there = {path.relative_to(PROJECT).with_suffix("").as_posix() for path in (PROJECT / room).rglob("*.py")}
    assert {module for module in there - known if not module.endswith("__init__")} == LEFT_OUT[room]


LEFT_OUT = {
    "photographs": {"photographs/thumbnails"},
    "measures": {"measures/sheets/contact_sheet", "measures/sheets/film"},
    "evaluation": {
        f"evaluation/{name}"
        for name in (
            "context", "distribution_section", "finding", "plots", "report", "request", "run", "curation/request",
            "curation/run", "utility/figure", "utility/request", "utility/sections",
        )
    },
}  # fmt: skip
"""What draws pictures, writes pages, and says or carries out requests."""
