"""The report on several images: verdict, plots, tables, and links to the images' own pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.model import Block, Details, Heading, Paragraph, Report, Section, Span, Table
from xai.explanation import signed
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
    "class", "intervention", "n", "mean", "95 % CI", "Wilcoxon p", "Holm p", "permutation p", "Welch p",
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
        _plot(drawn, "When does the class appear in the images?", "time_shap_summary.png", _TIMES),
        Section("Tests over the images", list(_tables(summary))),
        Section("Negative controls and comparison maps", [Paragraph(_CONTROLS, "muted"), controls]),
        Section("The images", [Paragraph(Span(name, "link", f"{name}/{REPORT_FILE}")) for name in parts]),
    ]
    return Report(f"Trajectories of {sum(summary.images.values())} images", (), sections)


_TIMES = (
    "Mean Shapley values over the images of a class: what a group of steps adds to the logit of the class. Lines: 95 % "
    f"bootstrap CIs, from {ENOUGH} images on."
)
_COLUMNS = (
    "Means are in logits; above 0 the marked region changes the logit more. Rank-biserial correlation is between "
    "\u22121 and 1, Cohen's d is the mean over the standard deviation, the Welch test ignores the pairing. "
    f"Fewer than {ENOUGH} images have no CI: it would be too narrow."
)
_CONTROLS = (
    "The true value of a negative control is 0 for every classifier: a random map marks no place more than another, "
    "two heads with permuted weights are exchangeable, and so are a class and another in random order. A control that "
    "differs from zero shows that the measurement is biased. A comparison map need not be zero: the map of a head with "
    "permuted weights and the effect on another class show the CSI of any map that finds the lesion, the part that is "
    "not specific to this map and this class."
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
    yield Heading("The map itself minus a random map and minus the comparison maps")
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
