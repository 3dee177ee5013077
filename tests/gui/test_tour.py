"""What helps a newcomer: the tour, the glossary, and what a denoising step is said to be doing."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt5.QtCore import QPoint, QRect, QSize, Qt
from PyQt5.QtWidgets import QApplication, QWidget

from core.events import Preview, Step
from gui.gallery.teaching import Phase, phase_of, what_happens
from gui.help.glossary import matching, terms
from gui.help.glossary_dialog import GlossaryDialog
from gui.help.offer import TOPIC, offer_tour
from gui.help.stops import make_stops
from gui.help.tour import Tour, place_beside
from gui.shell.main_window import MainWindow
from tests.gui.conftest import Opener

SIZES = ((1280, 800), (1024, 700))


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def tour(request: pytest.FixtureRequest, window: MainWindow, qtbot) -> Tour:
    window.resize(*request.param)
    qtbot.waitUntil(lambda: window.width() == request.param[0])
    window.help.start_tour()
    assert window.help.tour
    return window.help.tour


def frame(window: MainWindow, widget: QWidget) -> QRect:
    return QRect(widget.mapTo(window, QPoint()), widget.size())


def test_every_stop_points_at_a_control_that_is_seen(tour: Tour, window: MainWindow, qtbot) -> None:
    seen = []
    for stop in make_stops(window):
        assert tour.stop.id == stop.id
        anchor = tour.stop.anchor()
        assert anchor.isVisible()
        assert not anchor.visibleRegion().isEmpty()
        assert tour.target().contains(frame(window, anchor).intersected(window.rect()))
        note = frame(window, tour.mark)
        assert window.rect().contains(note)
        assert not note.intersects(tour.target()) or stop.id == "classes"
        assert tour.mark.heading.text() == stop.heading
        assert QApplication.focusWidget() is tour.mark.next
        assert stop.sentence in tour.mark.next.accessibleDescription()
        seen.append(stop.id)
        qtbot.mouseClick(tour.mark.next, Qt.MouseButton.LeftButton)
    assert len(seen) == 7  # as the offer says
    assert window.help.tour is None


def test_it_is_led_by_keys_alone(tour: Tour, window: MainWindow, qtbot) -> None:
    first, second = (stop.id for stop in make_stops(window)[:2])
    press = lambda key: qtbot.keyClick(QApplication.focusWidget(), key)  # noqa: E731
    press(Qt.Key.Key_Right)
    assert tour.stop.id == second
    press(Qt.Key.Key_Left)
    assert tour.stop.id == first
    press(Qt.Key.Key_Return)
    assert tour.stop.id == second
    for expected in (tour.mark.skip, tour.mark.back, tour.mark.next):
        press(Qt.Key.Key_Tab)
        assert QApplication.focusWidget() is expected
    press(Qt.Key.Key_Escape)
    assert window.help.tour is None
    assert window.session.run.stop_mode is None


def test_the_focus_goes_back_to_where_it_was(window: MainWindow, qtbot) -> None:
    window.log.filter.setFocus()
    window.help.start_tour()
    window.help.tour.end()
    assert QApplication.focusWidget() is window.log.filter


def test_a_closed_panel_is_brought_up_by_its_stop(window: MainWindow, qtbot) -> None:
    window.toggle_panels()
    window.help.start_tour()
    tour = window.help.tour
    assert window.docks[0].isVisible()
    while tour.stop.id != "gallery":
        tour.go_on()
    assert window.docks[1].isVisible()
    qtbot.waitUntil(lambda: frame(window, window.gallery).width() > 100 and tour.target().width() > 100)


def test_there_is_one_tour_at_a_time_and_it_can_be_taken_again(window: MainWindow) -> None:
    window.help.start_tour()
    first = window.help.tour
    window.help.start_tour()
    assert window.help.tour is first
    first.end()
    window.help.start_tour()
    assert window.help.tour is not first


def test_it_follows_the_window(tour: Tour, window: MainWindow, qtbot) -> None:
    window.resize(1100, 760)
    qtbot.waitUntil(lambda: tour.size() == window.size())


def test_keys_in_its_words_are_those_in_force(window: MainWindow) -> None:
    window.session.keys.assign("start", ["F5"])
    assert "F5" in {stop.id: stop for stop in make_stops(window)}["start"].sentence


def test_it_is_offered_once(open_window: Opener, qtbot) -> None:
    first = open_window()
    offer_tour(first.session, first.help.start_tour)
    assert first.session.notices.has(TOPIC)
    first.session.notices.act()
    assert first.help.tour
    first.help.tour.end()
    first.close()
    second = open_window()
    offer_tour(second.session, second.help.start_tour)
    assert not second.session.notices.has(TOPIC)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (QRect(10, 10, 200, 500), "right"),
        (QRect(900, 10, 100, 500), "left"),
        (QRect(100, 10, 850, 40), "below"),
        (QRect(100, 600, 850, 90), "above"),
        (QRect(0, 0, 1000, 700), "middle"),
    ],
)
def test_the_note_covers_as_little_as_it_can(target: QRect, expected: str) -> None:
    room, size = QRect(0, 0, 1000, 700), QSize(320, 120)
    note = QRect(place_beside(target, QRect(QPoint(), size), room), size)
    found = {
        "right": note.left() > target.right(),
        "left": note.right() < target.left(),
        "below": note.top() > target.bottom(),
        "above": note.bottom() < target.top(),
        "middle": abs(note.center().x() - 500) < 2,
    }
    assert room.contains(note)
    assert found[expected]


@pytest.fixture
def glossary(window: MainWindow, qtbot) -> GlossaryDialog:
    window.help.show_glossary()
    found = window.help.dialog("glossary")
    assert isinstance(found, GlossaryDialog)
    return found


def test_the_glossary_explains_the_words_of_the_window(glossary: GlossaryDialog) -> None:
    wanted = (
        "timestep",
        "sampler",
        "guidance",
        "seed",
        "baseline",
        "attribution",
        "reliability check",
        "recipe",
        "trajectory",
    )
    names = [name.casefold() for name in glossary.found]
    assert names == sorted(names)
    assert all(word in names for word in wanted)
    assert all(len(term.meaning) > 30 and term.meaning.endswith(".") for term in terms())


def test_the_glossary_is_searched(glossary: GlossaryDialog, qtbot) -> None:
    qtbot.keyClicks(glossary.search, "compares with")
    assert glossary.found == ("Baseline",)
    assert "plain skin" in glossary.meaning.toPlainText()
    glossary.search.setText("nothing like that")
    assert glossary.found == ()
    assert "No matching term" in glossary.meaning.toPlainText()
    assert matching(terms(), "seed")[0].name == "Seed"


@pytest.mark.parametrize(
    ("timestep", "phase"),
    [(1000, Phase.LAYOUT), (800, Phase.LAYOUT), (799, Phase.SHAPE), (300, Phase.SHAPE), (299, Phase.TEXTURE),
     (0, Phase.TEXTURE)],
)  # fmt: skip
def test_what_a_step_decides_goes_from_coarse_to_fine(timestep: int, phase: Phase) -> None:
    assert phase_of(timestep) is phase


def test_the_caption_follows_the_scrubber(window: MainWindow) -> None:
    picture = Preview(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8, 3), np.uint8))
    for number, timestep in enumerate((950, 500, 10), start=1):
        window.session.denoising.add(Step("MEL", number, 3, timestep, (1,), picture))
    view = window.picture.denoising
    shown = []
    for position in range(3):
        view.slider.setValue(position)
        shown.append(view.teaching.text())
    assert shown == [what_happens(timestep) for timestep in (950, 500, 10)]
    assert len(set(shown)) == 3


def test_safe_mode_which_remembers_nothing_does_not_offer_it(window: MainWindow) -> None:
    window.session.settings.is_safe = True
    offer_tour(window.session, window.help.start_tour)
    assert all(notice.topic != TOPIC for notice in window.session.notices._notices.values())
