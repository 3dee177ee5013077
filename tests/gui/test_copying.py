"""Ctrl+C on a picture copies the picture for editors and its file for file managers."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt5.QtCore import QItemSelectionModel, QMimeData, Qt, QUrl
from PyQt5.QtGui import QImage
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QWidget

from core.images import read_image
from gui.shell.main_window import MainWindow
from gui.widgets.images import to_qimage
from tests.gui.explaining import make_image, show


@pytest.fixture
def filled(window: MainWindow, output: Path, qtbot) -> MainWindow:
    for number in (1, 2, 3):
        make_image(output / "MEL", f"ISIC_000000{number}.png", number)
    window.session.gallery.refresh()
    qtbot.waitUntil(lambda: window.session.gallery.rowCount() == 3)
    return window


def copied() -> QMimeData:
    data = QApplication.clipboard().mimeData()
    assert data is not None
    return data


def press_copy(widget: QWidget) -> None:
    QApplication.clipboard().clear()
    widget.setFocus()
    QTest.keyClick(widget, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)


def same(image: QImage, path: Path) -> bool:
    wanted = to_qimage(read_image(path))
    return image.convertToFormat(wanted.format()) == wanted


def part(window: MainWindow, name: str) -> QWidget:
    return {"gallery": window.gallery.list, "picture": window.picture.image, "window": window.centralWidget()}[name]


@pytest.mark.parametrize("focus", ["gallery", "picture", "window"])
def test_the_shown_picture_is_copied_wherever_the_focus_is(filled: MainWindow, output: Path, qtbot, focus: str) -> None:
    image = output / "MEL" / "ISIC_0000002.png"
    show(filled, image, qtbot)
    press_copy(part(filled, focus))
    assert copied().urls() == [QUrl.fromLocalFile(str(image))]
    assert same(QImage(copied().imageData()), image)
    assert bytes(copied().data("x-special/gnome-copied-files")).decode() == f"copy\n{image.as_uri()}"


def test_several_chosen_images_are_copied_as_files(filled: MainWindow, output: Path, qtbot) -> None:
    show(filled, output / "MEL" / "ISIC_0000002.png", qtbot)
    filled.gallery.list.selectAll()
    press_copy(filled.gallery.list)
    names = [Path(url.toLocalFile()).name for url in copied().urls()]
    assert names == ["ISIC_0000003.png", "ISIC_0000002.png", "ISIC_0000001.png"]
    assert copied().hasImage()


def test_a_picture_from_elsewhere_is_copied_too(filled: MainWindow, tmp_path: Path, qtbot) -> None:
    image = make_image(tmp_path, "dropped.png", 7)
    show(filled, image, qtbot)
    press_copy(filled.picture.image)
    assert copied().urls() == [QUrl.fromLocalFile(str(image))]
    assert same(QImage(copied().imageData()), image)


def test_the_pixels_of_another_picture_do_not_go_with_a_file(filled: MainWindow, output: Path, qtbot) -> None:
    gallery = filled.gallery
    show(filled, output / "MEL" / "ISIC_0000001.png", qtbot)
    index = gallery._model.index(0)
    gallery.list.selectionModel().blockSignals(True)
    gallery.list.selectionModel().select(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
    gallery.list.selectionModel().blockSignals(False)
    press_copy(filled.centralWidget())
    assert [Path(url.toLocalFile()).name for url in copied().urls()] == ["ISIC_0000003.png"]
    assert not copied().hasImage()


def test_text_that_is_chosen_is_copied_as_text(filled: MainWindow, output: Path, qtbot) -> None:
    show(filled, output / "MEL" / "ISIC_0000001.png", qtbot)
    filled.picture.recipe._more.setChecked(True)
    recipe = filled.picture.recipe.full
    recipe.selectAll()
    press_copy(recipe)
    assert '"seed": 1' in copied().text()
    assert not copied().hasUrls()
    filled.log.filter.setText("words")
    filled.log.filter.selectAll()
    press_copy(filled.log.filter)
    assert copied().text() == "words"


def test_without_a_picture_the_clipboard_stays_as_it_is(window: MainWindow) -> None:
    QApplication.clipboard().setText("before")
    window.gallery.copy()
    assert copied().text() == "before"
