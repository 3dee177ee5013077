"""The workspace of explanations: several maps, pins, styles, values, tests, export."""

from __future__ import annotations

import dataclasses
import importlib
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import QEvent, QPointF, Qt
from PyQt5.QtGui import QMouseEvent

from core.errors import ModelMissingError, OutputError
from gui.explain.explain import ExplainState
from gui.explain.faithfulness_dialog import FaithfulnessDialog
from gui.explain.map_cache import MapCache, MapKey, size_of
from gui.explain.map_drawing import draw_maps
from gui.explain.map_grid import best_columns
from gui.shell.main_window import MainWindow
from tests.gui.conftest import Opener
from tests.gui.explaining import EXPLAIN, explain, make_image, methods_shown, show, wait_ready
from tests.gui.fake_engine import REASONS, FakeEngine, make_explanation, make_pixels
from xai.baselines import BASELINES
from xai.explanation import ExplainOptions
from xai.methods import METHODS


def test_methods_stand_side_by_side_in_their_order(window: MainWindow, tmp_path: Path, qtbot) -> None:
    explain(window, make_image(tmp_path, "a.png", 1), qtbot, "occlusion", "ig", "gradcam")
    assert methods_shown(window) == ["ig", "gradcam", "occlusion"]
    assert [tile.title.text() for tile in window.picture.explain.grid.tiles] == ["IG", "Grad-CAM", "Occlusion"]
    assert window.picture.explain.controls.methods.text() == "3 methods"


def test_a_method_that_comes_in_addition_is_the_only_one_computed(
    window: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot
) -> None:
    explain(window, make_image(tmp_path, "a.png", 1), qtbot)
    window.picture.explain.controls._actions["shapley"].trigger()
    qtbot.waitUntil(lambda: methods_shown(window) == ["ig", "shapley"])
    assert [options.methods for options in engine.asked] == [("ig",), ("shapley",)]
    window.session.choose_methods(("shapley",))
    qtbot.waitUntil(lambda: methods_shown(window) == ["shapley"])
    assert len(engine.asked) == 2
    assert not window.picture.explain.controls._actions["shapley"].isEnabled()  # the last one stays


def test_each_map_is_shown_as_soon_as_it_is_there_and_the_rest_can_be_stopped(
    window: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot
) -> None:
    engine.map_gates = {method: threading.Event() for method in ("ig", "shapley", "gradcam")}
    engine.map_gates["ig"].set()
    window.session.choose_methods(("ig", "shapley", "gradcam"))
    window.session.settings.set("xai.enabled", True)
    show(window, make_image(tmp_path, "a.png", 1), qtbot)
    qtbot.waitUntil(lambda: methods_shown(window) == ["ig"])
    view = window.picture.explain
    assert view.progress.text() == "Shapley values… (map 2 of 3)"
    view.stop.click()
    assert window.session.explain.state is ExplainState.STOPPED
    for gate in engine.map_gates.values():
        gate.set()
    qtbot.wait(50)
    assert methods_shown(window) == ["ig"]
    assert not view.working.isVisibleTo(view)
    window.session.explain.retry()
    qtbot.waitUntil(lambda: methods_shown(window) == ["ig", "shapley", "gradcam"])
    assert engine.asked[-1].methods == ("shapley", "gradcam")


def test_an_error_in_the_middle_keeps_the_maps_before_it(
    window: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot
) -> None:
    engine.map_gates = {"ig": threading.Event(), "shapley": threading.Event()}
    engine.map_gates["ig"].set()
    window.session.choose_methods(("ig", "shapley"))
    window.session.settings.set("xai.enabled", True)
    show(window, make_image(tmp_path, "a.png", 1), qtbot)
    qtbot.waitUntil(lambda: methods_shown(window) == ["ig"])
    explain_model = window.session.explain
    explain_model._refuse(explain_model._keys, ModelMissingError("The classifier is gone.", remedy=""))
    view = window.picture.explain
    assert methods_shown(window) == ["ig"]
    assert view.working.isVisibleTo(view)
    assert view.progress.text() == "The classifier is gone."
    engine.map_gates["shapley"].set()


def test_equal_colours_mean_equal_values_across_images(window: MainWindow, tmp_path: Path, qtbot) -> None:
    first, second = make_image(tmp_path, "a.png", 1), make_image(tmp_path, "b.png", 2)
    explain(window, first, qtbot)
    alone = window.session.explain.shown[0].drawn.high
    strong = dataclasses.replace(
        window.session.explain.shown[0].entry.explanation,
        attribution=2 * window.session.explain.shown[0].entry.explanation.attribution,
    )
    window.session.explain._cache.put(window.session.explain._keys[0], strong)
    window.session.explain._draw()
    qtbot.waitUntil(lambda: window.session.explain.shown[0].drawn.high == pytest.approx(2 * alone))
    window.picture.explain.grid.tiles[0].pin.click()
    qtbot.waitUntil(lambda: window.session.explain.shown[0].entry.pinned)
    explain(window, second, qtbot)
    shown = window.session.explain.shown
    assert [one.entry.image for one in shown] == [first, second]
    assert [one.drawn.high for one in shown] == pytest.approx([2 * alone, 2 * alone])  # the weaker one is paler
    window.picture.explain.grid.tiles[0].pin.click()
    qtbot.waitUntil(lambda: len(window.session.explain.shown) == 1)
    assert window.session.explain.shown[0].drawn.high == pytest.approx(alone)


def test_another_picture_is_judged_by_its_own_map_not_by_the_pinned_one(
    window: MainWindow, tmp_path: Path, qtbot
) -> None:
    first, second = make_image(tmp_path, "a.png", 1), make_image(tmp_path, "b.png", 2)
    explain(window, first, qtbot)
    grid = window.picture.explain.grid
    grid.tiles[0].chosen.emit()
    grid.tiles[0].pin.click()
    qtbot.waitUntil(lambda: window.session.explain.shown[0].entry.pinned)
    explain(window, second, qtbot)
    qtbot.waitUntil(lambda: len(grid.tiles) == 2)
    assert grid.current.entry.image == second
    grid.tiles[0].chosen.emit()
    assert grid.current.entry.image == first  # whoever asks for the pinned one sees it


def test_how_far_the_maps_agree_is_told_for_the_chosen_one(
    window: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot
) -> None:
    explain(window, make_image(tmp_path, "a.png", 1), qtbot, "ig", "gradcam", "occlusion")
    view = window.picture.explain
    qtbot.waitUntil(lambda: "Rank agreement" in view.facts.agreement.text())
    assert view.facts.agreement.text() == "Rank agreement with IG +0.50, Grad-CAM +0.50"
    view.grid.tiles[0].chosen.emit()
    assert view.facts.agreement.text() == "Rank agreement with Grad-CAM +0.50, Occlusion +0.50"
    explain(window, make_image(tmp_path, "b.png", 2), qtbot, "ig")
    assert not view.facts.agreement.isVisibleTo(view)
    assert engine.compared == [("ig", "gradcam", "occlusion")]


def test_changes_in_the_settings_are_obeyed_at_once(window: MainWindow, tmp_path: Path, qtbot) -> None:
    explain(window, make_image(tmp_path, "a.png", 1), qtbot)
    settings, view = window.session.settings, window.picture.explain
    settings.set("xai.opacity", 0.25)
    settings.set("xai.style", "positive")
    settings.set("xai.target", "NV")
    settings.set("xai.baseline", "mean")
    assert view.view._overlay.opacity() == pytest.approx(0.25)
    assert view.opacity.value() == 25
    assert view.facts.style_choice.currentData() == "positive"
    assert view.controls.target.currentData() == "NV"
    assert view.controls.baseline.currentData() == "mean"
    wait_ready(window, qtbot)
    assert window.session.explain.shown[0].entry.explanation.target == "NV"


def test_what_looks_the_same_is_not_drawn_again() -> None:
    first, second = make_explanation(make_pixels(1)), make_explanation(make_pixels(2), "gradcam")
    drawn = draw_maps([first, second], "signed")
    assert draw_maps([second, first], "signed", drawn) == drawn[::-1]
    assert draw_maps([first], "jet", drawn)[0] is not drawn[0]
    louder = dataclasses.replace(first, attribution=3 * first.attribution)
    paler, again = draw_maps([first, louder], "signed", drawn)
    assert paler is not drawn[0]
    assert paler.high == again.high == pytest.approx(3 * drawn[0].high)


def test_units_do_not_share_a_scale(window: MainWindow, tmp_path: Path, qtbot) -> None:
    explain(window, make_image(tmp_path, "a.png", 1), qtbot, "ig", "gradcam")
    view = window.picture.explain
    view.grid.tiles[0].chosen.emit()
    assert view.facts.bar.accessibleName().endswith("logits/pixel")
    view.grid.tiles[1].chosen.emit()
    assert view.facts.bar.accessibleName().endswith("gradient × activation")
    assert "cells of 8 × 8 pixels" in view.facts.caption.text()
    assert "completeness not defined" in view.facts.caption.text()


def test_another_style_is_drawn_without_computing(
    window: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot
) -> None:
    explain(window, make_image(tmp_path, "a.png", 1), qtbot)
    signed = window.session.explain.shown[0].drawn
    combo = window.picture.explain.facts.style_choice
    combo.activated.emit(combo.findData("jet"))
    qtbot.waitUntil(lambda: window.session.explain.shown[0].drawn is not signed)
    drawn = window.session.explain.shown[0].drawn
    assert (drawn.low, drawn.high) == (0.0, signed.high)
    assert (drawn.overlay != signed.overlay).any()
    assert len(engine.explained) == 1
    assert window.session.settings.get("xai.style") == "jet"


def test_the_value_under_the_pointer_is_told(window: MainWindow, tmp_path: Path, qtbot) -> None:
    explain(window, make_image(tmp_path, "a.png", 1), qtbot, "shapley")
    view, shown = window.picture.explain, window.session.explain.shown[0]
    before = view.facts.caption.text()
    view.grid.tiles[0].view.hovered.emit((20, 16))
    value, region = shown.drawn.values[16, 20], shown.entry.explanation.segments[16, 20]
    words = view.facts.caption.text()
    assert words.startswith(f"x 20, y 16: {value:+.2g} logits/pixel of a region")
    inside = shown.entry.explanation.segments == region
    total = shown.entry.explanation.attribution.sum(axis=2)[inside].sum()
    assert f"region {total:+.3f} ± {1e-5 * inside.sum():.3f}" in words
    view.grid.tiles[0].view.hovered.emit(None)
    assert view.facts.caption.text() == before
    assert "standard error up to" in before
    assert "12 regions" in before


def test_the_pointer_finds_its_pixel(window: MainWindow, tmp_path: Path, qtbot) -> None:
    explain(window, make_image(tmp_path, "a.png", 1), qtbot)
    window.picture.tabs.setCurrentIndex(EXPLAIN)
    view, places = window.picture.explain.grid.view, []
    view.hovered.connect(places.append)
    point = view.mapFromScene(QPointF(10.5, 3.5))
    move = QMouseEvent(QEvent.Type.MouseMove, point, Qt.MouseButton.NoButton, Qt.MouseButton.NoButton, Qt.NoModifier)
    view.mouseMoveEvent(move)
    assert places == [(10, 3)]


def test_a_map_is_tested_against_random_ones(window: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot) -> None:
    explain(window, make_image(tmp_path, "a.png", 1), qtbot, "ig", "gradcam")
    view = window.picture.explain
    view.grid.tiles[0].chosen.emit()
    assert view.facts.test.text() == "Test this map"
    view.facts.test.click()
    assert view.facts.test.text() == "Testing…"
    assert "Testing Integrated Gradients" in view.progress.text()
    qtbot.waitUntil(lambda: view.facts.test.text() == "Test result…")
    assert engine.asked[-1].faithfulness
    assert engine.asked[-1].methods == ("ig",)
    view.facts.test.click()
    dialog = window.findChild(FaithfulnessDialog)
    assert [dialog.table.item(0, column).text() for column in range(5)] == [
        "Deletion curve", "0.210", "0.350 ± 0.020", "lower", "better than random",
    ]  # fmt: skip
    assert dialog.table.item(1, 4).text() == "not better"
    assert dialog.table.item(2, 1).text() == "–"
    dialog.close()


def test_a_test_that_fails_is_told_and_can_be_repeated(
    window: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot
) -> None:
    explain(window, make_image(tmp_path, "a.png", 1), qtbot)
    engine.explain_error = ModelMissingError("There is no classifier.", remedy="Choose one.")
    with qtbot.waitSignal(window.session.problem):
        window.picture.explain.facts.test.click()
    assert window.session.explain.testing is None
    assert window.picture.explain.facts.test.isEnabled()


def test_the_shown_maps_are_exported_as_they_are(
    window: MainWindow, engine: FakeEngine, tmp_path: Path, output: Path, qtbot
) -> None:
    explain(window, make_image(output / "MEL", "ISIC_0000001.png", 1), qtbot, "ig", "occlusion")
    with qtbot.waitSignal(window.session.told) as told:
        window.session.explain.export(tmp_path / "kept")
    assert told.args == [f"Maps and raw arrays are in {tmp_path / 'kept'}"]
    assert not window.session.gallery.summary or not window.session.gallery.summary.xai_runs
    ((explanations, folder),) = engine.kept
    assert [one.method for one in explanations] == ["ig", "occlusion"]
    assert folder == tmp_path / "kept"
    with qtbot.waitSignal(window.session.explain.saved):
        window.picture.explain.controls.keep.trigger()
    assert engine.kept[1][1] is None
    engine.keep_error = OutputError("The folder cannot be written.", remedy="Choose another.")
    with qtbot.waitSignal(window.session.problem):
        window.session.explain.export(tmp_path / "kept")


def test_a_method_added_in_one_file_can_be_chosen(open_window: Opener) -> None:
    importlib.import_module("tests.xai.added_method")
    try:
        controls = open_window().picture.explain.controls
        (action,) = [one for one in controls.methods.menu().actions() if one.text() == "Brightness"]
        assert action.toolTip() == "How bright each pixel is."
        row = controls.baseline.findData("half")
        assert controls.baseline.itemText(row) == "Half as bright"
        assert controls.baseline.itemData(row, Qt.ItemDataRole.ToolTipRole) == "The image at half its brightness."
    finally:
        METHODS.remove("brightness")
        BASELINES.remove("half")
        del sys.modules["tests.xai.added_method"]


def test_target_baseline_and_methods_are_remembered(open_window: Opener, engine: FakeEngine) -> None:
    first = open_window()
    controls = first.picture.explain.controls
    controls.target.activated.emit(controls.target.findData("BCC"))
    controls.baseline.activated.emit(controls.baseline.findData("blur"))
    first.session.choose_methods(("gradcam", "layercam"))
    first.close()
    options = open_window().session.explain.options
    assert (options.target, options.baseline, options.methods) == ("BCC", "blur", ("gradcam", "layercam"))
    assert options.max_steps == first.session.settings.get("xai.steps")


def test_nothing_is_drawn_where_there_is_nothing(window: MainWindow, tmp_path: Path, qtbot) -> None:
    explain(window, make_image(tmp_path, "a.png", 1), qtbot)
    found = window.session.explain.shown[0].entry.explanation
    nothing = np.zeros_like(found.attribution)
    not_finite = np.full_like(found.attribution, np.nan)
    zero, nan = draw_maps(
        [dataclasses.replace(found, attribution=nothing), dataclasses.replace(found, attribution=not_finite)], "signed"
    )
    assert "is 0" in zero.no_map
    assert "not numbers" in nan.no_map


def test_why_there_is_no_map_is_said_below_it(window: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot) -> None:
    engine.level = "red"
    explain(window, make_image(tmp_path, "a.png", 1), qtbot)
    facts = window.picture.explain.facts
    assert REASONS["red"][0] in facts.badge.toolTip()
    assert REASONS["red"][0] not in facts.caption.text(), "the badge above says it"
    assert "logit +3.10" in facts.caption.text()
    assert "logit +3.10" in facts.caption.toolTip()
    assert not facts.test.isVisibleTo(facts)
    engine.level = "green"
    explain(window, make_image(tmp_path, "b.png", 2), qtbot)
    assert facts.test.isVisibleTo(facts)


def test_memory_is_bounded_by_bytes_and_the_latest_stays() -> None:
    image = make_pixels(1, 100)
    each = size_of(make_explanation(image))
    cache = MapCache(max_bytes=3 * each)
    keys = [MapKey(str(number), "MEL", ExplainOptions()) for number in range(5)]
    for key in keys[:3]:
        cache.put(key, make_explanation(image))
    assert cache.get(keys[0]) is not None  # looked at: kept longer than the second
    cache.put(keys[3], make_explanation(image))
    assert [cache.get(key) is not None for key in keys] == [True, False, True, True, False]
    cache.put(keys[3], make_explanation(image))
    assert len(cache) == 3
    cache.put(keys[4], make_explanation(make_pixels(1, 400)))
    assert len(cache) == 1


@pytest.mark.parametrize(
    ("count", "width", "height", "columns"),
    [
        (0, 400, 300, 0),
        (1, 400, 300, 1),
        (2, 600, 300, 2),
        (2, 300, 700, 1),
        (4, 600, 600, 2),
        (7, 900, 500, 4),
        (7, 375, 160, 4),
        (3, 50, 300, 1),
    ],
)
def test_maps_are_as_large_as_they_can_be(count: int, width: int, height: int, columns: int) -> None:
    assert best_columns(count, width, height) == columns
