"""Tables on paper: nothing of a cell is lost, nothing runs over the margin."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from matplotlib.text import Text

from reports.model import Figure, Gallery, Report, Table
from reports.pdf import ABREAST, _pages, _Writer, render_pdf
from tests.reports.builders import png, report

REASON = "133 and 133 images are too few for 1280 numbers a feature: at least 2560 are needed on either side. " * 2


def texts_of(table: Table) -> Iterator[Text]:
    writer = _Writer()
    writer.table(table)
    for figure in writer.pages:
        figure.canvas.draw()
        yield from figure.texts


def words_of(table: Table) -> str:
    return " ".join(" ".join(text.get_text() for text in texts_of(table)).split())


def table_of(*cells: str, caption: str = "") -> Table:
    return Table([f"c{place}" for place in range(len(cells))], [cells], caption, frozenset({0}))


def test_a_long_reason_is_told_to_its_end():
    words = words_of(table_of("all", "–", "–", "–", REASON))
    assert "…" not in words
    assert words.split()[-len(REASON.split()) :] == REASON.split()


def test_a_name_without_blanks_is_broken_not_lost():
    name = "".join(f"{number:04}" for number in range(60))
    assert name in words_of(table_of("", name)).replace(" ", "")


def test_a_caption_stands_above_its_table():
    assert words_of(table_of("1", "2", caption="What it means.")).startswith("What it means. c0 c1 1 2")


@pytest.mark.parametrize("cells", [("all", "–", REASON), tuple("wide cell " * 4 for _ in range(8)), ("", "")])
def test_lines_stay_within_the_margins_and_apart(cells: tuple[str, ...]):
    boxes = [text.get_window_extent() for text in texts_of(table_of(*cells)) if text.get_text().strip()]
    width = next(texts_of(table_of(*cells))).get_figure().bbox.width
    assert all(box.x1 <= 0.94 * width for box in boxes)
    assert all(upper.y0 >= lower.y0 for upper, lower in pairwise(boxes))


def test_a_table_longer_than_a_page_goes_on_on_the_next_one():
    rows = [(str(number), REASON * 2) for number in range(40)]
    writer = _Writer()
    writer.table(Table(("n", "why"), rows))
    pages = list(writer.pages)
    assert len(pages) > 1
    assert min(text.get_position()[1] for page in pages for text in page.texts) > 0.05
    assert sum(text.get_text().startswith("39 ") for page in pages for text in page.texts) == 1


def test_every_block_is_on_paper_and_pages_are_numbered():
    pages = _pages(report("many words"))
    words = [text.get_text() for page in pages for text in page.texts]
    assert sum("many words" in text for text in words) > 20
    assert words.count(f"{len(pages)} / {len(pages)}") == 1
    assert render_pdf(report("$x_1$ \\alpha <b>")).startswith(b"%PDF-")


def test_numbers_stand_to_the_right():
    rows = [("a", "1"), ("bb", "1000")]
    lines = [text.get_text() for text in texts_of(Table(("x", "n"), rows))]
    assert lines == ["x      n", "a      1", "bb  1000"]


def test_small_pictures_of_an_uneven_number_fill_their_last_row():
    figures = [Figure(png(), str(number)) for number in range(ABREAST + 1)]
    (page,) = _pages(Report("T", [Gallery(figures, 8)], []))
    (axes,) = page.axes
    assert axes.images[0].get_array().shape == (2 * 8, ABREAST * 12, 3)
