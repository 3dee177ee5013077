"""Export for training in the window: the preview is true, nothing blocks, what goes wrong is said."""

from __future__ import annotations

import shutil

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import QLabel

from cli.app import main as run_command
from dataset.ratings import Rating, write_ratings
from gui.gallery.dataset_export import DatasetExportModel, ExportState
from gui.gallery.export_dialog import ExportDialog
from tests.gui import slow_export
from tests.support.datasets import generate
from tests.support.exports import files_of


@pytest.fixture
def collection(output):
    generate(output, "MEL=6,NV=4")
    return output


@pytest.fixture
def model(window) -> DatasetExportModel:
    return window.session.dataset_export


@pytest.fixture
def dialog(collection, window, model, qtbot) -> ExportDialog:
    window.desk.show_export()
    wait_for_preview(model, qtbot)
    return window.desk.dialog("export")


@pytest.fixture
def gate(model, tmp_path, monkeypatch):
    """A file for which every export waits before it writes."""
    monkeypatch.setenv(slow_export.GATE, str(tmp_path / "gate"))
    model.make_client = slow_export.slow_client
    return tmp_path / "gate"


def wait_for_preview(model, qtbot):
    qtbot.waitUntil(lambda: model.state is ExportState.READY and model.preview is not None)


def choose(model, qtbot, **changes):
    model.choose(**changes)
    wait_for_preview(model, qtbot)


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def folders_shown(dialog):
    """Return {path: files} as the tree shows it, without its root."""
    found = {}

    def walk(item, path):
        for row in range(item.childCount()):
            child = item.child(row)
            name = f"{path}{child.text(0)}"
            if child.text(1):
                found[name] = int(child.text(1))
            walk(child, f"{name}/")

    walk(dialog.tree.topLevelItem(0), "")
    return found


def test_the_dialog_shows_what_is_then_written(dialog, model, qtbot):
    assert "10 images, 13 files" in dialog.summary.text()
    shown = folders_shown(dialog)
    click(qtbot, dialog.go)
    qtbot.waitUntil(lambda: model.last is not None and dialog.folder.isVisible())
    target = model.options.target
    written = files_of(target)
    assert len(written) == 13
    folders = {path.rpartition("/")[0] for path in written if "/" in path}
    assert shown == {folder: sum(p.rpartition("/")[0] == folder for p in written) for folder in folders}
    assert str(target) in dialog.status.text()
    assert dialog.folder.isVisible()
    assert not dialog.go.isEnabled(), "the same again would only find its place taken"


def test_choices_are_followed_by_the_preview(dialog, model, qtbot):
    write_ratings(model.output, {("MEL", "ISIC_0000001.png"): Rating(4)})
    click(qtbot, dialog.again)
    wait_for_preview(model, qtbot)
    qtbot.keyClicks(dialog.choices.format, "Hugging")
    dialog.choices.format.activated.emit(dialog.choices.format.currentIndex())
    wait_for_preview(model, qtbot)
    assert model.preview.plan.options.format == "hf"
    dialog.choices.classes["NV"].click()
    wait_for_preview(model, qtbot)
    assert {code for codes in model.preview.plan.counts.values() for code in codes} == {"MEL"}
    dialog.choices.rating.setCurrentIndex(3)
    dialog.choices.rating.activated.emit(3)
    wait_for_preview(model, qtbot)
    assert model.preview.plan.rows == 1
    dialog.choices.split.click()
    wait_for_preview(model, qtbot)
    assert model.preview.plan.counts == {"all": {"MEL": 1}}


def test_the_percentages_always_add_up(dialog, model, qtbot):
    dialog.choices.val.setValue(49)
    dialog.choices.test.setValue(49)
    wait_for_preview(model, qtbot)
    assert model.options.split == (2, 49, 49)
    assert dialog.choices.train.text() == "train 2 %"


def test_the_last_class_cannot_be_unchecked(dialog, model, qtbot):
    boxes = list(dialog.choices.classes.values())
    for box in boxes:
        box.click()
    assert [box.isChecked() for box in boxes] == [False] * 6 + [True]
    assert model.options.classes == ("VASC",)


def test_nothing_that_fits_is_said_and_cannot_be_exported(dialog, model, qtbot):
    choose(model, qtbot, rating=5)
    assert "nothing to export" in dialog.problem.text()
    assert dialog.problem.isVisible()
    assert not dialog.go.isEnabled()
    choose(model, qtbot, rating=0)
    assert not dialog.problem.isVisible()
    assert dialog.go.isEnabled()


def test_a_place_that_is_taken_is_said_when_it_was_chosen_and_avoided_when_it_was_not(dialog, model, qtbot, tmp_path):
    first = model.options.target
    (first.parent / first.name).mkdir()
    click(qtbot, dialog.again)
    wait_for_preview(model, qtbot)
    assert model.options.target == first.with_name(f"{first.name}-2")
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "theirs").touch()
    dialog.choices.target.setText(str(taken))
    dialog.choices.target.editingFinished.emit()
    wait_for_preview(model, qtbot)
    assert "nothing is overwritten" in dialog.problem.text()
    assert not dialog.go.isEnabled()


def test_stopping_leaves_nothing_and_says_so_by_being_ready_again(dialog, model, qtbot, gate):
    click(qtbot, dialog.go)
    assert model.state is ExportState.WRITING
    assert dialog.go.text() == "Stop"
    assert not dialog.choices.isEnabled()
    click(qtbot, dialog.go)
    assert model.state is ExportState.STOPPING
    gate.touch()
    qtbot.waitUntil(lambda: model.state is ExportState.READY)
    assert model.last is None
    assert [path.name for path in model.options.target.parent.iterdir() if "imagefolder" in path.name] == []


def test_an_export_goes_on_when_its_dialog_is_closed_and_is_confirmed(dialog, model, window, qtbot, gate):
    click(qtbot, dialog.go)
    dialog.close()
    window.desk.show_export()
    assert window.desk.dialog("export").go.text() == "Stop"
    with qtbot.waitSignal(window.session.told) as told:
        gate.touch()
    assert str(model.options.target) in told.args[0]


def test_an_error_while_writing_is_said_in_the_dialog(dialog, model, qtbot):
    (model.output / "MEL/ISIC_0000002.png").unlink()
    click(qtbot, dialog.go)
    qtbot.waitUntil(lambda: model.problem is not None)
    assert "has changed since" in dialog.problem.text()
    assert model.state is ExportState.READY


def test_a_folder_that_vanished_is_said(dialog, model, qtbot):
    shutil.rmtree(model.output)
    click(qtbot, dialog.again)
    qtbot.waitUntil(lambda: model.problem is not None)
    assert "There is no folder" in dialog.problem.text()


def test_the_copied_command_writes_the_same_files(dialog, model, qtbot, tmp_path):
    import shlex

    choose(model, qtbot, format="isic", classes=("MEL",), split=(60, 20, 20), zip=True, target=tmp_path / "window")
    click(qtbot, dialog.copy)
    words = shlex.split(QGuiApplication.clipboard().text())
    click(qtbot, dialog.go)
    qtbot.waitUntil(lambda: model.last is not None)
    by_window = {**files_of(tmp_path / "window"), "zip": (tmp_path / "window.zip").read_bytes()}
    shutil.rmtree(tmp_path / "window")
    (tmp_path / "window.zip").unlink()
    assert run_command(words[2:]) == 0
    assert {**files_of(tmp_path / "window"), "zip": (tmp_path / "window.zip").read_bytes()} == by_window


def test_format_split_and_archive_are_remembered(dialog, model, qtbot):
    choose(model, qtbot, format="csv", split=None, zip=True, rating=0)
    dialog.close()
    model.open()
    wait_for_preview(model, qtbot)
    assert (model.options.format, model.options.split, model.options.zip) == ("csv", None, True)


def test_a_damaged_file_is_named_with_its_reason_at_hand(collection, window, model, qtbot):
    bad = collection / "NV/ISIC_0000002.png"
    bad.write_bytes(bad.read_bytes()[:60])
    window.desk.show_export()
    wait_for_preview(model, qtbot)
    dialog = window.desk.dialog("export")
    assert "NV/ISIC_0000002.png" in dialog.warnings.text
    assert str(bad) in dialog.warnings.toolTip()


@pytest.mark.parametrize("width", [0, 860])
def test_no_words_are_cut_off(dialog, model, qtbot, width):
    choose(model, qtbot, zip=True)
    dialog.resize(max(width, dialog.minimumSizeHint().width()), dialog.minimumSizeHint().height())
    assert dialog.height() <= 700
    for words in dialog.findChildren(QLabel):
        if words.isVisible() and words.text() and not words.wordWrap() and words is not dialog.status:
            assert words.sizeHint().width() <= words.width() + 1, words.text()


def test_the_gallerys_menu_and_the_key_open_it(collection, window, qtbot):
    window.gallery.offer_all()
    (entry,) = [action for action in window.gallery.menu.actions() if action.text().startswith("Export for training")]
    assert entry.text().endswith("Ctrl+Shift+E")
    window.gallery.menu.close()
    qtbot.keyClick(window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: window.desk.dialog("export") is not None)
