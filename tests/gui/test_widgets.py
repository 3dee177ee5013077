"""The small parts: pictures, zoom, numbers in words, a stream that floods."""

from __future__ import annotations

import ast
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import QPoint, QPointF, Qt
from PyQt5.QtGui import QPixmap, QWheelEvent
from PyQt5.QtWidgets import QApplication, QComboBox, QSlider, QSpinBox, QVBoxLayout, QWidget

from core.events import Event, Notice, Preview, Step
from gui.explain.gate_badge import GateBadge
from gui.gallery.denoising import KEPT, DenoisingModel
from gui.i18n import tr
from gui.i18n.numbers import duration
from gui.shell.log import line_of
from gui.theme.palette import apply_theme, color, make_palette
from gui.theme.tokens import DARK, LIGHT, Tokens
from gui.widgets.color_bar import ColorBar
from gui.widgets.images import to_pixmap, to_qimage
from gui.widgets.labels import TwoLineLabel
from gui.widgets.picture_view import MAX_ZOOM, PictureView
from gui.widgets.vertical_scroll import VerticalScroll
from gui.workers.stream import StreamThread
from tests.support.patience import PATIENCE
from xai.explanation import GateVerdict

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("width", [1, 3, 127, 128, 129])
def test_pixels_of_every_width_arrive_unskewed(width: int) -> None:
    pixels = np.random.default_rng(width).integers(0, 256, (5, width, 3), dtype=np.uint8)
    image = to_qimage(pixels)
    back = [[image.pixelColor(x, y).getRgb()[:3] for x in range(width)] for y in range(5)]
    assert np.array_equal(np.array(back), pixels)


def test_a_view_into_a_larger_array_is_copied() -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    image = to_qimage(pixels[::2, 1:6])
    pixels[:] = 255
    assert image.pixelColor(0, 0).getRgb()[:3] == (0, 0, 0)


@pytest.mark.parametrize("wrong", [np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)])
def test_other_arrays_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="shape"):
        to_qimage(wrong)


@pytest.fixture
def view(qtbot) -> PictureView:
    made = PictureView()
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    made.show_picture(to_pixmap(np.zeros((100, 100, 3), np.uint8)))
    return made


def test_a_picture_fits_and_keeps_fitting(view: PictureView) -> None:
    assert view.zoom == pytest.approx(view.viewport().height() / 100 * 0.96)
    view.resize(800, 600)
    assert view.zoom == pytest.approx(view.viewport().height() / 100 * 0.96)


def test_zoom_stays_when_the_next_picture_has_the_same_size(view: PictureView) -> None:
    view.zoom_to(10)
    view.show_picture(to_pixmap(np.ones((100, 100, 3), np.uint8)))
    assert view.zoom == pytest.approx(10)
    view.show_picture(to_pixmap(np.ones((50, 100, 3), np.uint8)))
    assert view.zoom == pytest.approx(view.viewport().width() / 100 * 0.96)


def test_the_wheel_zooms_down_to_single_pixels_and_no_further(view: PictureView) -> None:
    up = QWheelEvent(
        QPointF(50, 50), QPointF(50, 50), QPoint(), QPoint(0, 1200), Qt.MouseButtons(), Qt.KeyboardModifiers(),
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    for _ in range(5):
        view.wheelEvent(up)
    assert view.zoom == MAX_ZOOM
    assert view._picture.transformationMode() == Qt.TransformationMode.FastTransformation


def test_low_magnifications_are_smooth_unless_pixels_are_wanted(view: PictureView) -> None:
    view.zoom_to(3)
    assert view._picture.transformationMode() == Qt.TransformationMode.SmoothTransformation
    view.set_pixels(True)
    assert view._picture.transformationMode() == Qt.TransformationMode.FastTransformation


def test_an_overlay_of_another_resolution_lies_exactly_over(view: PictureView) -> None:
    view.show_overlay(to_pixmap(np.zeros((400, 400, 3), np.uint8)))
    picture = view._picture.sceneBoundingRect()
    assert view._overlay.sceneBoundingRect() == picture
    view.show_overlay(None)
    assert view._overlay.pixmap().isNull()


def test_an_empty_view_survives_everything(qtbot) -> None:
    view = PictureView()
    qtbot.addWidget(view)
    view.show_picture(None)
    view.show_overlay(QPixmap())
    view.fit()
    view.zoom_by(2)
    assert not view.has_picture


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (130, "2 min 10 s"), (3599, "59 min"), (3900, "1 h 05 min")],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_plurals_without_a_translation() -> None:
    assert tr("%n image(s)", 1) == "1 image"
    assert tr("%n image(s)", 3) == "3 images"
    assert tr("100 % done") == "100 % done"


def test_log_lines_mark_what_is_no_plain_information() -> None:
    record = logging.LogRecord("core", logging.WARNING, "", 0, "disk %s", ("full",), None)
    assert line_of(record).endswith("  Warning: disk full")


def step(number: int, *, picture: bool = True, image: int = 1) -> Step:
    preview = Preview(np.full((2, 2, 3), number % 256, np.uint8), np.zeros((2, 2, 3), np.uint8)) if picture else None
    return Step("MEL", number, 1000, 1000 - number, (image,), preview)


def test_a_flood_of_steps_is_merged_and_loses_nothing_else(qtbot) -> None:
    """The GUI thread is held up while 3,000 steps arrive; then it must have little to do."""
    flooded = threading.Event()

    def stream() -> Iterator[Event]:
        for number in range(1, 1001):
            yield step(number, picture=number % 3 == 0)
        yield Notice("note", "half way")
        for number in range(1, 1001):
            yield step(number, picture=False, image=2)
        flooded.set()

    thread = StreamThread(stream)
    signals: list[None] = []
    thread.arrived.connect(lambda: signals.append(None))
    thread.start()
    assert flooded.wait(PATIENCE)
    thread.wait()
    events = thread.take()
    assert [type(event).__name__ for event in events] == ["Step", "Notice", "Step"]
    assert events[0].step == 1000
    assert events[0].preview.noisy[0, 0, 0] == 999 % 256
    assert events[2].images == (2,)
    assert events[2].preview is None
    qtbot.wait(10)
    assert len(signals) == 1


def test_any_exception_of_a_stream_becomes_a_signal(qtbot) -> None:
    def stream() -> Iterator[Event]:
        yield Notice("note", "before")
        raise RuntimeError("CUDA out of memory")

    thread = StreamThread(stream)
    with qtbot.waitSignals([thread.failed, thread.finished]) as caught:
        thread.start()
    errors = [signal.args[0] for signal in caught.all_signals_and_args if signal.args]
    assert str(errors[0]) == "CUDA out of memory"
    assert len(thread.take()) == 1


def test_looking_back_stays_where_it_is_until_the_end_is_chosen() -> None:
    model = DenoisingModel()
    for number in (1, 2, 3):
        model.add(step(number))
    model.show(0)
    model.add(step(4))
    assert model.frame.step == 1
    model.show(3)
    model.add(step(5))
    assert model.frame.step == 5
    model.add(step(1, image=2))
    assert (len(model.frames), model.frame.image) == (1, 2)


def test_frames_are_bounded() -> None:
    model = DenoisingModel()
    for number in range(1, 1001):
        model.add(step(number))
    assert len(model.frames) == KEPT
    assert model.frames[-1].step == 1000


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=lambda t: t.name)
def test_contrast_of_text_and_controls(tokens: Tokens) -> None:
    """WCAG 2.2: 4.5 for text, 3 for the outlines of controls."""
    for ground in (tokens.window, tokens.panel, tokens.raised, tokens.selection):
        assert contrast(tokens.text, ground) >= 4.5, ground
    for ground in (tokens.window, tokens.panel, tokens.raised):
        for word in (tokens.muted, tokens.evidence, tokens.doubt, tokens.none):
            assert contrast(word, ground) >= 4.5, (word, ground)
        assert contrast(tokens.control_line, ground) >= 3, ground
        assert contrast(tokens.accent, ground) >= 3, ground
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(text: str) -> float:
    channels = [int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_theme_colours_follow(qapp) -> None:
    apply_theme(qapp, "dark")
    assert color("panel").name() == DARK.panel
    apply_theme(qapp, "light")
    assert color("panel").name() == LIGHT.panel
    assert make_palette(LIGHT).window().color().name() == LIGHT.window


def test_forbidden_calls_are_nowhere() -> None:
    """terminate() deadlocks a thread that holds the interpreter's lock; processEvents() re-enters slots."""
    for path in (ROOT / "gui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in ("terminate", "processEvents"), f"{path.name}:{node.lineno}"


def test_colours_are_written_in_the_theme_alone() -> None:
    for path in (ROOT / "gui").rglob("*.py"):
        if path.parent.name != "theme":
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    assert not (node.value.startswith("#") and len(node.value) in (4, 7)), f"{path.name}:{node.lineno}"


def turn(control: QWidget) -> bool:
    """Turn the wheel a notch down over the middle of a control; return whether the control took it for itself."""
    middle = control.rect().center()
    inside, place = QPointF(middle), QPointF(control.mapToGlobal(middle))
    buttons, keys, phase = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(inside, place, QPoint(), QPoint(0, -120), buttons, keys, phase, False)
    QApplication.sendEvent(control, event)
    return event.isAccepted()


def test_the_wheel_changes_no_value_that_only_lies_under_the_pointer(qtbot) -> None:
    content = QWidget()
    column = QVBoxLayout(content)
    number, chooser, slider = QSpinBox(), QComboBox(), QSlider(Qt.Orientation.Horizontal)
    chooser.addItems(["a", "b", "c"])
    for control in (number, slider):
        control.setRange(0, 100)
        control.setValue(50)
    for control in (number, chooser, slider):
        column.addWidget(control)
    area = VerticalScroll(content)
    qtbot.addWidget(area)
    area.show()
    assert [turn(control) for control in (number, chooser, slider)] == [False] * 3
    assert (number.value(), chooser.currentIndex(), slider.value()) == (50, 0, 50)
    assert all(control.focusPolicy() == Qt.FocusPolicy.StrongFocus for control in (number, chooser, slider))
    area.activateWindow()
    number.setFocus()
    qtbot.waitUntil(number.hasFocus)
    assert turn(number)
    assert number.value() == 49


REASONS = ("The image stands for MEL, but the classifier says BKL.", "The map shows edges more than what was learnt.")


def test_words_of_two_lines_take_a_second_one_before_they_are_shortened(qtbot) -> None:
    words = TwoLineLabel(" ".join(REASONS))
    qtbot.addWidget(words)
    whole = words.fontMetrics().horizontalAdvance(" ".join(REASONS))
    assert words.lines(2 * whole) == [" ".join(REASONS)]
    assert "".join(words.lines(whole * 2 // 3)) == " ".join(REASONS)
    short = words.lines(whole // 4)
    assert len(short) == 2
    assert short[1].endswith("…")
    one, two = (words.heightForWidth(width) for width in (2 * whole, whole // 4))
    assert two == 2 * one
    words.most_lines = 6
    assert "".join(words.lines(whole // 4)) == " ".join(REASONS)


@pytest.mark.parametrize("narrow", [True, False])
def test_the_reasons_of_a_verdict_are_never_shortened(qtbot, narrow: bool) -> None:
    badge = GateBadge()
    qtbot.addWidget(badge)
    badge.set_narrow(narrow)
    badge.show_verdict(GateVerdict("amber", REASONS))
    width = badge.reason.fontMetrics().horizontalAdvance(" ".join(REASONS)) // 2
    badge.resize(width, badge.heightForWidth(width))
    badge.show()
    assert badge.reason.text() == " ".join(REASONS)
    assert badge.reason.height() + 1 >= badge.reason.heightForWidth(badge.reason.width())  # layouts round
    below = badge.reason.y() > badge._word.y()
    assert below is narrow


def test_a_colour_bar_says_its_unit_as_long_as_there_is_room_for_it(qtbot) -> None:
    bar = ColorBar()
    qtbot.addWidget(bar)
    bar.show_scale(-0.5, 0.5, np.zeros((256, 3), np.uint8), "logits per pixel")
    width = bar.fontMetrics().horizontalAdvance
    for room in (4 * width("for +0.5 logits per pixel"), width("−0.5 00 +0.5 logits per pixel 00")):
        bar.resize(room, bar.sizeHint().height())
        assert "logits per pixel" in bar._words()[2]
    bar.resize(width("−0.5 00 +0.5"), bar.sizeHint().height())
    assert bar._words() == ("−0.5", "", "+0.5")
