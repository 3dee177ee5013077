"""Sentences that go through JSON to a window and are translatable there."""

from __future__ import annotations

import io
import json

import pytest

from cli.console import Console
from core import wire
from core.message import Message

INNER = Message("{n} file(s)".replace("{n}", "%n"), n=3)
WORDS = Message("In {folder}: {what}, {share:.1f}", folder="ä/b", what=INNER, share=0.25)
EVENT = {"event": "x", "message": WORDS, "remedy": "plain", "count": 3}


def test_a_message_survives_json_with_its_template_and_its_values():
    back = wire.with_messages(json.loads(json.dumps(wire.with_templates(EVENT))))
    assert back == EVENT
    assert isinstance(back["message"], Message)
    assert back["message"].template == WORDS.template
    assert back["message"].values["what"].template == INNER.template
    assert not isinstance(back["remedy"], Message)


@pytest.mark.parametrize(("asked", "has"), [("", False), ("1", True)])
def test_only_a_window_is_told_of_templates(monkeypatch, asked, has):
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setenv(wire.VARIABLE, asked)
    Console(json_mode=True).event(EVENT)
    said = json.loads(out.getvalue())
    assert said["message"] == str(WORDS)
    assert ("templates" in said) == has


@pytest.mark.parametrize(
    "parts",
    [None, 3, [], {"message": {"template": "{nobody}", "values": {"a": 1}}}, {"message": {"template": 3}},
     {"message": {"template": "{a.b}", "values": {"a": 1}}}, {"message": {"template": "{", "values": {"a": 1}}}],
)  # fmt: skip
def test_broken_templates_leave_the_words(parts):
    assert wire.with_messages({"event": "x", "message": "words", "templates": parts})["message"] == "words"
