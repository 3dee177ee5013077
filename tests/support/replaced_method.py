"""Another way to make a method's maps, for one test."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xai.methods import METHODS, Attribute


def replace_method(monkeypatch: pytest.MonkeyPatch, key: str, attribute: Attribute) -> Attribute:
    """Let a method make its maps by `attribute`; return how it made them before."""
    before = METHODS[key]
    monkeypatch.setitem(METHODS._entries, key, replace(before, attribute=attribute))
    return before.attribute
