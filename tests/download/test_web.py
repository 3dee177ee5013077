"""Downloads from a server of our own: cut off, continued, exchanged in between, silent, refused, and stopped."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from zipfile import ZIP_STORED

import pytest

from core.cancel import CancelToken, StopMode
from core.errors import ChecksumError, DownloadError, DownloadSignInError, UsageError
from download.job import fetch
from download.partial import Partial, Patience, Seen
from download.request import Downloading, Fetching, Installed, Restarting, Retrying
from download.source import WebSource, remote_source
from download.web import PIECE
from tests.download.conftest import PADDING, QUICK, STATISTICS, end, leftovers, pack
from tests.support.file_server import FileServer, serving_file
from tests.support.patience import PATIENCE

MEGABYTE = 32 * PIECE


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


def test_a_whole_download_leaves_the_files_and_nothing_else(small, bring_it, target):
    with serving_file(FileServer(small)) as url:
        events = bring_it(url)
    assert isinstance(events[0], Fetching)
    assert of(events, Downloading)[-1].received == len(small)
    assert end(events).status == "complete"
    assert end(events).sha256 == hashlib.sha256(small).hexdigest()
    assert end(events).first_seen
    assert end(events).files == ("color_statistics.json",)
    assert leftovers(target) == []
    assert sorted(path.name for path in target.iterdir()) == [
        ".download",
        "color_statistics.json",
        "isicgui-models.json",
    ]


@pytest.mark.parametrize("second", [True, False])
def test_a_beginning_that_has_a_second_name_elsewhere_is_not_written_on(small, bring_it, target, tmp_path, second):
    server = FileServer(small)
    with serving_file(server) as url:
        partial = Partial(target, remote_source(url))
        partial.open()
        partial.remember(Seen(len(small), server.etag))
        part = partial.folder / "archive.zip.part"
        part.write_bytes(small[:1000])
        if second:
            os.link(part, tmp_path / "second name")
        events = bring_it(url)
    assert end(events).status == "complete"
    assert of(events, Fetching)[0].received == (0 if second else 1000)
    if second:
        assert (tmp_path / "second name").read_bytes() == small[:1000]


def test_a_cut_connection_is_continued_at_the_byte_where_it_broke(small, bring_it):
    server = FileServer(small, cuts=[40 * PIECE, 20 * PIECE, 0])
    with serving_file(server) as url:
        events = bring_it(url)
    assert end(events).sha256 == hashlib.sha256(small).hexdigest()
    assert server.asked == [None, f"bytes={40 * PIECE}-", f"bytes={60 * PIECE}-", f"bytes={60 * PIECE}-"]
    assert server.ranges_if == [None, '"first"', '"first"', '"first"']
    assert server.sent == len(small), "not one byte twice"
    assert len(of(events, Retrying)) == 3
    assert "cut" in of(events, Retrying)[0].message


def test_an_attempt_that_brings_bytes_counts_the_failures_anew(small, bring_it):
    cuts = [50_000] * 30
    with serving_file(FileServer(small, cuts=cuts)) as url:
        assert end(bring_it(url)).status == "complete"


def test_attempts_without_a_byte_end_in_words_and_the_part_is_kept(small, bring_it, target):
    server = FileServer(small, cuts=[MEGABYTE, *[0] * 20])
    with serving_file(server) as url:
        with pytest.raises(DownloadError, match="makes no progress: the connection was cut") as refusal:
            bring_it(url)
        partial = Partial(target, WebSource(url))
        assert partial.received == MEGABYTE
        assert "continues from there" in refusal.value.remedy
        assert url in refusal.value.remedy
        server.cuts.clear()
        server.sent = 0
        events = bring_it(url)
    assert of(events, Fetching)[0].received == MEGABYTE
    assert server.sent == len(small) - MEGABYTE
    assert end(events).sha256 == hashlib.sha256(small).hexdigest()


def test_a_server_that_ignores_the_range_sends_it_all_and_nothing_is_doubled(small, bring_it):
    server = FileServer(small, cuts=[MEGABYTE], obeys_range=False)
    with serving_file(server) as url:
        events = bring_it(url)
    assert end(events).sha256 == hashlib.sha256(small).hexdigest()
    assert len(of(events, Restarting)) == 1


def test_a_file_exchanged_in_between_is_never_joined_to_the_old_part(small, bring_it):
    server = FileServer(small, cuts=[MEGABYTE, *[0] * 20])
    other = pack({"color_statistics.json": '{"MEL": {"rgb": {"mean": [1, 2, 3], "std": [1, 2, 3]}}}', "x": small[::-1]})
    with serving_file(server) as url:
        with pytest.raises(DownloadError):
            bring_it(url)
        server.cuts.clear()
        server.data, server.etag = other, '"second"'
        events = bring_it(url)
    assert end(events).sha256 == hashlib.sha256(other).hexdigest()
    assert len(of(events, Restarting)) == 1


def test_a_file_exchanged_for_one_of_the_same_length_is_noticed_by_its_tag(bring_it):
    first, other = (pack({"color_statistics.json": STATISTICS, "notes.bin": data}, ZIP_STORED)
                    for data in (PADDING, PADDING[::-1]))  # fmt: skip
    assert len(first) == len(other)
    server = FileServer(first, cuts=[MEGABYTE, *[0] * 20])
    with serving_file(server) as url:
        with pytest.raises(DownloadError):
            bring_it(url)
        server.cuts.clear()
        server.data, server.etag = other, '"second"'
        events = bring_it(url)
    assert end(events).sha256 == hashlib.sha256(other).hexdigest()


def test_two_files_joined_are_never_trusted(bring_it, ledger, target):
    """A server without tags, and another file of the same length: only the archive's own checksums can tell."""
    first, other = (pack({"color_statistics.json": STATISTICS, "notes.bin": data}, ZIP_STORED)
                    for data in (PADDING, PADDING[::-1]))  # fmt: skip
    server = FileServer(first, etag=None, cuts=[MEGABYTE, *[0] * 20])
    with serving_file(server) as url:
        with pytest.raises(DownloadError):
            bring_it(url)
        server.cuts.clear()
        server.data = other
        joined = end(bring_it(url))
        assert ledger.known(url) is None
        assert not joined.first_seen
        assert leftovers(target) == []
        again = end(bring_it(url))
    assert again.sha256 == hashlib.sha256(other).hexdigest()
    assert ledger.known(url) == again.sha256


def test_without_a_tag_a_file_of_another_length_is_noticed(small, bring_it):
    server = FileServer(small, etag=None, cuts=[MEGABYTE, *[0] * 20])
    other = pack({"color_statistics.json": "{}", "x": small + b"more"})
    with serving_file(server) as url:
        with pytest.raises(DownloadError):
            bring_it(url)
        server.cuts.clear()
        server.data = other
        events = bring_it(url)
    assert end(events).sha256 == hashlib.sha256(other).hexdigest()


def test_a_part_that_is_whole_already_is_taken_as_it_is(small, bring_it, target):
    server = FileServer(small, cuts=[MEGABYTE, *[0] * 20])
    with serving_file(server) as url:
        with pytest.raises(DownloadError):
            bring_it(url)
        partial = Partial(target, WebSource(url))
        partial.part.write_bytes(small)  # the last byte came, the word for it did not
        server.cuts.clear()
        server.sent = 0
        events = bring_it(url)
    assert server.sent == 0
    assert end(events).sha256 == hashlib.sha256(small).hexdigest()


def test_a_part_longer_than_the_file_is_thrown_away(small, bring_it, target):
    server = FileServer(small, cuts=[MEGABYTE, *[0] * 20])
    with serving_file(server) as url:
        with pytest.raises(DownloadError):
            bring_it(url)
        Partial(target, WebSource(url)).part.write_bytes(small + b"too much")
        server.cuts.clear()
        events = bring_it(url)
    assert len(of(events, Restarting)) == 1
    assert end(events).sha256 == hashlib.sha256(small).hexdigest()


def test_a_silent_server_is_left_after_a_while_and_asked_again(small, bring_it):
    server = FileServer(small, silent_after=MEGABYTE)
    with serving_file(server) as url:
        with pytest.raises(DownloadError, match="stopped responding"):
            bring_it(url, patience=Patience(PATIENCE, 1.0, (0.0,), PATIENCE))
        server.silent_after = None
        events = bring_it(url)
    assert of(events, Fetching)[0].received > 0
    assert end(events).status == "complete"


def test_a_busy_server_is_asked_again(small, bring_it):
    with serving_file(FileServer(small, statuses=[503, 500, 429])) as url:
        events = bring_it(url)
    assert [("503" in e.message, "500" in e.message, "429" in e.message) for e in of(events, Retrying)] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]
    assert end(events).status == "complete"


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [(404, DownloadError, "no longer at"), (410, DownloadError, "no longer"), (403, DownloadSignInError, "sign-in")],
)
def test_a_server_that_refuses_is_not_asked_twice(small, bring_it, code, kind, words):
    server = FileServer(small, statuses=[code] * 9)
    with serving_file(server) as url, pytest.raises(kind, match=words) as refusal:
        bring_it(url)
    assert len(server.asked) == 1
    assert refusal.value.exit_code == 3


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/zip"])
def test_a_web_page_is_never_taken_for_the_file(small, bring_it, target, kind):
    page = "<!DOCTYPE html><html><head><title>Welcome to Hotel Wi-Fi</title></head>please log in</html>"
    server = FileServer(small, page=page, kind=kind)
    with serving_file(server) as url, pytest.raises(DownloadSignInError, match=r"127\.0\.0\.1") as refusal:
        bring_it(url)
    assert "--from-file" in refusal.value.remedy
    assert not any(path.stat().st_size for path in (target / ".download").rglob("*.part"))


def test_an_unknown_page_is_quoted_by_its_title(small, bring_it):
    server = FileServer(small, page="<html><title>Caf&eacute;  news</title>", kind="text/html")
    with serving_file(server) as url, pytest.raises(DownloadError, match="Café news"):
        bring_it(url)


def test_nobody_there_is_said_in_words(bring_it):
    with pytest.raises(DownloadError, match="the connection failed"):
        bring_it("http://127.0.0.1:1/x.zip")


def test_a_file_of_unknown_length_is_fetched(small, bring_it):
    with serving_file(FileServer(small, announce=False)) as url:
        events = bring_it(url)
    assert of(events, Downloading)[-1].total is None
    assert end(events).sha256 == hashlib.sha256(small).hexdigest()


def test_a_known_checksum_is_always_compared_and_the_whole_file_is_kept_unpacked(small, bring_it, target):
    with serving_file(FileServer(small)) as url:
        with pytest.raises(ChecksumError, match=hashlib.sha256(small).hexdigest()) as refusal:
            bring_it(WebSource(url, "0" * 64))
        assert not (target / "color_statistics.json").exists()
        assert refusal.value.path is not None
        assert refusal.value.path.read_bytes() == small
        assert end(bring_it(WebSource(url, hashlib.sha256(small).hexdigest()))).status == "complete"


def test_the_first_arrival_is_remembered_and_another_file_is_refused_later(small, bring_it, ledger, tmp_path):
    other = pack({"color_statistics.json": '{"MEL": {"rgb": {"mean": [1, 2, 3], "std": [1, 2, 3]}}}'})
    server = FileServer(small)
    with serving_file(server) as url:
        bring_it(url)
        assert ledger.known(url) == hashlib.sha256(small).hexdigest()
        assert not end(bring_it(url, target=tmp_path / "second")).first_seen
        server.data, server.etag = other, '"second"'
        with pytest.raises(ChecksumError, match=hashlib.sha256(other).hexdigest()) as refusal:
            bring_it(url, target=tmp_path / "third")
        assert not (tmp_path / "third" / "color_statistics.json").exists()
        assert f"--sha256 {hashlib.sha256(other).hexdigest()}" in refusal.value.remedy
        accepted = bring_it(WebSource(url, hashlib.sha256(other).hexdigest()), target=tmp_path / "third")
    assert end(accepted).status == "complete"
    assert ledger.known(url) == hashlib.sha256(other).hexdigest()


def test_an_archive_damaged_on_its_way_is_discarded_and_fetched_anew(small, bring_it, ledger, target):
    broken = bytearray(small)
    broken[len(small) // 2] ^= 1
    server = FileServer(bytes(broken))
    with serving_file(server) as url:
        ledger.remember(url, hashlib.sha256(small).hexdigest())
        with pytest.raises(Exception, match="arrived damaged"):
            bring_it(url)
        assert leftovers(target) == []
        server.data = small
        assert end(bring_it(url)).status == "complete"


def test_an_archive_whose_directory_leads_before_its_beginning_is_refused_in_words(small, bring_it):
    end_of_directory = small.rindex(b"PK\x05\x06")
    place = end_of_directory + 16
    lying = bytearray(small)
    lying[place : place + 4] = (int.from_bytes(small[place : place + 4], "little") + 1000).to_bytes(4, "little")
    with serving_file(FileServer(bytes(lying))) as url:
        events = bring_it(url)
    assert end(events).status == "refused"
    assert not end(events).files


def test_stopping_keeps_the_part_and_going_on_fetches_only_the_rest(small, ledger, target, bring_it):
    server = FileServer(small, pause=0.1)
    cancel = CancelToken()
    with serving_file(server) as url:
        events = []
        for event in fetch(WebSource(url), target, cancel, patience=QUICK, ledger=ledger):
            events.append(event)
            if isinstance(event, Downloading) and event.received > 300_000:
                cancel.request(StopMode.NOW)
        assert end(events).status == "stopped"
        kept = Partial(target, WebSource(url)).received
        assert 300_000 < kept < len(small)
        server.pause = 0.0
        again = bring_it(url)
    assert server.asked == [None, f"bytes={kept}-"]
    assert end(again).sha256 == hashlib.sha256(small).hexdigest()


def test_discarding_leaves_nothing(small, ledger, target):
    cancel = CancelToken()
    with serving_file(FileServer(small, pause=0.1)) as url:
        for event in fetch(WebSource(url), target, cancel, patience=QUICK, ledger=ledger):
            if isinstance(event, Downloading):
                cancel.request(StopMode.DISCARD)
    assert leftovers(target) == []
    assert event.kept is None


def test_a_stop_does_not_wait_for_a_silent_server(small, ledger, target):
    cancel = CancelToken()
    endless = Patience(PATIENCE, 10 * PATIENCE, (), 20 * PATIENCE)
    server = FileServer(small, silent_after=200_000)
    with serving_file(server) as url:
        stream = fetch(WebSource(url), target, cancel, patience=endless, ledger=ledger)
        threading.Timer(0.3, cancel.request, [StopMode.NOW]).start()
        events = list(stream)  # ends long before the patience does
    assert end(events).status == "stopped"


def test_a_download_that_stands_still_is_given_up(small, bring_it):
    server = FileServer(small, silent_after=0)
    with serving_file(server) as url, pytest.raises(DownloadError, match="No data received"):
        bring_it(url, patience=Patience(PATIENCE, PATIENCE, (), 0.3))


def test_leaving_the_stream_ends_the_download(small, ledger, target):
    server = FileServer(small, pause=0.1)
    with serving_file(server) as url:
        stream = fetch(WebSource(url), target, CancelToken(), patience=QUICK, ledger=ledger)
        while not isinstance(next(stream), Downloading):
            pass
        stream.close()
        sent = server.sent
        assert not [thread for thread in threading.enumerate() if thread.name == "download"]
        assert sent < len(small)


def test_a_second_run_verifies_and_fetches_nothing(small, bring_it):
    server = FileServer(small)
    with serving_file(server) as url:
        bring_it(url)
        server.asked.clear()
        again = bring_it(url)
    assert server.asked == []
    assert end(again).status == "already"
    assert end(again).files == ("color_statistics.json",)


def test_the_file_beside_the_models_knows_the_first_arrival_too(small, bring_it, ledger, target):
    server = FileServer(small)
    with serving_file(server) as url:
        bring_it(url)
        ledger.path.unlink()
        (target / "color_statistics.json").unlink()
        server.data, server.etag = pack({"color_statistics.json": "{}"}), '"second"'
        with pytest.raises(ChecksumError):
            bring_it(url)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_what_is_complete_is_verified_in_a_folder_that_cannot_be_written(small, bring_it, target):
    with serving_file(FileServer(small)) as url:
        bring_it(url)
        shutil.rmtree(target / ".download")
        target.chmod(0o555)
        try:
            assert end(bring_it(url)).status == "already"
        finally:
            target.chmod(0o755)


def test_verifying_again_leaves_no_trace(small, bring_it, target):
    with serving_file(FileServer(small)) as url:
        bring_it(url)
        shutil.rmtree(target / ".download")
        before = {path: path.stat().st_mtime_ns for path in target.iterdir()}
        assert end(bring_it(url)).status == "already"
    assert {path: path.stat().st_mtime_ns for path in target.iterdir()} == before


def test_a_file_that_was_changed_is_fetched_again_and_the_changed_one_is_kept(small, bring_it, target):
    with serving_file(FileServer(small)) as url:
        bring_it(url)
        (target / "color_statistics.json").write_text("mine")
        events = bring_it(url)
    (installed,) = of(events, Installed)
    assert installed.replaced is not None
    assert installed.replaced.read_text() == "mine"
    assert "MEL" in (target / "color_statistics.json").read_text()


def test_an_address_without_protection_needs_a_checksum():
    with pytest.raises(UsageError, match="not protected"):
        remote_source("http://example.org/x.zip")
    assert remote_source("http://example.org/x.zip", "a" * 64) == WebSource("http://example.org/x.zip", "a" * 64)
    assert remote_source("https://example.org/x.zip").sha256 is None


def test_being_sent_on_to_an_address_without_protection_is_refused(small, bring_it, monkeypatch):
    monkeypatch.setattr("download.source._LOOPBACK", frozenset({"127.0.0.1"}))
    with serving_file(FileServer(small)) as plain:
        elsewhere = plain.replace("127.0.0.1", "localhost")
        with (
            serving_file(FileServer(b"", send_on_to=elsewhere)) as url,
            pytest.raises(UsageError, match="not protected"),
        ):
            bring_it(url)
