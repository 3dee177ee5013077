"""Every error that a person can meet is a message that the window can translate."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OUTSIDE = {"cli", "tests", "scripts", "benchmarks"}
"""Packages that speak English only, or to developers."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in sorted({path.parent.name for path in ROOT.glob("*/__init__.py")} - OUTSIDE):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def error_classes(trees: list[ast.Module]) -> set[str]:
    bases = {
        node.name: {name_of(base) for base in node.bases}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = {"ISICGUIError"}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found


def plain_texts(tree: ast.Module, classes: set[str]) -> Iterator[int]:
    """Yield the lines where an error is given a text that is no message."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or name_of(node.func) not in classes:
            continue
        given = [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg in ("message", "remedy"))]
        given += [way for text in given if isinstance(text, ast.IfExp) for way in (text.body, text.orelse)]
        for text in given:
            if isinstance(text, ast.JoinedStr) or (isinstance(text, ast.Constant) and text.value):
                yield text.lineno


def test_errors_are_given_messages():
    found = dict(modules())
    classes = error_classes(list(found.values()))
    assert len(classes) > 20
    assert [f"{name}:{line}" for name, tree in found.items() for line in plain_texts(tree, classes)] == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("InputRefusedError(Message('a {b}', b=1), remedy=Message('c'))", []),
        ("InputRefusedError('a')", [1]),
        ("raise InputRefusedError(\n    f'a {b}')", [2]),
        ("InputRefusedError(Message('a'), remedy='c')", [1]),
        ("InputRefusedError(Message('a'), remedy='c' if d else '')", [1]),
        ("InputRefusedError(words, remedy=help)", []),
    ],
)
def test_planted_texts_are_seen(source, lines):
    assert list(plain_texts(ast.parse(source), {"InputRefusedError"})) == lines
