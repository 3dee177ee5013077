"""Cards: aligned tables, filled lines, and no value that a reader of Markdown takes for markup."""

from __future__ import annotations

import re

import pytest

from reports.markdown import WIDTH, blocks_markdown, render_markdown
from reports.model import Authored, Bullets, Code, Facts, Paragraph, Report, Section, Span, Table
from tests.reports.builders import HOSTILE, report


def test_a_card_has_its_title_its_sections_and_its_front_matter():
    card = render_markdown(Report("A *card*", [Paragraph("Lead.")], [Section("Data", [Paragraph("Words.")])]),
                           front_matter="license: other")  # fmt: skip
    assert card == "---\nlicense: other\n---\n\n# A \\*card\\*\n\nLead.\n\n## Data\n\nWords.\n"


def test_numbers_stand_to_the_right_and_a_pipe_stays_in_its_cell():
    table = Table(("a|b", "n", ""), [("x | y", "1", Span("c|d", "code"))], words=frozenset({0, 2}))
    assert blocks_markdown([table]).splitlines() == [
        "| a\\|b | n |  |",
        "| --- | ---: | --- |",
        "| x \\| y | 1 | `c\\|d` |",
    ]


@pytest.mark.parametrize(
    "words",
    [
        "# no heading", "> no quote", "- no item", "+ no item", "* no item", "1. no item", "1) no item", "=====", "---",
        "~~~", "```", "| no | table |", "<b>no HTML</b>", "<!-- no comment -->", "[no](http://link.test)",
        "**not strong**", "_not emphasised_", "`no code`", "&lt; no entity", "a \\* backslash", "~~not struck~~",
        "[no]: target",
    ],
)  # fmt: skip
def test_plain_words_are_read_as_they_were_written(words: str):
    made = blocks_markdown([Paragraph(words)])
    assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", made) == words
    assert made != words, "nothing was escaped"


@pytest.mark.parametrize("words", ["snake_case, 1.5 and a - b", "3 < 4 > 2 & 5", "[0.485, 0.456]", "C:\\data", "x=1"])
def test_words_that_mean_nothing_to_a_reader_stay_as_they_are(words: str):
    assert blocks_markdown([Paragraph(words)]) == words


def test_hostile_words_begin_no_block_of_their_own():
    lines = render_markdown(Report(HOSTILE, [Paragraph(HOSTILE), Bullets([HOSTILE]), Facts([(HOSTILE, HOSTILE)])],
                                   [Section(HOSTILE, [Table((HOSTILE,), [(HOSTILE,)])])])).splitlines()  # fmt: skip
    assert [line for line in lines if line.startswith(("# Owned", "- item"))] == []
    assert not re.search(r"(?<!\\)<script", "\n".join(lines))
    assert not re.search(r"(?<!\\)\]\(", "\n".join(lines))


def test_the_check_sees_a_heading_that_somebody_planted():
    lines = blocks_markdown([Authored(HOSTILE)]).splitlines()
    assert "# Owned" in lines, "what an author wrote is taken over as it is"


def test_code_is_fenced_by_more_than_it_holds():
    assert blocks_markdown([Code("a\n```\nb", "text")]) == "````text\na\n```\nb\n````"
    assert blocks_markdown([Paragraph(Span("a`b``", "code"))]) == "``` a`b`` ```"


def test_a_backslash_at_the_end_hides_no_markup():
    assert blocks_markdown([Paragraph(("in ", Span("C:\\ ", "strong")))]) == "in **C:\\\\**"


def test_a_quote_is_quoted_line_by_line():
    assert blocks_markdown([Authored("One.\n\n# Two", quoted=True)]) == "> One.\n>\n> # Two"


def test_lines_are_filled_and_an_item_is_indented():
    made = blocks_markdown([Bullets(["word " * 60]), Paragraph("word " * 60)])
    assert max(map(len, made.splitlines())) <= WIDTH
    assert made.splitlines()[1].startswith("  word")


def test_a_command_in_a_sentence_is_not_broken():
    made = blocks_markdown([Paragraph(("x" * (WIDTH - 10) + " ", Span("python main.py doctor", "code")))])
    assert made.splitlines()[1:] == ["`python main.py doctor`"]


def test_a_line_that_is_broken_before_a_number_begins_no_list():
    made = blocks_markdown([Paragraph("x" * (WIDTH - 2) + " 1. and more")])
    assert made.splitlines()[1] == "1\\. and more"


def test_every_block_can_stand_on_a_card():
    assert render_markdown(report("words")).count("words") > 30
