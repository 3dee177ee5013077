"""Thumbnails on disk: made once, never stale, bounded, and of no harm when the disk is."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gui.gallery import thumbnail_cache
from gui.gallery.thumbnail_cache import ThumbnailCache
from gui.theme.tokens import THUMBNAIL


def picture(path: Path, color: str = "red", size: tuple[int, int] = (300, 200)) -> str:
    Image.new("RGB", size, color).save(path)
    return str(path)


def kept(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def color_of(image) -> tuple[int, int, int]:
    value = image.pixelColor(10, 10)
    return value.red(), value.green(), value.blue()


@pytest.fixture
def cache(tmp_path: Path) -> ThumbnailCache:
    return ThumbnailCache(tmp_path / "cache", 10**9)


def test_the_second_time_the_file_itself_is_not_decoded(cache, tmp_path, monkeypatch) -> None:
    path = picture(tmp_path / "a.png")
    first = cache.load(path)
    assert (first.width(), first.height()) == (THUMBNAIL, THUMBNAIL * 2 // 3)
    monkeypatch.setattr(thumbnail_cache, "load_thumbnail", lambda path: 1 / 0)
    again = ThumbnailCache(tmp_path / "cache", 10**9).load(path)
    assert again.size() == first.size()
    np.testing.assert_allclose(color_of(again), color_of(first), atol=6)


def test_a_file_that_was_changed_has_another_thumbnail(cache, tmp_path) -> None:
    path = picture(tmp_path / "a.png", "red")
    cache.load(path)
    picture(tmp_path / "a.png", "blue")
    os.utime(path, ns=(1, 1))
    np.testing.assert_allclose(color_of(cache.load(path)), (0, 0, 255), atol=6)


def test_two_files_of_one_name_are_two(cache, tmp_path) -> None:
    for name, color in (("x", "red"), ("y", "blue")):
        (tmp_path / name).mkdir()
        os.utime(picture(tmp_path / name / "a.png", color), ns=(1, 1))
        cache.load(str(tmp_path / name / "a.png"))
    assert color_of(cache.load(str(tmp_path / "x" / "a.png")))[0] > 200


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\nhalf"])
def test_what_cannot_be_shown_is_not_kept(cache, tmp_path, content) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    assert cache.load(str(path)).isNull()
    assert cache.load(str(tmp_path / "missing.png")).isNull()
    assert kept(tmp_path / "cache") == []


def test_a_damaged_thumbnail_is_made_again(cache, tmp_path) -> None:
    path = picture(tmp_path / "a.png")
    cache.load(path)
    kept(tmp_path / "cache")[0].write_bytes(b"rubbish")
    assert not cache.load(path).isNull()
    assert kept(tmp_path / "cache")[0].stat().st_size > 100


def test_the_oldest_go_when_there_are_too_many(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(thumbnail_cache, "LOOKS", 5)
    cache = ThumbnailCache(tmp_path / "cache", 4000)
    paths = [picture(tmp_path / f"{i}.png") for i in range(30)]
    for number, path in enumerate(paths):
        cache.load(path)
        for file in kept(tmp_path / "cache"):
            if file.stat().st_mtime > 10**6:
                os.utime(file, (number, number))
    cache.prune()
    left = kept(tmp_path / "cache")
    assert 0 < sum(file.stat().st_size for file in left) <= 4000
    assert min(file.stat().st_mtime for file in left) > 15
    assert max(file.stat().st_mtime for file in left) == 29


def test_a_folder_that_cannot_be_written_is_no_harm(tmp_path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    cache = ThumbnailCache(tmp_path / "cache", 10**6)
    assert not cache.load(picture(tmp_path / "a.png")).isNull()
