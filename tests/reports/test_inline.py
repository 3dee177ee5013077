"""Marked sentences: markup comes from the template alone."""

from __future__ import annotations

from reports.model import Span, marked, parse, plain, spans


def test_markup_becomes_spans_and_words_stay():
    found = parse("Say **it is `new`** or `x_y` now")
    assert found == (Span("Say "), Span("it is `new`", "strong"), Span(" or "), Span("x_y", "code"), Span(" now"))
    assert plain(found) == "Say it is `new` or x_y now"


def test_what_fills_a_gap_is_plain_text_whatever_it_holds():
    found = marked("The **{name}** of {who:>3}.", name="**a** `b` {c}", who=7)
    assert found == (Span("The "), Span("**a** `b` {c}", "strong"), Span(" of   7."))


def test_a_string_is_one_plain_span():
    assert spans("**not strong**") == (Span("**not strong**"),)
    assert spans(("a", Span("b", "code"))) == (Span("a"), Span("b", "code"))
