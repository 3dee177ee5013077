"""Working with the gallery: rating, rejecting, deleting, undoing, exporting; broken files and vanished folders."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PyQt5.QtCore import QItemSelectionModel
from PyQt5.QtWidgets import QFileDialog, QShortcut

from core.errors import FolderLockedError
from dataset.ratings import Rating, read_ratings, write_ratings
from dataset.reading import read_deletions
from dataset.synthetic_dataset import SyntheticDataset
from gui.gallery import gallery_panel
from gui.gallery.gallery_filter import REJECTED, UNRATED_ONLY
from gui.gallery.gallery_filters import run_title
from gui.shell.main_window import MainWindow
from gui.workers.image_check import EMPTY, INCOMPLETE, TOO_LARGE, find_flaw
from tests.gui.conftest import Opener
from tests.support.datasets import assert_consistent, generate, image_files, table_rows


def press(window: MainWindow, keys: str) -> None:
    """Activate the shortcut of some keys, as a key press does wherever the focus is."""
    (shortcut,) = [s for s in window.findChildren(QShortcut) if s.key().toString() == keys]
    shortcut.activated.emit()


def choose(window: MainWindow, *rows: int) -> None:
    model, selection = window.session.gallery, window.gallery.list.selectionModel()
    window.gallery.list.setCurrentIndex(model.index(rows[0]))
    for row in rows[1:]:
        selection.setCurrentIndex(model.index(row), QItemSelectionModel.SelectionFlag.Select)


def names(window: MainWindow) -> list[str]:
    return [f"{item.class_code} {int(item.name[5:])}" for item in window.session.gallery.items()]


def settle(window: MainWindow, qtbot) -> None:
    session = window.session
    qtbot.waitUntil(lambda: session.collection.trash._tasks.is_idle)
    qtbot.waitUntil(lambda: not session.gallery.scanning)
    qtbot.waitUntil(lambda: session.gallery.ratings._tasks.is_idle)
    qtbot.waitUntil(lambda: session._files.is_idle)


@pytest.fixture
def filled(open_window: Opener, output: Path, qtbot) -> MainWindow:
    """Two runs: MEL 1-3, then MEL 4 and NV 1."""
    generate(output, "MEL=3")
    generate(output, "MEL=1,NV=1")
    window = open_window()
    settle(window, qtbot)
    assert names(window) == ["MEL 4", "MEL 3", "MEL 2", "MEL 1", "NV 1"]
    return window


def test_keys_rate_and_reject_what_is_chosen(filled: MainWindow, output: Path, qtbot) -> None:
    choose(filled, 0, 2)
    press(filled, "4")
    choose(filled, 4)
    press(filled, "5")
    press(filled, "X")
    settle(filled, qtbot)
    assert read_ratings(output) == {
        ("MEL", "ISIC_0000004.png"): Rating(4),
        ("MEL", "ISIC_0000002.png"): Rating(4),
        ("NV", "ISIC_0000001.png"): Rating(5, rejected=True),
    }
    press(filled, "X")
    press(filled, "0")
    settle(filled, qtbot)
    assert ("NV", "ISIC_0000001.png") not in read_ratings(output)


def test_without_a_choice_the_shown_picture_is_rated_and_a_foreign_one_is_not(
    filled: MainWindow, output: Path, tmp_path: Path, qtbot
) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "foreign.png")
    filled.session.show_image(tmp_path / "foreign.png")
    qtbot.waitUntil(lambda: filled.session.picture.picture is not None)
    press(filled, "3")
    filled.session.show_image(output / "NV" / "ISIC_0000001.png")
    qtbot.waitUntil(lambda: filled.session.picture.picture.path.parent.name == "NV")
    filled.gallery.list.clearSelection()
    press(filled, "2")
    settle(filled, qtbot)
    assert read_ratings(output) == {("NV", "ISIC_0000001.png"): Rating(2)}


def test_ratings_come_back_at_the_next_start_even_if_closed_at_once(open_window: Opener, output: Path, qtbot) -> None:
    generate(output, "MEL=2")
    first = open_window()
    settle(first, qtbot)
    choose(first, 0)
    for keys in ("1", "2", "5"):
        press(first, keys)
    first.close()
    second = open_window()
    settle(second, qtbot)
    assert second.session.gallery.rating(second.session.gallery.item(0)) == Rating(5)
    assert "5 stars" in second.session.gallery.data(second.session.gallery.index(0), 3)


def test_ratings_that_cannot_be_saved_are_told(filled: MainWindow, output: Path, qtbot) -> None:
    (output / ".isicgui" / "ratings.jsonl").mkdir()
    choose(filled, 0)
    press(filled, "3")
    qtbot.waitUntil(lambda: bool(filled._problems))
    assert "ratings.jsonl" in filled._problems[0].problem.message


def pick(box, value: str) -> None:
    box.setCurrentIndex(box.findData(value))
    assert box.currentData() == value
    box.activated.emit(box.currentIndex())


def test_filters_by_run_and_rating(filled: MainWindow, output: Path, qtbot) -> None:
    filters, gallery = filled.gallery.filters, filled.session.gallery
    older, newer = sorted(gallery.runs, key=lambda run: -gallery.runs[run])
    assert [filters.runs.itemData(i) for i in range(3)] == ["", *sorted((newer, older), reverse=True)]
    assert filters.runs.itemText(filters.runs.findData(newer)) == f"{run_title(newer)} (2)"
    pick(filters.runs, older)
    assert names(filled) == ["MEL 3", "MEL 2", "MEL 1"]
    assert filled.gallery.count.text() == "3 of 5"
    choose(filled, 0)
    press(filled, "3")
    choose(filled, 1)
    press(filled, "X")
    pick(filters.ratings, "2")
    assert names(filled) == ["MEL 3"]
    pick(filters.ratings, REJECTED)
    assert names(filled) == ["MEL 2"]
    pick(filters.runs, "")
    pick(filters.ratings, UNRATED_ONLY)
    assert names(filled) == ["MEL 4", "MEL 1", "NV 1"]


def test_culling_walks_on_by_itself(filled: MainWindow, qtbot) -> None:
    """With "not rated" chosen, a rated image goes and the next one is shown."""
    pick(filled.gallery.filters.ratings, UNRATED_ONLY)
    choose(filled, 0)
    settle(filled, qtbot)
    shown = []
    for keys in ("5", "X", "1"):
        shown.append(filled.session.picture.picture.path.name)
        press(filled, keys)
        settle(filled, qtbot)
    assert shown == ["ISIC_0000004.png", "ISIC_0000003.png", "ISIC_0000002.png"]
    assert names(filled) == ["MEL 1", "NV 1"]


def test_nothing_that_fits_is_said(filled: MainWindow) -> None:
    pick(filled.gallery.filters.ratings, "5")
    assert filled.gallery.pages.currentIndex() == 0
    assert "No matching images" in filled.gallery._empty._heading.text()


def test_delete_undo_and_the_numbers_of_the_folder(filled: MainWindow, output: Path, qtbot) -> None:
    choose(filled, 1, 2)
    press(filled, "Del")
    settle(filled, qtbot)
    assert names(filled) == ["MEL 4", "MEL 1", "NV 1"]
    assert filled.gallery.count.text() == "3"
    assert filled.tree._classes["MEL"].text(0) == "MEL (2)"
    assert len(table_rows(output)) == 3
    assert filled.gallery.note.isVisible()
    assert filled.gallery.note.text == "2 files deleted."
    assert_consistent(output)
    press(filled, "Ctrl+Z")
    settle(filled, qtbot)
    assert names(filled) == ["MEL 4", "MEL 3", "MEL 2", "MEL 1", "NV 1"]
    assert not filled.gallery.note.isVisible()
    assert len(table_rows(output)) == 5
    assert_consistent(output)
    press(filled, "Ctrl+Z")  # there is nothing left to undo
    settle(filled, qtbot)
    assert len(image_files(output)) == 5


def test_after_deleting_the_shown_image_the_next_one_is_shown(filled: MainWindow, qtbot) -> None:
    choose(filled, 1)
    settle(filled, qtbot)
    press(filled, "Del")
    settle(filled, qtbot)
    qtbot.waitUntil(lambda: filled.session.picture.picture.path.name == "ISIC_0000002.png")
    assert [item.name for item in filled.gallery.selected()] == ["ISIC_0000002"]


def test_deleting_everything_leaves_an_empty_place(filled: MainWindow, output: Path, qtbot) -> None:
    choose(filled, 0, 1, 2, 3, 4)
    settle(filled, qtbot)
    press(filled, "Del")
    settle(filled, qtbot)
    assert names(filled) == []
    assert filled.session.picture.picture is None
    assert image_files(output) == []


def test_an_earlier_window_s_deletion_can_be_undone(open_window: Opener, output: Path, qtbot) -> None:
    generate(output, "MEL=2")
    with SyntheticDataset.open(output) as dataset:
        dataset.trash.delete([output / "MEL" / "ISIC_0000001.png"])
    window = open_window()
    settle(window, qtbot)
    assert names(window) == ["MEL 2"]
    press(window, "Ctrl+Z")
    settle(window, qtbot)
    assert sorted(names(window)) == ["MEL 1", "MEL 2"]


def test_rejected_images_are_deleted_together_and_the_trash_is_emptied_when_asked(
    filled: MainWindow, output: Path, qtbot
) -> None:
    choose(filled, 0, 4)
    press(filled, "X")
    filled.gallery.delete_rejected()
    settle(filled, qtbot)
    assert names(filled) == ["MEL 3", "MEL 2", "MEL 1"]
    filled.gallery.empty_trash()
    assert "2 files" in filled.gallery._question.text()
    assert filled.gallery._question.defaultButton() is filled.gallery._question.keep_button
    filled.gallery._question.keep_button.click()
    settle(filled, qtbot)
    assert len(read_deletions(output)) == 1
    filled.gallery.empty_trash()
    filled.gallery._question.delete_button.click()
    settle(filled, qtbot)
    assert read_deletions(output) == []
    assert filled.session.collection.trash.files == 0
    assert list((output / ".isicgui" / "trash").rglob("*.png")) == []


def test_while_another_program_writes_nothing_is_deleted_and_it_is_said_what_to_do(
    filled: MainWindow, output: Path, qtbot
) -> None:
    with SyntheticDataset.open(output):
        choose(filled, 0)
        press(filled, "Del")
        qtbot.waitUntil(lambda: bool(filled._problems))
    assert filled._problems[0].problem.kind == FolderLockedError.kind
    assert "(X)" in filled._problems[0].problem.remedy
    settle(filled, qtbot)
    assert len(names(filled)) == 5
    assert len(image_files(output)) == 5


def test_the_menu_offers_what_can_be_done_now(filled: MainWindow) -> None:
    def offered() -> dict[str, bool]:
        filled.gallery.offer_all()
        return {action.text().split("\t")[0]: action.isEnabled() for action in filled.gallery.menu.actions()}

    filled.gallery.list.clearSelection()
    nothing = offered()
    assert not nothing["Move to the trash"]
    assert not nothing["Undo the last deletion"]
    assert nothing["Contact sheet…"]
    choose(filled, 0, 1)
    assert offered()["Compare the two"]
    assert offered()["Move to the trash"]


def test_a_contact_sheet_of_the_chosen_images(filled: MainWindow, tmp_path: Path, qtbot, monkeypatch) -> None:
    target = tmp_path / "sheet.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target.with_suffix("")), ""))
    choose(filled, 0, 1, 2)
    with qtbot.waitSignal(filled.session.collection.exports.written):
        filled.gallery.export_sheet()
    three = size_of(target)
    choose(filled, 0)
    with qtbot.waitSignal(filled.session.collection.exports.written):
        filled.gallery.export_sheet()
    assert np.prod(size_of(target)) > np.prod(three)  # one chosen image means: all that are shown


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def huge_png(path: Path) -> None:
    """A PNG of 100 megapixels by its header, as cheap as its first row."""
    Image.new("L", (10, 10)).save(path)
    raw = path.read_bytes()
    path.write_bytes(raw[:16] + struct.pack(">II", 10_000, 10_000) + raw[24:])


def test_broken_files_are_survived_and_named(filled: MainWindow, output: Path, qtbot) -> None:
    whole = (output / "MEL" / "ISIC_0000001.png").read_bytes()
    (output / "MEL" / "ISIC_0000091.png").write_bytes(b"")
    (output / "MEL" / "ISIC_0000092.png").write_bytes(whole[: len(whole) // 2])
    huge_png(output / "NV" / "ISIC_0000093.png")
    filled.session.gallery.refresh()
    settle(filled, qtbot)
    assert filled.gallery.flaws.text() == "3"
    assert "3 files cannot be shown" in filled.gallery.flaws.accessibleName()
    filled.gallery.flaws.click()
    (dialog,) = filled._problems
    lines = dialog.problem.message.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "MEL/ISIC_0000092.png", "MEL/ISIC_0000091.png", "NV/ISIC_0000093.png",
    ]  # fmt: skip
    assert "incomplete" in lines[0]
    assert "0 bytes" in lines[1]
    assert "10000 × 10000" in lines[2]
    dialog.close()
    for path in ("MEL/ISIC_0000091.png", "MEL/ISIC_0000092.png", "NV/ISIC_0000093.png"):
        filled.session.show_image(output / path)
        qtbot.waitUntil(lambda path=path: filled.picture.empty.heading == path)
        assert filled.picture.place.currentWidget() is filled.picture.empty  # and not the picture shown before
        assert [item.path for item in filled.gallery.selected()] == [str(output / path)]
    assert filled._problems == []  # who walks through the gallery is not stopped by dialogs
    filled.session.show_image(output / "MEL" / "ISIC_0000001.png")
    qtbot.waitUntil(lambda: filled.session.picture.picture is not None and filled.session.picture.flaw is None)
    (output / "MEL" / "ISIC_0000092.png").write_bytes(whole)
    filled.session.gallery.refresh()
    settle(filled, qtbot)
    assert filled.gallery.flaws.text() == "2"  # what is repaired is named no more
    choose(filled, *[i for i, name in enumerate(names(filled)) if name[-2:] in ("91", "92", "93")])
    press(filled, "Del")
    settle(filled, qtbot)
    assert not filled.gallery.flaws.isVisible()
    assert len(names(filled)) == 5
    assert_consistent(output)


def test_what_a_glance_at_a_file_tells(tmp_path: Path) -> None:
    good, empty, torn, huge, jpeg = (tmp_path / name for name in ("g.png", "e.png", "t.png", "h.png", "j.jpg"))
    Image.new("RGB", (30, 30)).save(good)
    empty.write_bytes(b"")
    torn.write_bytes(good.read_bytes()[:-5])
    huge_png(huge)
    Image.new("RGB", (30, 30)).save(jpeg)
    assert find_flaw(str(good)) is None
    assert find_flaw(str(jpeg)) is None
    assert find_flaw(str(empty)).kind == EMPTY
    assert find_flaw(str(torn)).kind == INCOMPLETE
    assert (find_flaw(str(huge)).kind, find_flaw(str(huge)).width) == (TOO_LARGE, 10_000)


def test_a_folder_that_vanishes_and_comes_back(filled: MainWindow, output: Path, tmp_path: Path, qtbot) -> None:
    watch = filled.session.collection.watch
    qtbot.waitUntil(lambda: watch._last is not None)
    shutil.move(output, tmp_path / "unplugged")
    watch.look()
    qtbot.waitUntil(lambda: filled.banner.isVisible())
    assert str(output) in filled.banner.text
    settle(filled, qtbot)
    assert names(filled) == []
    filled.gallery.undo()
    press(filled, "Del")
    shutil.move(tmp_path / "unplugged", output)
    watch.look()
    qtbot.waitUntil(lambda: not filled.banner.isVisible())
    qtbot.waitUntil(lambda: len(names(filled)) == 5)
    assert_consistent(output)


def test_images_that_another_program_makes_or_deletes_are_taken_in(filled: MainWindow, output: Path, qtbot) -> None:
    watch = filled.session.collection.watch
    qtbot.waitUntil(lambda: watch._last is not None)
    choose(filled, 1)
    settle(filled, qtbot)
    (output / "NV" / "ISIC_0000001.png").unlink()
    generate(output, "BCC=1")
    write_ratings(output, {("BCC", "ISIC_0000001.png"): Rating(2)})
    watch.look()
    qtbot.waitUntil(lambda: names(filled) == ["MEL 4", "MEL 3", "MEL 2", "MEL 1", "BCC 1"])
    settle(filled, qtbot)
    assert filled.session.gallery.rating(filled.session.gallery.item(4)) == Rating(2)
    assert [item.name for item in filled.gallery.selected()] == ["ISIC_0000003"]


def test_a_chosen_folder_that_is_not_there_at_the_start_is_named(open_window: Opener, tmp_path: Path, qtbot) -> None:
    first = open_window()
    qtbot.waitUntil(lambda: first.session.collection.watch._last is not None)
    assert not first.banner.isVisible()  # the default folder comes with the first run
    first.session.settings.choose_folder("paths.output", tmp_path / "unplugged")
    qtbot.waitUntil(lambda: first.banner.isVisible())
    assert "unplugged" in first.banner.text
    first.close()
    second = open_window()
    qtbot.waitUntil(lambda: second.banner.isVisible())
    settle(second, qtbot)
    assert second.banner.isVisible()
    (tmp_path / "unplugged").mkdir()
    second.session.collection.watch.look()
    qtbot.waitUntil(lambda: not second.banner.isVisible())


def test_a_sheet_of_more_images_than_fit_says_so(filled: MainWindow, monkeypatch) -> None:
    titles = []
    monkeypatch.setattr(gallery_panel, "MAX_SHEET_IMAGES", 3)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda parent, title, *_: (titles.append(title), ("", ""))[1])
    choose(filled, 0)
    filled.gallery.export_sheet()
    assert titles == ["Contact sheet of 3 images (the first of 5)"]
