"""Registries: one entry in one place, found by everybody who offers it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from core.errors import UsageError
from core.registry import REGISTRIES, Column, Registry, hint_of
from scripts.reference import PAGE, render


@dataclass(frozen=True)
class Colour:
    key: str
    title: str
    hint: str
    waves: int = 0


@pytest.fixture
def colours() -> Iterator[Registry[Colour]]:
    made: Registry[Colour] = Registry("colour", "colours", columns=[Column("nm", lambda entry: entry.waves)])
    made.add(Colour("red", "Red", "As a rose.", 700))
    made.add(Colour("blue", "Blue", "As the | sea.", 470))
    yield made
    del REGISTRIES["colours"]


def test_entries_keep_their_order(colours: Registry[Colour]) -> None:
    assert list(colours) == ["red", "blue"]
    assert colours["blue"].waves == 470
    assert len(colours) == 2


def test_what_is_not_there_is_refused_with_what_is(colours: Registry[Colour]) -> None:
    with pytest.raises(UsageError, match="There is no colour 'green'") as caught:
        colours.check("green")
    assert caught.value.remedy == "Choose one of red, blue."
    assert colours.check("red") == "red"


def test_a_key_is_taken_once(colours: Registry[Colour]) -> None:
    with pytest.raises(ValueError, match="two colours called red"):
        colours.add(Colour("red", "", ""))


def test_the_table_escapes_bars(colours: Registry[Colour]) -> None:
    assert colours.table().splitlines() == [
        "|  | Name | nm | What it is |",
        "| --- | --- | --- | --- |",
        "| `red` | Red | 700 | As a rose. |",
        "| `blue` | Blue | 470 | As the \\| sea. |",
    ]


def test_the_hint_is_the_first_paragraph_of_the_docstring() -> None:
    def function() -> None:
        """Do this
        and that.

        Not this.
        """

    assert hint_of(function) == "Do this and that."


def test_the_page_in_the_docs_says_what_the_registries_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run python -m scripts.reference"
