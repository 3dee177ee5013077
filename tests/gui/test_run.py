"""Starting, following and stopping a run in the window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import Qt

from core.cancel import StopMode
from core.errors import DiskFullError, FolderLockedError, ModelMissingError, OutOfMemoryError
from core.events import Failed, Preview, Step
from gui.gallery.denoising import FILMS, DenoisingModel
from gui.gallery.denoising_view import PLAY_MS
from gui.i18n import tr
from gui.run.run import RunState
from gui.shell.main_window import MainWindow
from tests.gui.fake_engine import FakeEngine


def ask_for(window: MainWindow, **counts: int) -> None:
    window.session.classes.check_all(False)
    for code, count in counts.items():
        window.setup.rows[code]._check.setChecked(True)
        window.setup.rows[code]._count.setValue(count)


def estimate_of(window: MainWindow) -> str:
    return window.setup.controls.estimate.text().replace("\N{NO-BREAK SPACE}", " ")


def wait_idle(window: MainWindow, qtbot) -> None:
    qtbot.waitUntil(lambda: not window.session.run.busy)


def test_the_request_is_what_the_widgets_say(window: MainWindow, engine: FakeEngine, output: Path, qtbot) -> None:
    ask_for(window, MEL=2, VASC=1)
    window.setup.advanced._content.steps.setValue(7)
    window.setup.advanced._content.seed.setValue(99)
    window.setup.start.click()
    wait_idle(window, qtbot)
    (request,) = engine.requests
    assert request.counts == (("MEL", 2), ("VASC", 1))
    assert (request.steps, request.seed, request.output, request.guidance) == (7, 99, output, None)


def test_a_run_is_followed_to_its_end(window: MainWindow, output: Path, qtbot) -> None:
    ask_for(window, MEL=2, NV=1)
    window.setup.start.click()
    assert window.session.run.state is RunState.STARTING
    assert not window.setup.start.isEnabled()
    assert window.setup.controls.stop.isEnabled()
    wait_idle(window, qtbot)
    assert window.progress.bar.value() == window.progress.bar.maximum()
    assert window.progress.count.text() == "3 / 3"
    assert "Finished: 3 images" in window.progress.what.text()
    assert window.gallery.list.model().rowCount() == 3
    qtbot.waitUntil(lambda: window.session.picture.picture is not None)
    qtbot.waitUntil(lambda: window.session.picture.picture.path == output / "NV" / "ISIC_0000001.png")
    assert "seed" in window.picture.recipe.line.text()
    assert window.setup.start.isEnabled()


def test_steps_are_shown_while_they_happen(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    engine.gate.clear()
    ask_for(window, MEL=1)
    window.setup.start.click()
    assert window.picture.denoising.empty.heading == tr("Starting…")  # until there is a picture to show
    qtbot.waitUntil(lambda: window.session.run.state is RunState.RUNNING)
    engine.gate.set()
    wait_idle(window, qtbot)
    assert window.picture.denoising.empty.heading == tr("Nothing is being generated")
    frames = window.session.denoising.frames
    assert frames[-1].step == engine.steps
    assert window.picture.denoising.noisy.has_picture
    window.picture.denoising.slider.setValue(0)
    assert window.session.denoising.frame is frames[0]


def test_nothing_checked_cannot_be_started(window: MainWindow) -> None:
    ask_for(window)
    assert not window.setup.start.isEnabled()
    assert "at least one class" in estimate_of(window)


def test_the_estimate_learns_this_machines_speed(window: MainWindow, qtbot) -> None:
    ask_for(window, MEL=2)
    qtbot.waitUntil(lambda: window.session.forecast.run_estimate is not None)
    assert "time estimate after the first image" in estimate_of(window)
    window.setup.start.click()
    wait_idle(window, qtbot)
    window.session.settings.set("generation.steps", 400)
    # the engine told of 0.1 s for an image of 4 steps: two images of 400 steps take 20 s
    assert estimate_of(window) == "2 images · ~20 s · 0.1 MB"
    window.session.settings.set("generation.precision", "bf16")  # of which nothing has been measured
    qtbot.waitUntil(lambda: "time estimate" in estimate_of(window))


@pytest.mark.parametrize(
    ("mode", "kept", "words"),
    [
        (StopMode.AFTER_IMAGE, 1, "1 image of this run kept"),
        (StopMode.NOW, 0, "0 images of this run kept"),
        (StopMode.DISCARD, 0, "deleted"),
    ],
)
def test_three_stops(
    window: MainWindow, engine: FakeEngine, output: Path, qtbot, mode: StopMode, kept: int, words: str
) -> None:
    engine.gate.clear()
    ask_for(window, MEL=5)
    window.setup.start.click()
    qtbot.waitUntil(lambda: window.session.run.state is RunState.RUNNING)
    window.session.stop(mode)
    assert window.session.run.state is RunState.STOPPING
    assert "Stopping" in window.progress.what.text()
    engine.gate.set()
    wait_idle(window, qtbot)
    assert len(list(output.glob("*/*.png"))) == kept
    assert words in window.progress.what.text()


def test_discard_empties_the_gallery_again(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    ask_for(window, MEL=3)
    engine.fail_at = lambda number: window.session.run._cancel.request(StopMode.DISCARD) if number == 3 else None
    window.setup.start.click()
    wait_idle(window, qtbot)
    qtbot.waitUntil(lambda: window.session.gallery.rowCount() == 0)
    assert window.session.picture.picture is None


def test_regenerate_repeats_the_last_request(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    assert not window.setup.controls.regenerate.isEnabled()
    ask_for(window, MEL=1)
    window.setup.start.click()
    wait_idle(window, qtbot)
    ask_for(window, NV=2)
    window.setup.controls.regenerate.click()
    wait_idle(window, qtbot)
    assert engine.requests[0] == engine.requests[1]


@pytest.mark.parametrize(
    "error",
    [
        ModelMissingError("There is no model for MEL.", remedy="Choose another folder."),
        DiskFullError("The disk is full.", remedy="Free some space."),
        FolderLockedError("Process 7 is writing there.", remedy="Wait for it."),
        OutOfMemoryError("Not even one image fits.", remedy="Use the CPU."),
    ],
)
def test_an_error_of_the_engine_is_told_with_its_remedy(
    window: MainWindow, engine: FakeEngine, qtbot, error: Exception
) -> None:
    def fail(number: int) -> None:
        raise error

    engine.fail_at = fail
    ask_for(window, MEL=1)
    window.setup.start.click()
    wait_idle(window, qtbot)
    (dialog,) = window._problems
    assert dialog.problem.message == error.message
    assert dialog.problem.remedy == error.remedy
    assert dialog.problem.expected
    assert dialog.isVisible()
    assert window.setup.start.isEnabled()


@pytest.mark.parametrize("kind", [RuntimeError, ValueError, StopIteration, KeyError])
def test_an_unexpected_error_of_the_engine_is_told_too(
    window: MainWindow, engine: FakeEngine, qtbot, kind: type[Exception]
) -> None:
    """RuntimeError is torch's own error; StopIteration ends generators silently where it is not converted."""

    def fail(number: int) -> None:
        raise kind("CUDA error: device-side assert")

    engine.fail_at = fail
    ask_for(window, MEL=1)
    window.setup.start.click()
    wait_idle(window, qtbot)
    (dialog,) = window._problems
    assert "CUDA error: device-side assert" in dialog.problem.details
    assert dialog.problem.report.is_file()
    assert "CUDA error" in dialog.problem.report.read_text(encoding="utf-8")


def test_a_class_without_a_usable_model_does_not_interrupt(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    refused = Failed("MEL", "model_truncated", "unet_MEL_best.pth ends too early.", "Download it again.", 2)
    engine.extra = lambda number: iter([refused] if number == 1 else [])
    ask_for(window, NV=1)
    window.setup.start.click()
    wait_idle(window, qtbot)
    assert "MEL" in window.banner.text
    assert window._problems == []
    window.banner._action.click()
    assert "ends too early" in window._problems[0].problem.message


def test_another_run_can_follow_an_error(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    def fail(number: int) -> None:
        raise RuntimeError("once")

    engine.fail_at = fail
    ask_for(window, MEL=1)
    window.setup.start.click()
    wait_idle(window, qtbot)
    engine.fail_at = lambda number: None
    window._problems[0].close()
    window.setup.start.click()
    wait_idle(window, qtbot)
    assert window.progress.count.text() == "1 / 1"
    assert window._problems == []


def test_a_second_start_is_ignored_while_running(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    engine.gate.clear()
    ask_for(window, MEL=1)
    window.session.start()
    window.session.start()
    engine.gate.set()
    wait_idle(window, qtbot)
    assert len(engine.requests) == 1


def test_the_time_is_tried_out_before_the_first_run_and_measured_better_by_it(
    window: MainWindow, engine: FakeEngine, qtbot
) -> None:
    """Two steps of trial foretell the first run; from its images on, they count for nothing."""
    engine.trial_seconds = 0.5
    engine.trial_gate.clear()
    window.session.settings.set("generation.guidance", 3.0)  # of which nothing has been tried
    ask_for(window, MEL=2)
    qtbot.waitUntil(lambda: "timing…" in estimate_of(window))
    engine.trial_gate.set()
    qtbot.waitUntil(lambda: estimate_of(window) == "2 images · ~20 s · 0.1 MB")  # of 20 steps each
    tried = len(engine.tried)
    ask_for(window, NV=1)
    window.session.settings.set("generation.steps", 40)
    qtbot.waitUntil(lambda: estimate_of(window) == "1 image · ~20 s · 0.1 MB")
    assert len(engine.tried) == tried
    window.session.settings.set("generation.steps", 400)
    window.setup.start.click()
    wait_idle(window, qtbot)
    assert estimate_of(window) == "1 image · ~10 s · 0.1 MB"  # 0.1 s for the 4 steps that the engine tells of


def test_the_focus_goes_from_start_to_stop_and_back(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    """Left to Qt it goes on to "To queue", and the next space bar adds a run nobody asked for."""
    controls = window.setup.controls
    window.activateWindow()
    ask_for(window, MEL=1)
    engine.gate.clear()
    controls.start.setFocus()
    qtbot.waitUntil(controls.start.hasFocus)
    qtbot.keyClick(controls.start, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.session.run.state is RunState.RUNNING)
    assert controls.stop.hasFocus()
    engine.gate.set()
    wait_idle(window, qtbot)
    assert controls.start.hasFocus()


def test_the_steps_of_the_image_that_is_chosen_are_looked_back_at(window: MainWindow, output: Path, qtbot) -> None:
    """Of the latest images; of an older one it is said that they are not kept, instead of showing another's."""
    session, view = window.session, window.picture.denoising
    ask_for(window, MEL=FILMS + 1)
    window.setup.start.click()
    wait_idle(window, qtbot)

    def choose(number: int) -> None:
        file = output / "MEL" / f"ISIC_{number:07d}.png"
        session.show_image(file)
        qtbot.waitUntil(lambda: session.picture.path == file)

    for number in (2, FILMS + 1, 3):
        choose(number)
        assert np.array_equal(session.denoising.frame.preview.noisy, session.picture.picture.pixels)
        assert view.noisy.isVisibleTo(view)
    choose(1)
    assert session.denoising.frames == []
    assert view.empty.heading == tr("No denoising steps for this image")
    ask_for(window, NV=1)
    window.setup.start.click()
    assert view.empty.heading == tr("Starting…")
    wait_idle(window, qtbot)
    choose(4)
    assert np.array_equal(session.denoising.frame.preview.noisy, session.picture.picture.pixels)


def test_steps_of_an_image_that_was_not_written_belong_to_nobody(tmp_path: Path) -> None:
    """Of a batch the first image is watched; if it comes out unusable, the next one that is written is another."""
    model = DenoisingModel()
    files = [tmp_path / f"{number}.png" for number in range(2)]
    for file in files:
        file.touch()
    picture = Preview(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 3), np.uint8))
    model.add(Step("MEL", 1, 1, 999, (1, 2, 3), picture))
    model.leave()
    model.keep(files[0])
    model.add(Step("MEL", 1, 1, 999, (4, 5), picture))
    model.keep(files[1])
    model.choose(files[0])
    assert model.is_unknown
    model.choose(files[1])
    assert [frame.image for frame in model.frames] == [4]


def test_both_pictures_of_a_step_are_magnified_together(window: MainWindow, qtbot) -> None:
    ask_for(window, MEL=1)
    window.setup.start.click()
    wait_idle(window, qtbot)
    window.picture.tabs.setCurrentIndex(1)
    view = window.picture.denoising
    for magnified in (view.noisy, view.predicted):
        magnified.zoom_by(2)
        assert view.noisy.zoom == pytest.approx(view.predicted.zoom)
        assert window.picture._zoom.text() == f"{view.noisy.zoom:.0%}"
    window.picture.image.zoom_by(5)  # which nobody sees
    assert window.picture._zoom.text() == f"{view.noisy.zoom:.0%}"


def test_pausing_moves_no_button(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    controls = window.setup.controls
    ask_for(window, MEL=2)
    engine.gate.clear()
    controls.start.click()
    qtbot.waitUntil(lambda: window.session.run.state is RunState.RUNNING)
    qtbot.wait(50)
    before = [button.geometry() for button in (controls.start, controls.pause, controls.stop)]
    controls.pause.click()
    qtbot.waitUntil(lambda: controls.pause.text() == tr("Resume"))
    qtbot.wait(50)
    assert [button.geometry() for button in (controls.start, controls.pause, controls.stop)] == before


def test_the_steps_are_played_from_the_first_to_the_last(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    engine.show_every_step(window.session.run)
    ask_for(window, MEL=1)
    window.setup.start.click()
    wait_idle(window, qtbot)
    model, view = window.session.denoising, window.picture.denoising
    seen = []
    model.changed.connect(lambda: seen.append(model.position))
    view.play.click()
    qtbot.waitUntil(lambda: view.slider.value() == engine.steps - 1 and view.play.toolTip() == tr("Play the steps"))
    assert seen == list(range(engine.steps))
    view.play.click()
    assert view.play.toolTip() == tr("Stop playing")
    view.play.click()
    assert view.slider.value() == 0
    qtbot.wait(2 * PLAY_MS)
    assert view.slider.value() == 0


def test_the_slider_stays_where_it_is_while_the_number_of_the_step_grows(window: MainWindow, qtbot) -> None:
    model, view = window.session.denoising, window.picture.denoising
    window.picture.tabs.setCurrentIndex(1)
    picture = Preview(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 3), np.uint8))
    places = set()
    for step in (9, 10, 11):
        model.add(Step("MEL", step, 20, 999, (1,), picture))
        qtbot.wait(20)
        places.add(view.slider.x())
    assert len(places) == 1
