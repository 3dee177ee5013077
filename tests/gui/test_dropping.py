"""What is dropped on the window is shown, or refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt5.QtCore import QMimeData, QPoint, Qt, QUrl
from PyQt5.QtGui import QDragEnterEvent, QDropEvent, QImage

from dataset.png import encode_png
from gui.shell.main_window import MainWindow
from gui.widgets.path_line import PathLine
from tests.gui.fake_engine import make_pixels, make_recipe


def files(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def web(address: str) -> QMimeData:
    """As browsers give a picture: its address, and its pixels."""
    data = QMimeData()
    data.setUrls([QUrl(address)])
    data.setImageData(QImage(4, 4, QImage.Format.Format_RGB888))
    return data


def drop(window: MainWindow, data: QMimeData) -> bool:
    """Drop something as Qt does; return whether the window had said that it takes it."""
    buttons, keys = Qt.MouseButtons(Qt.MouseButton.LeftButton), Qt.KeyboardModifiers()
    actions = Qt.DropActions(Qt.DropAction.CopyAction)
    enter = QDragEnterEvent(QPoint(5, 5), actions, data, buttons, keys)
    enter.ignore()
    window.dragEnterEvent(enter)
    if enter.isAccepted():
        window.dropEvent(QDropEvent(QPoint(5, 5), actions, data, buttons, keys))
    return enter.isAccepted()


def picture(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(encode_png(make_pixels(5), make_recipe("BCC", 4711)))
    return path


def test_a_folder_is_refused_with_the_ways_there_are(window: MainWindow, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    assert drop(window, files(tmp_path / "photos"))
    assert window.banner.isVisible()
    assert window.banner.text.startswith("“photos” is a folder")
    assert "Train" in window.banner.text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (web("https://example.org/lesion.jpg"), "“lesion.jpg” is not fetched from the web: save it as a file"),
        (web("data:image/png;base64,AAAA"), "A picture of a web page is not fetched from the web"),
        (files(Path("/nowhere/gone.png")), "“gone.png” is not there any more"),
    ],
)
def test_what_is_no_file_here_is_refused_in_words(window: MainWindow, data: QMimeData, words: str) -> None:
    assert drop(window, data)
    assert window.banner.text.startswith(words)


def test_a_file_that_is_no_image_is_refused_in_words(window: MainWindow, tmp_path: Path, qtbot) -> None:
    (tmp_path / "notes.txt").write_text("no picture", encoding="utf-8")
    assert drop(window, files(tmp_path / "notes.txt"))
    qtbot.waitUntil(lambda: bool(window._problems))
    assert "notes.txt" in window._problems[0].problem.message


@pytest.mark.parametrize("suffix", ["png", "PNG", "webp", "jpeg", "picture"])
def test_every_file_is_tried_whatever_it_is_called(window: MainWindow, tmp_path: Path, qtbot, suffix: str) -> None:
    assert drop(window, files(picture(tmp_path, f"a.{suffix}")))
    qtbot.waitUntil(lambda: window.session.picture.picture is not None)
    assert window.picture.tabs.currentIndex() == 0


def test_an_image_that_is_dropped_after_a_refusal_takes_its_words_away(
    window: MainWindow, tmp_path: Path, qtbot
) -> None:
    drop(window, files(tmp_path))
    assert window.banner.isVisible()
    drop(window, files(tmp_path, picture(tmp_path, "a.png")))
    qtbot.waitUntil(lambda: window.session.picture.picture is not None)
    assert not window.banner.isVisible()


def test_text_belongs_into_fields(window: MainWindow) -> None:
    data = QMimeData()
    data.setText("Ctrl+V")
    assert not drop(window, data)
    assert not window.banner.isVisible()


# --- fields ---------------------------------------------------------------------------------------------------------


def path_lines(window: MainWindow) -> dict[str, PathLine]:
    window.desk.show_training()
    window.desk.show_evaluation()
    window.desk.show_settings()
    dialogs = {name: window.desk.dialog(name) for name in ("training", "evaluation", "settings")}
    found = {
        f"{name}: {line.accessibleName()}": line
        for name, dialog in dialogs.items()
        if dialog
        for line in dialog.findChildren(PathLine)
    }
    assert len(found) == 2 + 5 + 3
    return found


def test_what_is_dropped_into_a_field_for_a_path_takes_its_place(window: MainWindow, tmp_path: Path) -> None:
    for name, line in path_lines(window).items():
        line.setText("/somewhere/else")
        line.setEnabled(True)
        told: list[str] = []
        line.editingFinished.connect(lambda told=told, line=line: told.append(line.text()))
        actions, buttons = Qt.DropActions(Qt.DropAction.CopyAction), Qt.MouseButtons(Qt.MouseButton.LeftButton)
        data = files(tmp_path)
        enter = QDragEnterEvent(QPoint(5, 5), actions, data, buttons, Qt.KeyboardModifiers())
        line.dragEnterEvent(enter)
        assert enter.isAccepted(), name
        line.dropEvent(QDropEvent(QPoint(5, 5), actions, data, buttons, Qt.KeyboardModifiers()))
        assert told[:1] == [str(tmp_path)], name
    assert window.session.training.choice.data == tmp_path
    assert window.session.evaluation.choice.place("real") == str(tmp_path)
    assert window.session.settings.output == tmp_path
