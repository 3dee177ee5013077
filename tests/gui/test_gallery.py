"""The gallery: ten thousand images, broken files, filters."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image
from PyQt5.QtCore import QModelIndex

from dataset.png import encode_png
from gui.gallery.gallery import GalleryModel
from gui.gallery.scan import BATCH, SUFFIXES, scan_images
from gui.gallery.thumbnail_cache import load_thumbnail
from gui.gallery.thumbnails import KEPT, ThumbnailStore
from gui.shell.main_window import MainWindow
from gui.workers.task import TaskRunner
from photographs.files import PICTURE_SUFFIXES
from tests.gui.conftest import Opener
from tests.gui.fake_engine import make_pixels, make_recipe

MANY = 10_000


def fill(output: Path, **counts: int) -> None:
    """Many names of one file: quick to make, and each opens as an image of its own."""
    output.mkdir(parents=True, exist_ok=True)
    original = output / "original"
    original.write_bytes(encode_png(make_pixels(1), make_recipe("NV", 1)))
    for code, count in counts.items():
        (output / code).mkdir(parents=True)
        for number in range(1, count + 1):
            os.link(original, output / code / f"ISIC_{number:07d}.png")


def test_ten_thousand_images_open_in_small_portions(open_window: Opener, output: Path, qtbot) -> None:
    """No slot takes more than one batch; what that takes on a machine is measured by `benchmarks.window`."""
    window = open_window()
    fill(output, NV=MANY - 1000, MEL=1000)
    model, portions = window.session.gallery, []
    model.rowsInserted.connect(lambda parent, first, last: portions.append(last + 1 - first))
    model.open(output)
    qtbot.waitUntil(lambda: window.gallery.list.model().rowCount() == MANY)
    assert sum(portions) == MANY
    assert max(portions) <= BATCH
    bar = window.gallery.list.verticalScrollBar()
    qtbot.waitUntil(lambda: window.gallery.count.text() == "10\u2009000")
    qtbot.waitUntil(lambda: window.tree._classes["MEL"].text(0) == "MEL (1000)")
    qtbot.waitUntil(lambda: bar.maximum() > 100 * window.gallery.list.viewport().height() / 2)


def test_scanning_hands_over_small_batches(tmp_path: Path) -> None:
    fill(tmp_path, NV=BATCH + 5, MEL=2)
    batches = list(scan_images(tmp_path))
    assert [len(batch) for batch in batches] == [2, BATCH, 5]
    assert [item.name for item in batches[0]] == ["ISIC_0000002", "ISIC_0000001"]


def test_every_picture_that_the_program_reads_is_in_the_gallery(tmp_path: Path) -> None:
    """WebP pictures of a class folder were counted by every command and missing in the window."""
    assert set(SUFFIXES) == PICTURE_SUFFIXES
    (tmp_path / "MEL").mkdir()
    kinds = {".webp": "WEBP", ".png": "PNG", ".jfif": "JPEG", ".TIF": "TIFF", ".bmp": "BMP"}
    for number, (suffix, kind) in enumerate(kinds.items()):
        Image.fromarray(make_pixels(number)).save(tmp_path / "MEL" / f"photograph_{number}{suffix}", kind)
    (items,) = scan_images(tmp_path)
    assert len(items) == len(kinds)
    assert not any(load_thumbnail(item.path).isNull() for item in items)


def test_scanning_a_folder_that_is_not_there_finds_nothing(tmp_path: Path) -> None:
    assert list(scan_images(tmp_path / "nowhere")) == []


def test_the_filter_shows_one_class(window: MainWindow, output: Path, qtbot) -> None:
    fill(output, NV=3, MEL=2)
    model = window.session.gallery
    model.open(output)
    qtbot.waitUntil(lambda: model.rowCount() == 5)
    window.gallery.filter.setCurrentIndex(window.gallery.filter.findData("MEL"))
    window.gallery.filter.activated.emit(window.gallery.filter.currentIndex())
    assert {model.item(row).class_code for row in range(model.rowCount())} == {"MEL"}
    model.add(output / "NV" / "ISIC_0000009.png", "NV")
    assert model.rowCount() == 2
    model.set_filter("")
    assert model.rowCount() == 6
    assert model.item(0).name == "ISIC_0000009"


def test_an_image_found_twice_is_shown_once(window: MainWindow, output: Path, qtbot) -> None:
    """An image that is finished while the folder is being looked through arrives both ways."""
    fill(output, NV=3)
    model = window.session.gallery
    model.open(output)
    model.add(output / "NV" / "ISIC_0000002.png", "NV")
    qtbot.waitUntil(lambda: not model.scanning)
    names = [model.item(row).name for row in range(model.rowCount())]
    assert sorted(names) == ["ISIC_0000001", "ISIC_0000002", "ISIC_0000003"]
    assert model.counts["NV"] == 3


def test_choosing_a_thumbnail_shows_the_picture(window: MainWindow, output: Path, qtbot) -> None:
    fill(output, NV=3)
    window.session.gallery.open(output)
    qtbot.waitUntil(lambda: window.session.gallery.rowCount() == 3)
    window.gallery.step(1)
    qtbot.waitUntil(lambda: window.session.picture.picture is not None)
    assert window.session.picture.picture.path.name == "ISIC_0000003.png"
    window.gallery.step(1)
    qtbot.waitUntil(lambda: window.session.picture.picture.path.name == "ISIC_0000002.png")
    window.gallery.step(-1)
    qtbot.waitUntil(lambda: window.session.picture.picture.path.name == "ISIC_0000003.png")
    assert window.picture.image.has_picture


def test_another_folder_replaces_the_gallery(window: MainWindow, output: Path, tmp_path: Path, qtbot) -> None:
    fill(output, NV=3)
    fill(tmp_path / "other", VASC=1)
    window.session.gallery.open(output)
    window.session.settings.choose_folder("paths.output", tmp_path / "other")
    model = window.session.gallery
    qtbot.waitUntil(lambda: not model.scanning and model.rowCount() == 1)
    assert model.item(0).class_code == "VASC"
    assert dict(+model.counts) == {"VASC": 1}


def test_broken_and_absurd_files_have_no_thumbnail(tmp_path: Path) -> None:
    empty, torn, huge = tmp_path / "empty.png", tmp_path / "torn.png", tmp_path / "huge.png"
    whole = encode_png(make_pixels(1), make_recipe("NV", 1))
    empty.write_bytes(b"")
    torn.write_bytes(whole[:60])
    huge.write_bytes(whole[:16] + (20_000).to_bytes(4, "big") * 2 + whole[24:])
    for path in (empty, torn, huge, tmp_path / "missing.png"):
        assert load_thumbnail(str(path)).isNull(), path.name
    good = tmp_path / "good.png"
    good.write_bytes(whole)
    assert load_thumbnail(str(good)).width() == 96


def test_a_broken_file_is_not_asked_for_again_and_again(tmp_path: Path, qtbot) -> None:
    path = tmp_path / "empty.png"
    path.write_bytes(b"")
    tasks = TaskRunner(1)
    store = ThumbnailStore(tasks)
    with qtbot.waitSignal(store.ready):
        assert store.get(str(path)) is None
    assert store.is_broken(str(path))
    assert store.get(str(path)) is None
    assert tasks.is_idle


def test_thumbnails_stay_within_their_bound(tmp_path: Path, qtbot) -> None:
    fill(tmp_path, NV=40)
    store = ThumbnailStore(TaskRunner(2))
    store._pixmaps.update({f"old {i}": store._pixmaps.get("") for i in range(KEPT)})
    for path in (tmp_path / "NV").iterdir():
        with qtbot.waitSignal(store.ready):
            store.get(str(path))
    assert len(store._pixmaps) == KEPT
    assert "old 0" not in store._pixmaps


def test_rows_of_the_model_are_consistent(qtbot, qtmodeltester, output: Path) -> None:
    fill(output, NV=20, MEL=5)
    model = GalleryModel(ThumbnailStore(TaskRunner(1)))
    model.open(output)
    qtbot.waitUntil(lambda: not model.scanning)
    qtmodeltester.check(model)
    assert model.rowCount(model.index(0)) == 0
    assert model.data(QModelIndex()) is None
