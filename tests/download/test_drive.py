"""gdown itself against a Google Drive of our own: pages passed, broken downloads continued, refusals explained."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.cancel import CancelToken, StopMode
from core.errors import DownloadError, DownloadQuotaError, DownloadSignInError, UsageError
from download.job import fetch
from download.partial import Partial, Patience
from download.request import Downloading, Fetching, Restarting, Retrying
from download.source import ORIGINALS, DriveSource, remote_source
from tests.download.conftest import QUICK, end, leftovers, pack
from tests.support.file_server import FileServer
from tests.support.google_drive import GoogleDrive, serving_drive
from tests.support.patience import PATIENCE

SOURCE = DriveSource("1AbcdefGhijkLmnop_-9")
SHARE = 512 * 1024
"""What gdown reads at once; an incomplete piece is lost when the connection breaks."""


@pytest.fixture
def drive(small, tmp_path, monkeypatch):
    """Make a Google Drive and let every address of Google's lead to it."""

    @contextmanager
    def make(**values):
        served = GoogleDrive(FileServer(small), **values)
        with serving_drive(served, tmp_path) as variables:
            for name, value in variables.items():
                monkeypatch.setenv(name, value)
            yield served

    return make


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize("mood", ["warning", "direct"])
def test_the_file_arrives_through_the_virus_scan_page_and_without(drive, small, bring_it, target, ledger, mood):
    with drive(mood=mood) as google:
        events = bring_it(SOURCE)
    assert end(events).status == "complete"
    assert end(events).sha256 == hashlib.sha256(small).hexdigest()
    assert end(events).first_seen
    assert ledger.known(SOURCE.key) == hashlib.sha256(small).hexdigest()
    assert of(events, Downloading)[-1].total == len(small)
    assert google.asked[0] == f"drive.google.com/uc?id={SOURCE.file_id}"
    assert any("confirm=t" in path for path in google.asked) == (mood == "warning")
    assert leftovers(target) == []


def test_nothing_of_googles_is_kept_in_the_home_folder(drive, bring_it, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with drive():
        bring_it(SOURCE)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("mood", ["quota", "quota_later"])
def test_the_quota_page_is_explained(drive, bring_it, target, mood):
    with (
        drive(mood=mood),
        pytest.raises(DownloadQuotaError, match="too many people have downloaded this file") as refusal,
    ):
        bring_it(SOURCE)
    assert "24 hours" in refusal.value.remedy
    assert SOURCE.address in refusal.value.remedy
    assert "--from-file" in refusal.value.remedy
    assert refusal.value.exit_code == 3
    assert not [path for path in target.iterdir() if path.name != ".download"]


@pytest.mark.parametrize(
    ("mood", "kind", "words"),
    [
        ("sign_in", DownloadSignInError, "not public"),
        ("gone", DownloadError, "no longer at"),
        ("strange", DownloadError, "Something new"),
    ],
)
def test_other_pages_are_explained(drive, bring_it, mood, kind, words):
    with drive(mood=mood), pytest.raises(DownloadError, match=words) as refusal:
        bring_it(SOURCE)
    assert type(refusal.value) is kind


def test_a_confirmation_without_end_is_given_up(drive, bring_it):
    with drive(mood="endless"), pytest.raises(DownloadError, match="No data received"):
        bring_it(SOURCE, patience=Patience(PATIENCE, PATIENCE, (), 0.5))


def test_a_cut_connection_is_continued(drive, small, bring_it):
    with drive() as google:
        google.file.cuts = [3 * SHARE]
        events = bring_it(SOURCE)
    assert end(events).sha256 == hashlib.sha256(small).hexdigest()
    assert len(of(events, Retrying)) == 1
    assert f"bytes={3 * SHARE}-" in google.file.asked


def test_without_ranges_it_begins_anew_and_nothing_is_doubled(drive, small, bring_it):
    with drive() as google:
        google.file.obeys_range = False
        google.file.cuts = [3 * SHARE]
        events = bring_it(SOURCE)
    assert of(events, Restarting)
    assert end(events).sha256 == hashlib.sha256(small).hexdigest()


def test_a_file_exchanged_in_between_is_never_joined(drive, small, bring_it):
    other = pack({"color_statistics.json": '{"MEL": {"rgb": {"mean": [1, 2, 3], "std": [1, 2, 3]}}}', "x": small[::-1]})
    with drive() as google:
        google.file.cuts = [3 * SHARE, *[0] * 20]
        with pytest.raises(DownloadError):
            bring_it(SOURCE)
        google.file.cuts.clear()
        google.file.data, google.file.etag = other, '"second"'
        events = bring_it(SOURCE)
    assert end(events).sha256 == hashlib.sha256(other).hexdigest()
    assert of(events, Restarting)


def test_stopping_keeps_the_part(drive, small, ledger, target, bring_it):
    cancel = CancelToken()
    with drive() as google:
        google.file.pause = 0.1
        events = []
        for event in fetch(SOURCE, target, cancel, patience=QUICK, ledger=ledger):
            events.append(event)
            if isinstance(event, Downloading):
                cancel.request(StopMode.NOW)
        assert end(events).status == "stopped"
        kept = Partial(target, SOURCE).received
        assert 0 < kept < len(small)
        google.file.pause = 0.0
        again = bring_it(SOURCE)
    assert of(again, Fetching)[0].received == kept
    assert google.file.asked[-1] == f"bytes={kept}-"
    assert end(again).sha256 == hashlib.sha256(small).hexdigest()


def test_a_second_run_asks_google_nothing(drive, bring_it):
    with drive() as google:
        bring_it(SOURCE)
        google.asked.clear()
        assert end(bring_it(SOURCE)).status == "already"
    assert google.asked == []


@pytest.mark.parametrize(
    "url",
    [f"https://drive.google.com/file/d/{ORIGINALS.file_id}/view?usp=sharing",
     f"https://drive.google.com/uc?id={ORIGINALS.file_id}", f"https://drive.google.com/open?id={ORIGINALS.file_id}",
     f"https://drive.google.com/file/u/0/d/{ORIGINALS.file_id}/view",
     f"https://drive.usercontent.google.com/download?id={ORIGINALS.file_id}&export=download&confirm=t"],
)  # fmt: skip
def test_every_form_of_the_link_is_the_same_file(url):
    assert remote_source(url) == ORIGINALS


@pytest.mark.parametrize(
    "url", ["https://drive.google.com/drive/folders/1AbcdefGhijkLmnop_-9", "ftp://x/y", "x.zip", ""]
)
def test_what_is_no_file_is_wrong_usage(url):
    with pytest.raises(UsageError):
        remote_source(url)


def test_certificates_that_are_not_trusted_are_told(drive, bring_it, monkeypatch, tmp_path):
    with drive():
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        with pytest.raises(DownloadError, match="certificate is not trusted"):
            bring_it(SOURCE, patience=Patience(PATIENCE, PATIENCE, (0.0,), PATIENCE))


def test_a_proxy_that_refuses_is_told(bring_it, monkeypatch, tmp_path: Path):
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with pytest.raises(DownloadError, match="proxy"):
        bring_it(SOURCE, patience=Patience(PATIENCE, PATIENCE, (0.0,), PATIENCE))
