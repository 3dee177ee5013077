"""No room: asked for before it begins and when the size is known, and told in words when the drive fills up."""

from __future__ import annotations

import errno
import shutil
from collections import namedtuple

import pytest

from core.errors import DiskFullError, OutputError
from download.partial import Partial
from download.records import RESERVE, require_space, size, writing_to
from download.request import Downloading
from download.source import ORIGINALS, ORIGINALS_BYTES, WebSource, local_source
from download.transfer import Speed
from download.web import PIECE
from tests.download.conftest import STATISTICS, end, pack
from tests.support.file_server import FileServer, serving_file

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def free(monkeypatch):
    """Let the drive have so many free bytes."""

    def set_free(count):
        monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(10**12, 0, count))

    return set_free


def test_the_originals_are_not_begun_without_room_for_archive_and_content(bring_it, free, target):
    free(2 * ORIGINALS_BYTES + RESERVE - 1)
    with pytest.raises(DiskFullError, match=r"1\.6 GB are needed, 1\.6 GB are free") as refusal:
        bring_it(ORIGINALS)
    assert refusal.value.exit_code == 4
    assert "--to DIR" in refusal.value.remedy


def test_a_download_ends_as_soon_as_its_size_shows_that_it_does_not_fit(bring_it, free, small, target):
    free(2 * len(small) + RESERVE - PIECE - 1)
    server = FileServer(small, pause=0.005)
    with serving_file(server) as url:
        with pytest.raises(DiskFullError):
            bring_it(url)
        received = Partial(target, WebSource(url)).received
        assert received < len(small) // 2
        free(2 * len(small) + RESERVE)
        assert end(bring_it(url)).status == "complete"


def test_an_import_needs_room_for_its_content_alone(bring_it, free, tmp_path):
    path = tmp_path / "x.zip"
    path.write_bytes(pack({"color_statistics.json": STATISTICS}))
    free(len(STATISTICS) + RESERVE - 1)
    with pytest.raises(DiskFullError):
        bring_it(local_source(path))
    free(len(STATISTICS) + RESERVE)
    assert end(bring_it(local_source(path))).status == "complete"


def test_the_closest_folder_that_exists_is_asked(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(shutil, "disk_usage", lambda place: asked.append(place) or Usage(1, 0, 10**12))
    require_space(tmp_path / "not" / "there" / "yet", 5)
    assert asked == [tmp_path]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_drive_that_fills_up_is_told_with_its_file(tmp_path, code):
    with pytest.raises(DiskFullError, match="no space left") as refusal, writing_to(tmp_path / "archive.zip"):
        raise OSError(code, "full")
    assert refusal.value.path == tmp_path / "archive.zip"
    assert "continues with what has arrived" in refusal.value.remedy


def test_a_folder_that_may_not_be_written_is_told(bring_it, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    path = tmp_path / "x.zip"
    path.write_bytes(pack({"color_statistics.json": STATISTICS}))
    with pytest.raises(OutputError) as refusal:
        bring_it(local_source(path), target=tmp_path / "file" / "models")
    assert refusal.value.exit_code == 4
    assert "--to DIR" in refusal.value.remedy


def test_sizes_are_told_as_drives_tell_them():
    assert (size(754_380_000), size(1_590_000_000), size(0)) == ("754 MB", "1.6 GB", "0 MB")


def test_rate_and_remaining_time_follow_the_last_seconds():
    now = [0.0]
    speed = Speed(lambda: now[0])
    told: list[Downloading] = []
    for quarter in range(60):
        now[0] = quarter / 4
        received = quarter * 1000 if quarter < 20 else 20_000 + (quarter - 20) * 100
        if (event := speed.event(received, 100_000)) is not None:
            told.append(event)
    assert told[0].rate is None
    assert told[0].remaining is None
    assert told[19].rate == pytest.approx(4000)
    assert told[19].remaining == pytest.approx((100_000 - 19_000) / 4000)
    assert told[-1].rate == pytest.approx(400, rel=0.01), "what was five seconds ago does not count"


def test_no_more_than_five_events_a_second_but_always_the_last():
    now = [0.0]
    speed = Speed(lambda: now[0])
    told = []
    for index in range(1, 1001):
        now[0] = index / 1000
        told.append(speed.event(index, 1000))
    assert 4 <= sum(event is not None for event in told) <= 7
    assert told[-1] is not None
    assert told[-1].received == 1000


def test_a_restart_gives_no_negative_rate():
    now = [0.0]
    speed = Speed(lambda: now[0])
    speed.event(50_000, 100_000)
    now[0] = 1.0
    assert speed.event(0, 100_000).rate is None
