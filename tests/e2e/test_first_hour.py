"""A newcomer's first hour with the starter models: first start, images, an explanation, an exported data set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QApplication, QDialog

from core.utils.logger import RingHandler
from core.utils.path_manager import PathManager
from dataset.png import read_recipe
from gui.app import make_stage
from gui.common.engine_model import EngineState
from gui.explain.explain import ExplainState
from gui.gallery.dataset_export import ExportState
from gui.gallery.export_dialog import ExportDialog
from gui.models.models_dialog import ModelsDialog
from gui.shell.main_window import MainWindow
from gui.shell.qt_plugins import use_own_plugins
from gui.shell.welcome import welcome
from gui.shell.window_host import WindowHost
from gui.workers.local_engine import LocalEngine
from gui.workers.process_engine import ProcessEngine
from photographs.sources import read_dataset

COUNTS = {"MEL": 2, "NV": 1}

use_own_plugins()


@pytest.fixture
def stage(qapp: QApplication, qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WindowHost]:
    """The window as `python main.py` opens it for somebody who never did so before."""
    monkeypatch.setenv("ISICGUI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    stage = make_stage(qapp, ProcessEngine(LocalEngine), PathManager(), RingHandler())
    stage.session.settings.set("generation.device", "cpu")
    stage.session.settings.set("generation.steps", 2)  # the walk is what is tested, not the pictures
    stage.window.show()
    yield stage
    stage.window.leave()
    qtbot.waitUntil(lambda: not stage.window.isVisible())
    stage.window.deleteLater()


def open_dialog(window: MainWindow, kind: type[QDialog]) -> list[QDialog]:
    return [dialog for dialog in window.findChildren(kind) if dialog.isVisible()]


def test_from_the_first_start_to_an_exported_explained_data_set(stage: WindowHost, qtbot, tmp_path: Path) -> None:
    _choose_starter_models(stage, qtbot)
    images = _generate(stage, qtbot)
    _explain(stage, qtbot)
    _export(stage, qtbot, images, tmp_path / "set")


def _choose_starter_models(stage: WindowHost, qtbot) -> None:
    assert welcome(stage.session)
    qtbot.waitUntil(lambda: bool(open_dialog(stage.window, ModelsDialog)))
    (page,) = open_dialog(stage.window, ModelsDialog)
    qtbot.mouseClick(page.starter, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not open_dialog(stage.window, ModelsDialog))
    assert not welcome(stage.session)  # once is enough


def _generate(stage: WindowHost, qtbot) -> list[Path]:
    session = stage.session
    qtbot.waitUntil(lambda: session.engine.state is EngineState.READY)
    qtbot.waitUntil(lambda: session.catalog.catalog is not None)
    session.classes.check_all(False)
    for code, count in COUNTS.items():
        session.classes.set_checked(code, True)
        session.classes.set_count(code, count)
    with qtbot.waitSignal(session.run.finished):
        qtbot.mouseClick(stage.window.setup.start, Qt.MouseButton.LeftButton)
    images = sorted(session.settings.output.glob("*/ISIC_*.png"))
    assert {code: sum(image.parent.name == code for image in images) for code in COUNTS} == COUNTS
    assert {read_recipe(image).steps for image in images} == {2}
    qtbot.waitUntil(lambda: session.gallery.rowCount() == len(images))
    return images


def _explain(stage: WindowHost, qtbot) -> None:
    session = stage.session
    qtbot.waitUntil(lambda: session.picture.picture is not None)
    qtbot.mouseClick(stage.window.top.explain, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.explain.state is ExplainState.READY)
    qtbot.mouseClick(stage.window.top.explain, Qt.MouseButton.LeftButton)


def _export(stage: WindowHost, qtbot, images: list[Path], target: Path) -> None:
    stage.window.desk.show_export()
    (page,) = open_dialog(stage.window, ExportDialog)
    model = stage.session.dataset_export
    model.choose(target=target)
    qtbot.waitUntil(lambda: model.can_export)
    qtbot.mouseClick(page.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: model.last is not None and model.state is ExportState.READY)
    page.close()
    read = read_dataset(target)
    assert sorted(image.code for image in read.images) == sorted(image.parent.name for image in images)
