"""Comparing two pictures, making one again, exporting the denoising, dropping a picture of somebody else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PyQt5.QtCore import QMimeData, QPoint, Qt, QUrl
from PyQt5.QtGui import QDropEvent
from PyQt5.QtWidgets import QFileDialog

from core.errors import ModelMissingError
from dataset.png import encode_png
from gui.explain.explain import ExplainState
from gui.gallery.compare_view import Mode
from gui.gallery.picture_panel import COMPARE, EXPLAIN
from gui.gallery.wipe_view import WipeView
from gui.shell.main_window import MainWindow
from gui.widgets.images import to_pixmap
from gui.widgets.picture_view import PictureView
from tests.gui.conftest import Opener
from tests.gui.fake_engine import FakeEngine, make_pixels, make_recipe
from tests.gui.test_gallery_work import choose, press, settle
from tests.gui.test_run import ask_for, wait_idle
from tests.support.datasets import generate, pixels_of


def store(folder: Path, name: str, seed: int, size: int = 32) -> Path:
    path = folder / name
    path.write_bytes(encode_png(make_pixels(seed, size), make_recipe("MEL", seed, size=size)))
    return path


@pytest.fixture
def two(open_window: Opener, output: Path, qtbot) -> MainWindow:
    generate(output, "MEL=2")
    window = open_window()
    settle(window, qtbot)
    return window


def ready(window: MainWindow) -> bool:
    compare = window.session.collection.compare
    return compare.a is not None and compare.b is not None and compare.difference is not None


def shown_names(window: MainWindow) -> list[str]:
    compare = window.session.collection.compare
    return [picture.path.name for picture in (compare.a, compare.b)]


def test_two_chosen_images_are_compared_by_a_key(two: MainWindow, qtbot) -> None:
    choose(two, 1, 0)
    press(two, "C")
    qtbot.waitUntil(lambda: ready(two))
    assert two.picture.tabs.currentIndex() == COMPARE
    assert shown_names(two) == ["ISIC_0000001.png", "ISIC_0000002.png"]  # the one chosen last is B
    first, second = two.session.collection.compare.a.pixels, two.session.collection.compare.b.pixels
    gap = np.abs(first.astype(int) - second.astype(int))
    assert f"difference is {gap.max()} of 255, on average {gap.mean():.2f}" in two.picture.compare.verdict.text()
    two.picture.compare.swap.click()
    assert shown_names(two) == ["ISIC_0000002.png", "ISIC_0000001.png"]


def test_one_chosen_image_waits_for_the_next(two: MainWindow, qtbot) -> None:
    choose(two, 0)
    settle(two, qtbot)
    press(two, "C")
    assert two.picture.tabs.currentIndex() == COMPARE
    assert "A is MEL/ISIC_0000002.png" in two.picture.compare.empty._heading.text()
    two.gallery.step(1)
    qtbot.waitUntil(lambda: ready(two))
    assert shown_names(two) == ["ISIC_0000002.png", "ISIC_0000001.png"]
    assert two.picture.tabs.currentIndex() == COMPARE


def colors_of(view: PictureView, *shares: float) -> list[str]:
    """The colours at parts of the width, half way down, of what is really drawn."""
    image = view.viewport().grab().toImage()
    return [image.pixelColor(round(share * (image.width() - 1)), image.height() // 2 + 20).name() for share in shares]


def plain(color: str, width: int = 40, height: int = 40) -> np.ndarray:
    return np.array(Image.new("RGB", (width, height), color))


def test_the_line_parts_the_two_pictures_where_it_stands(qtbot) -> None:
    view = WipeView()
    qtbot.addWidget(view)
    view.resize(300, 300)
    view.show()
    view.show_picture(to_pixmap(plain("#ff0000")))
    view.show_overlay(to_pixmap(plain("#0000ff", 80, 80)))  # of another resolution
    view.set_share(0.5)
    assert colors_of(view, 0.2, 0.45, 0.55, 0.8) == ["#ff0000", "#ff0000", "#0000ff", "#0000ff"]
    view.set_share(0.25)
    assert colors_of(view, 0.2, 0.45, 0.8) == ["#ff0000", "#0000ff", "#0000ff"]
    view.set_share(0.0)
    assert colors_of(view, 0.1, 0.5, 0.9) == ["#0000ff"] * 3
    view.set_share(1.0)
    assert colors_of(view, 0.1, 0.5, 0.9) == ["#ff0000"] * 3


def test_blinking_shows_one_after_the_other_and_rests_when_nobody_looks(two: MainWindow, qtbot) -> None:
    choose(two, 0, 1)
    press(two, "C")
    qtbot.waitUntil(lambda: ready(two))
    view = two.picture.compare
    view.buttons[Mode.BLINK].click()
    assert view._blink.isActive()
    seen = [view.over.share]
    for _ in range(3):
        view._blink.timeout.emit()
        seen.append(view.over.share)
    assert seen == [1.0, 0.0, 1.0, 0.0]
    two.picture.tabs.setCurrentIndex(0)
    assert not view._blink.isActive()
    two.picture.tabs.setCurrentIndex(COMPARE)
    assert view._blink.isActive()
    view.buttons[Mode.WIPE].click()
    assert not view._blink.isActive()
    assert view.over.share == 0.5


def test_zoom_and_place_are_shared_also_between_resolutions(two: MainWindow, tmp_path: Path, qtbot) -> None:
    small, large = store(tmp_path, "small.png", 1, 32), store(tmp_path, "large.png", 2, 64)
    two.session.collection.compare.compare_files(small, large)
    qtbot.waitUntil(lambda: two.session.collection.compare.b is not None)
    view = two.picture.compare
    view.buttons[Mode.BESIDE].click()
    left, right = view.left, view.right
    qtbot.waitUntil(lambda: left.viewport().width() > 100)
    assert two.picture.view is left
    two.picture.zoom_by(8)
    assert left.zoom == pytest.approx(2 * right.zoom)
    for bar in (left.horizontalScrollBar(), left.verticalScrollBar()):
        bar.setValue(bar.minimum() + (bar.maximum() - bar.minimum()) // 4)
    assert left.place().x < 0.5
    assert right.place().x == pytest.approx(left.place().x, abs=0.02)
    assert right.place().y == pytest.approx(left.place().y, abs=0.02)
    right.horizontalScrollBar().setValue(right.horizontalScrollBar().maximum())
    assert left.place().x == pytest.approx(right.place().x, abs=0.02)
    right.zoom_by(0.5)
    assert left.zoom == pytest.approx(2 * right.zoom)
    two.picture.fit()
    assert right.place().fits
    assert right.zoom == pytest.approx(left.zoom / 2, rel=0.02)


def test_another_way_of_comparing_keeps_the_place(two: MainWindow, qtbot) -> None:
    choose(two, 0, 1)
    press(two, "C")
    qtbot.waitUntil(lambda: ready(two))
    view = two.picture.compare
    two.picture.zoom_by(6)
    view.over.horizontalScrollBar().setValue(view.over.horizontalScrollBar().minimum() + 40)
    before = view.over.place()
    view.buttons[Mode.BESIDE].click()
    assert view.left.place().span == pytest.approx(before.span)
    assert view.right.place().x == pytest.approx(before.x, abs=0.05)


def test_pictures_of_different_sizes_are_said_to_be_so(two: MainWindow, tmp_path: Path, qtbot) -> None:
    two.session.collection.compare.compare_files(store(tmp_path, "a.png", 1, 32), store(tmp_path, "b.png", 2, 64))
    qtbot.waitUntil(lambda: "different sizes" in two.picture.compare.verdict.text())


def test_a_file_that_cannot_be_compared_is_named(two: MainWindow, tmp_path: Path, qtbot) -> None:
    (tmp_path / "broken.png").write_bytes(b"")
    two.session.collection.compare.compare_files(store(tmp_path, "a.png", 1), tmp_path / "broken.png")
    qtbot.waitUntil(lambda: bool(two._problems))
    assert "broken.png" in two._problems[0].problem.message


def show_first(window: MainWindow, qtbot) -> None:
    choose(window, 0)
    qtbot.waitUntil(lambda: window.session.picture.picture is not None)


def test_made_again_identical(two: MainWindow, engine: FakeEngine, qtbot) -> None:
    show_first(two, qtbot)
    two.picture.recipe.again.click()
    assert not two.picture.recipe.again.isEnabled()
    qtbot.waitUntil(lambda: two.picture.tabs.currentIndex() == COMPARE)
    assert "identical" in two.picture.compare.verdict.text()
    assert engine.made_again == [two.session.picture.picture.path]
    assert two.picture.recipe.again.isEnabled()
    np.testing.assert_array_equal(two.session.collection.compare.b.pixels, pixels_of(2133561723))


def test_made_again_with_a_difference_that_is_measured_and_explained(
    two: MainWindow, engine: FakeEngine, qtbot
) -> None:
    engine.again_difference, engine.again_notes = 3, ("Made on cuda:0, made again on cpu.",)
    show_first(two, qtbot)
    two.picture.recipe.again.click()
    qtbot.waitUntil(lambda: "largest pixel difference is 3 of 255" in two.picture.compare.verdict.text())
    assert "made again on cpu" in two.picture.compare.verdict.text()
    assert "reproduced" in two.picture.compare.names[1].text()


def test_what_cannot_be_made_again_says_why(two: MainWindow, engine: FakeEngine, qtbot) -> None:
    engine.again_error = ModelMissingError("The weights of this image were not found.", remedy="Choose their folder.")
    show_first(two, qtbot)
    two.picture.recipe.again.click()
    qtbot.waitUntil(lambda: bool(two._problems))
    assert "weights" in two._problems[0].problem.message
    assert two.picture.recipe.again.isEnabled()


def test_nothing_is_made_again_while_a_run_goes_on(two: MainWindow, engine: FakeEngine, qtbot) -> None:
    show_first(two, qtbot)
    engine.gate.clear()
    ask_for(two, MEL=1)
    two.setup.controls.start.click()
    assert not two.picture.recipe.again.isEnabled()
    assert "run has ended" in two.picture.recipe.again.toolTip()
    engine.gate.set()
    wait_idle(two, qtbot)
    assert two.picture.recipe.again.isEnabled()


@pytest.mark.parametrize("suffix", [".gif", ".png"])
def test_the_denoising_that_is_shown_is_exported(
    two: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot, monkeypatch, suffix: str
) -> None:
    engine.show_every_step(two.session.run)
    ask_for(two, MEL=1)
    two.setup.controls.start.click()
    wait_idle(two, qtbot)
    frames = len(two.session.denoising.frames)
    assert 1 < frames <= 4
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "film"), ""))
    with qtbot.waitSignal(two.session.collection.exports.written):
        two.picture.denoising._ask_for_file(suffix)
    with Image.open(tmp_path / f"film{suffix}") as film:
        assert getattr(film, "n_frames", 1) == (frames if suffix == ".gif" else 1)


def test_an_export_that_cannot_be_written_is_told(two: MainWindow, tmp_path: Path, qtbot) -> None:
    two.session.collection.exports.contact_sheet(
        [item.path for item in two.session.gallery.items()], tmp_path / "nowhere" / "sheet.png"
    )
    qtbot.waitUntil(lambda: bool(two._problems))
    assert "sheet.png" in two._problems[0].problem.message or "nowhere" in two._problems[0].problem.message


def drop(window: MainWindow, file: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    buttons, keys = Qt.MouseButtons(Qt.MouseButton.LeftButton), Qt.KeyboardModifiers()
    window.dropEvent(QDropEvent(QPoint(5, 5), Qt.DropActions(Qt.DropAction.CopyAction), data, buttons, keys))


def test_a_dropped_picture_without_a_recipe_gets_a_clear_answer_and_can_be_explained(
    two: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot
) -> None:
    photo = tmp_path / "photo.png"
    Image.fromarray(make_pixels(3, 48)).save(photo)
    drop(two, photo)
    qtbot.waitUntil(lambda: two.session.picture.picture is not None)
    line = two.picture.recipe
    assert line.line.text().startswith("photo.png · no recipe: not generated by this program")
    assert "48 × 48 pixels" in line.line.text()
    assert line.explain.isVisible()
    assert not line.again.isVisible()
    line.explain.click()
    assert two.picture.tabs.currentIndex() == EXPLAIN
    qtbot.waitUntil(lambda: two.session.explain.state is ExplainState.READY)
    assert engine.explained == [photo]


def test_a_dropped_image_of_our_own_can_be_made_again_and_settings_stay(
    two: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot
) -> None:
    settings = two.session.settings
    before = {key: settings.get(key) for key in ("generation.seed", "generation.steps", "generation.sampler")}
    file = store(tmp_path, "moved away.png", 4711)
    drop(two, file)
    qtbot.waitUntil(lambda: two.session.picture.picture is not None)
    assert "seed 4711" in two.picture.recipe.line.text()
    assert not two.picture.recipe.explain.isVisible()
    two.picture.recipe.again.click()
    qtbot.waitUntil(lambda: "identical" in two.picture.compare.verdict.text())
    assert engine.made_again == [file]
    assert {key: settings.get(key) for key in before} == before
