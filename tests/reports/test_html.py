"""Pages: nothing in a value becomes markup, nothing is loaded from anywhere, every block is shown."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import get_args

import pytest

from reports.html import render_html, render_rich_text
from reports.model import Block, Figure, Paragraph, Report, Section, Span, Table
from tests.reports.builders import HOSTILE, blocks_of, png, report

EMPTY = {"meta", "img"}


class Page(HTMLParser):
    """Gathers tags with their attributes, and the words; refuses a page whose tags do not close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data

    def attributes(self, name: str) -> set[str | None]:
        return {values[name] for _, values in self.tags if name in values}


def page(*blocks: Block) -> Page:
    return Page(render_html(Report("T", blocks, [])))


def test_hostile_words_are_words_in_every_block():
    made = Page(render_html(report(HOSTILE)))
    assert "script" not in {tag for tag, _ in made.tags}
    assert not {name for _, values in made.tags for name in values if name.startswith("on")}
    assert made.words.count('<script>alert("1")</script>') > 30


def test_the_check_sees_a_script_that_is_there():
    planted = render_html(report("x")).replace("<h1>", "<script>x</script><h1>", 1)
    assert "script" in {tag for tag, _ in Page(planted).tags}


def test_nothing_is_loaded_from_anywhere():
    made = Page(render_html(report(HOSTILE)))
    assert all(source.startswith("data:image/png;base64,") for source in made.attributes("src"))
    assert all(":" not in target and not target.startswith("/") for target in made.attributes("href"))
    assert {tag for tag, _ in made.tags} & {"link", "script", "iframe", "object"} == set()
    (policy,) = [values["content"] for tag, values in made.tags if tag == "meta" and "http-equiv" in values]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@pytest.mark.parametrize("target", ["javascript:alert(1)", "//evil.test/x", "https://evil.test", "a folder/ü.html"])
def test_a_link_leads_below_the_page(target: str):
    (href,) = page(Paragraph(Span("here", "link", target))).attributes("href")
    assert ":" not in href
    assert not href.startswith("/")


def test_words_stand_to_the_left_and_rows_of_no_meaning_are_grey():
    made = page(
        Table(("a", "b", "c"), [("x", "1", "y"), ("z", "2", "w")], muted=frozenset({1}), words=frozenset({0, 2}))
    )
    cells = [values.get("class") for tag, values in made.tags if tag == "td"]
    assert cells == ["words", None, "words"] * 2
    assert [values.get("class") for tag, values in made.tags if tag == "tr"] == [None, None, "muted"]


def test_a_folded_table_opens_by_its_caption():
    made = page(Table(("a",), [("1",)], "All of them", folded=True))
    assert [tag for tag, _ in made.tags if tag in ("details", "summary")] == ["details", "summary"]
    assert "All of them" in made.words


def test_a_name_of_a_picture_is_refused_where_the_picture_must_be():
    with pytest.raises(TypeError, match=r"https://evil\.test"):
        render_html(Report("T", [Figure("https://evil.test/x.png", "x")], []))


def test_the_builders_know_every_block():
    assert {type(block) for block in blocks_of("x")} == set(get_args(Block))


def test_the_window_escapes_and_refuses_what_it_does_not_show():
    colours = {"muted": "#111", "good": "#222", "doubt": "#333", "bad": "#444"}
    blocks = [Paragraph(HOSTILE, "muted"), Figure("picture:0", HOSTILE), Table((HOSTILE,), [(HOSTILE,)])]
    made = Page(render_rich_text(Report(HOSTILE, blocks, [Section(HOSTILE, blocks)]), colours))
    assert "script" not in {tag for tag, _ in made.tags}
    assert made.attributes("src") == {"picture:0"}
    with pytest.raises(TypeError, match="Gallery"):
        render_rich_text(
            Report("T", [block for block in blocks_of("x") if type(block).__name__ == "Gallery"], []), colours
        )


def test_a_page_of_a_picture_holds_all_of_it():
    import base64

    (source,) = page(Figure(png("red"), "red")).attributes("src")
    assert base64.b64decode(source.partition(",")[2]) == png("red")
