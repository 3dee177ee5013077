"""A message is an English text in every respect, and still knows what it was made of."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path

import pytest

from core.errors import InputRefusedError
from core.message import Message, joined


class Unpicklable:
    def __reduce__(self) -> str:
        raise TypeError("never")

    def __str__(self) -> str:
        return "odd"


def test_it_is_the_english_text():
    message = Message("The folder {folder} holds {share:.1%}.", folder=Path("a"), share=0.125)
    assert message == "The folder a holds 12.5%."
    assert isinstance(message, str)
    assert {message: 1}["The folder a holds 12.5%."] == 1
    assert json.loads(json.dumps({"message": message})) == {"message": str(message)}
    assert f"{message}!" == "The folder a holds 12.5%.!"


@pytest.mark.parametrize(("n", "words"), [(0, "0 files"), (1, "1 file"), (2, "2 files")])
def test_numbers_have_their_plural(n, words):
    assert Message("%n file(s)", n=n) == words


def test_without_values_nothing_is_filled():
    assert Message("a {brace} and 100 %n(s)") == "a {brace} and 100 %n(s)"


@pytest.mark.parametrize("through", [lambda m: pickle.loads(pickle.dumps(m)), copy.copy, copy.deepcopy])
def test_it_survives_a_pipe_between_processes(through):
    inner = Message("line {line}", line=3)
    again = through(Message("{where}: {what} {size:.1f}", where=inner, what=Unpicklable(), size=1.25))
    assert (again, again.template, again.values["size"]) == ("line 3: odd 1.2", "{where}: {what} {size:.1f}", 1.25)
    assert again.values["where"].values == {"line": 3}


def test_an_error_keeps_it():
    error = InputRefusedError(Message("No {name}.", name="x"), remedy=Message("Look again."))
    assert str(error) == "No x. Look again."
    assert error.message.template == "No {name}."
    assert pickle.loads(pickle.dumps(error)).message.template == "No {name}."


def test_several_are_joined():
    parts = [Message("One {a}.", a=1), "Two."]
    assert joined(parts) == "One 1. Two."
    assert joined(iter(parts), "; ") == "One 1.; Two."
    assert joined([]) == ""
    assert joined(parts).values["part0"].template == "One {a}."
