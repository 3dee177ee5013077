"""Where the tour stops: the real control that is pointed at, and what is said there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PyQt5.QtWidgets import QWidget

from gui.i18n import tr

if TYPE_CHECKING:
    from gui.shell.main_window import MainWindow


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of the tour.

    Attributes
    ----------
    id
        What tests and pictures know it by.
    anchor
        Returns the control that is pointed at.
    """

    id: str
    anchor: Callable[[], QWidget]
    heading: str
    sentence: str


def make_stops(window: MainWindow) -> tuple[Stop, ...]:
    """Return the stops, in the order of a first piece of work."""
    keys = window.session.keys
    start = tr("The line above Start shows the expected time and disk space. Shortcut: {key}.")
    rate = tr(
        "Step through with {next} and {previous}, rate with {low} to {high}. The menu exports a data set for training."
    )
    listed = tr("{key} lists all keys and lets you change them. Here is also the way back to this tour.")
    return (
        Stop(
            "classes",
            lambda: _with_heading(window.setup),
            tr("Choose the classes"),
            tr("Select the classes and set the number of images per class. Starter models are already installed."),
        ),
        Stop("start", lambda: window.setup.start, tr("Start"), start.format(key=keys.hint("start"))),
        Stop(
            "views",
            lambda: window.picture.tabs,
            tr("Watch, look, explain, compare"),
            tr(
                "See an image being generated step by step, and scrub back afterwards. The next tabs "
                "explain and compare."
            ),
        ),
        Stop(
            "explain",
            lambda: window.top.explain,
            tr("Explanations"),
            tr("A classifier shows which regions it uses, and a reliability check shows whether to trust the map."),
        ),
        Stop(
            "gallery",
            lambda: _with_heading(window.gallery),
            tr("Sort your images"),
            rate.format(
                next=keys.hint("next-image"),
                previous=keys.hint("previous-image"),
                low=keys.hint("rate-1"),
                high=keys.hint("rate-5"),
            ),
        ),
        Stop(
            "output",
            lambda: window.top.output,
            tr("Where the files are"),
            tr(
                "Each image contains its recipe (generation parameters), so that it can be reproduced. "
                "Choose another folder here."
            ),
        ),
        Stop(
            "help",
            lambda: window.top.panels,
            tr("Panels, keys and help"),
            listed.format(key=keys.hint("keys")),
        ),
    )


def _with_heading(panel: QWidget) -> QWidget:
    """Return the dock around a panel."""
    dock = panel.parent()
    return dock if isinstance(dock, QWidget) else panel
