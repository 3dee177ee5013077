"""The report on several images: verdict, plots, tables, and links to the images' own pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.inline import Span
from reports.model import Block, Details, Heading, Paragraph, Report, Section, Table
from xai.numbers import signed
from xai.trajectory.artefacts import Drawn
from xai.trajectory.folders import REPORT_FILE
from xai.trajectory.image_page import pictures
from xai.trajectory.interventions import TITLES
from xai.trajectory.plot_shift import ROWS
from xai.trajectory.row import ENOUGH, Row
from xai.trajectory.shift import FORMULA
from xai.trajectory.summary import Summary
from xai.trajectory.summary_plots import CONTRAST_TITLES
from xai.trajectory.summary_words import family_words, verdict_of_summary
from xai.trajectory.words import LOGIT

_HEAD = (
    "class", "intervention", "n", "mean", "95 % interval", "Wilcoxon p", "Holm p", "permutation p", "Welch p",
    "rank-biserial", "Cohen's d",
)  # fmt: skip


def report_on_images(summary: Summary, drawn: Drawn, parts: Sequence[str]) -> Report:
    """Return the report on several images.

    Parameters
    ----------
    parts
        Names of the images' folders.
    """
    verdict = [Paragraph(sentence) for sentence in verdict_of_summary(summary)]
    controls = Details("In numbers", list(_control_tables(summary)))
    sections = [
        Section("Verdict", [*verdict, Paragraph(LOGIT, "muted")]),
        _plot(drawn, "Does the marked region matter?", "statistical_analysis.png", f"{FORMULA}."),
        _plot(drawn, "When does the class come into the images?", "time_shap_summary.png", _TIMES),
        Section("Tests over the images", list(_tables(summary))),
        Section("Controls and rivals", [Paragraph(_CONTROLS, "muted"), controls]),
        Section("The images", [Paragraph(Span(name, "link", f"{name}/{REPORT_FILE}")) for name in parts]),
    ]
    return Report(f"Trajectories of {sum(summary.images.values())} images", (), sections)


_TIMES = (
    "Mean Shapley values over the images of a class: what a group of steps adds to the logit of the class. Lines: 95 % "
    f"bootstrap intervals, from {ENOUGH} images on."
)
_COLUMNS = (
    "Means are in logits; above 0 the marked region moves the classifier more. Rank-biserial correlation lies between "
    "\u22121 and 1, Cohen's d is the mean over the standard deviation, Welch's test leaves the pairing aside. "
    f"Fewer than {ENOUGH} images have no interval: it would be too narrow."
)
_CONTROLS = (
    "The true value of a control is 0, whatever the classifier sees: a random map marks no place more than another, "
    "two heads shuffled at random are worth the same, and so are a class and another in random order. A control that "
    "stands would say that the measurement is at fault. A rival need not come to nothing: the map of a shuffled head "
    "and the effect on another class tell what any map gives that finds the lesion at all, and what of the index is "
    "therefore not owed to this map for this class."
)


def _plot(drawn: Drawn, title: str, name: str, words: str) -> Section:
    return Section(title, [Paragraph(words, "muted"), *pictures(drawn, [name], title)])


def _tables(summary: Summary) -> Iterator[Block]:
    yield Paragraph(f"{family_words(summary.rows)} {_COLUMNS}", "muted")
    for contrast, title in CONTRAST_TITLES.items():
        yield Heading(title)
        rows = [_cells(row) for row in summary.family() if row.contrast == contrast]
        yield Table(_HEAD, rows, words=frozenset({0, 1}))


def _control_tables(summary: Summary) -> Iterator[Block]:
    yield _control_table([row for row in summary.rows if row.map_row != "own"])
    yield Heading("The map itself minus a random map and minus the rivals")
    yield _control_table(summary.beyond)


def _control_table(rows: Sequence[Row]) -> Table:
    cells = [(ROWS[row.map_row], CONTRAST_TITLES[row.contrast], *_cells(row)) for row in rows]
    return Table(("map", "contrast", *_HEAD), cells, words=frozenset({0, 1, 2, 3}))


def _cells(row: Row) -> Sequence[str]:
    found = row.result
    interval = f"{signed(found.low)} to {signed(found.high)}" if row.is_judged else "\u2013"
    p_values = (found.wilcoxon_p, found.holm_p, found.permutation_p, found.welch_p)
    return (
        row.class_code,
        TITLES[row.intervention],
        str(found.n),
        signed(found.mean),
        interval,
        *(_p(value) for value in p_values),
        signed(found.rank_biserial),
        signed(found.cohens_d),
    )


def _p(value: float | None) -> str:
    if value is None:
        return "\u2013"
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"
