"""Explanations: over the right picture, cached, cancelled, and never more than they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ModelMissingError
from gui.explain.explain import ExplainState
from gui.shell.main_window import MainWindow
from tests.gui.explaining import EXPLAIN, make_image, show, wait_ready
from tests.gui.fake_engine import REASONS, FakeEngine
from tests.gui.test_run import ask_for, wait_idle


def test_the_shown_image_is_explained(window: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot) -> None:
    image = make_image(tmp_path, "a.png", 1)
    show(window, image, qtbot)
    assert engine.explained == []
    window.top.explain.click()
    wait_ready(window, qtbot)
    assert engine.explained == [image]
    view = window.picture.explain
    assert window.picture.tabs.currentIndex() == EXPLAIN
    assert view.facts.badge.accessibleName() == "Reliability check: Checks passed"
    assert "MEL 71%" in view.facts.bars.accessibleDescription()
    assert view.facts.bar.accessibleName().endswith(" logits/pixel")
    assert "Integrated Gradients for MEL" in view.facts.caption.text()


def test_an_explanation_is_computed_once(window: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot) -> None:
    first, second = make_image(tmp_path, "a.png", 1), make_image(tmp_path, "b.png", 2)
    window.session.settings.set("xai.enabled", True)
    for path in (first, second, first, second):
        show(window, path, qtbot)
        wait_ready(window, qtbot)
    assert engine.explained == [first, second]


def test_the_same_pixels_under_another_name_are_not_computed_again(
    window: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot
) -> None:
    window.session.settings.set("xai.enabled", True)
    for name in ("a.png", "copy.png"):
        show(window, make_image(tmp_path, name, 1), qtbot)
        wait_ready(window, qtbot)
    assert len(engine.explained) == 1


def test_changed_options_are_computed_anew(window: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot) -> None:
    window.session.settings.set("xai.enabled", True)
    show(window, make_image(tmp_path, "a.png", 1), qtbot)
    wait_ready(window, qtbot)
    window.session.settings.set("xai.baseline", "blur")
    assert window.session.explain.state is ExplainState.WORKING
    wait_ready(window, qtbot)
    assert len(engine.explained) == 2


def test_moving_on_cancels_and_shows_the_latest(window: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot) -> None:
    engine.gate.clear()
    window.session.settings.set("xai.enabled", True)
    show(window, make_image(tmp_path, "a.png", 1), qtbot)
    qtbot.waitUntil(lambda: len(engine.explained) == 1)
    last = make_image(tmp_path, "b.png", 2)
    show(window, last, qtbot)
    qtbot.waitUntil(lambda: len(engine.explained) == 2)  # the first has been given up, or this would wait for it
    engine.gate.set()
    wait_ready(window, qtbot)
    assert engine.explained[-1] == last


def test_switching_off_goes_back_to_the_image(window: MainWindow, tmp_path: Path, qtbot) -> None:
    show(window, make_image(tmp_path, "a.png", 1), qtbot)
    window.top.explain.click()
    wait_ready(window, qtbot)
    window.top.explain.click()
    assert window.session.explain.state is ExplainState.OFF
    assert window.picture.tabs.currentIndex() == 0


def test_an_error_is_told_in_place_and_can_be_retried(
    window: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot
) -> None:
    engine.explain_error = ModelMissingError("There is no classifier.", remedy="Choose one.")
    window.session.settings.set("xai.enabled", True)
    show(window, make_image(tmp_path, "a.png", 1), qtbot)
    qtbot.waitUntil(lambda: window.session.explain.state is ExplainState.FAILED)
    view = window.picture.explain
    window.picture.tabs.setCurrentIndex(EXPLAIN)
    assert view.empty._heading.text() == "There is no classifier."
    assert view.retry.isVisible()
    engine.explain_error = None
    view.retry.click()
    wait_ready(window, qtbot)


@pytest.mark.parametrize(("level", "word"), [("amber", "Caution"), ("red", "Checks failed")])
def test_a_doubtful_map_says_so(
    window: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot, level: str, word: str
) -> None:
    engine.level = level
    window.session.settings.set("xai.enabled", True)
    show(window, make_image(tmp_path, "a.png", 1), qtbot)
    wait_ready(window, qtbot)
    badge = window.picture.explain.facts.badge
    assert badge.accessibleName().endswith(word)
    assert badge.accessibleDescription() == REASONS[level][0]


def test_a_red_verdict_shows_no_map(window: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot) -> None:
    engine.level = "red"
    window.session.settings.set("xai.enabled", True)
    show(window, make_image(tmp_path, "a.png", 1), qtbot)
    wait_ready(window, qtbot)
    view = window.picture.explain
    assert not view.facts.bar.isVisibleTo(view)
    assert not view.opacity.isVisibleTo(view)
    assert view.view._overlay.opacity() == 1.0


def test_the_map_fades(window: MainWindow, tmp_path: Path, qtbot) -> None:
    window.session.settings.set("xai.enabled", True)
    show(window, make_image(tmp_path, "a.png", 1), qtbot)
    wait_ready(window, qtbot)
    window.picture.explain.opacity.setValue(25)
    assert window.picture.explain.view._overlay.opacity() == pytest.approx(0.25)
    assert window.session.settings.get("xai.opacity") == pytest.approx(0.25)


def test_every_nth_image_of_a_run_is_explained_and_saved(
    window: MainWindow, engine: FakeEngine, output: Path, qtbot
) -> None:
    window.session.settings.set("xai.enabled", True)
    window.top.every.setValue(2)
    ask_for(window, MEL=3, NV=1)
    window.setup.start.click()
    wait_idle(window, qtbot)
    qtbot.waitUntil(lambda: len(engine.saved) == 3)
    assert [path.relative_to(output) for path in engine.saved] == [
        Path("MEL/ISIC_0000001.png"),
        Path("MEL/ISIC_0000003.png"),
        Path("NV/ISIC_0000001.png"),
    ]
    assert engine.requests[0].xai_every == 2


def test_with_explanations_on_one_image_in_ten_is_saved_and_at_least_the_first(
    window: MainWindow, engine: FakeEngine, output: Path, qtbot
) -> None:
    window.session.settings.set("xai.enabled", True)
    assert window.top.every.value() == 10
    ask_for(window, MEL=11, NV=2)
    window.setup.start.click()
    wait_idle(window, qtbot)
    qtbot.waitUntil(lambda: len(engine.saved) == 3)
    assert [path.relative_to(output).as_posix() for path in engine.saved] == [
        "MEL/ISIC_0000001.png",
        "MEL/ISIC_0000011.png",
        "NV/ISIC_0000001.png",
    ]


def test_without_the_switch_nothing_is_explained(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    ask_for(window, MEL=2)
    window.setup.start.click()
    wait_idle(window, qtbot)
    qtbot.wait(50)
    assert engine.explained == engine.saved == []


def test_the_shown_image_does_not_wait_for_explanations_being_saved(
    window: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot
) -> None:
    engine.save_gate.clear()
    window.session.settings.set("xai.enabled", True)
    window.session.explain.save(make_image(tmp_path, "kept.png", 1))
    qtbot.waitUntil(lambda: len(engine.saved) == 1)
    show(window, make_image(tmp_path, "shown.png", 2), qtbot)
    wait_ready(window, qtbot)
    engine.save_gate.set()
