"""`models download`: real processes, a real server on this computer, kill -9, Ctrl-C, and files that may not grow."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from core.taxonomy import CLASS_CODES
from tests.support.file_server import FileServer, serving_file
from tests.support.google_drive import GoogleDrive, serving_drive
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
STATISTICS = json.dumps({code: {"rgb": {"mean": [180, 140, 130], "std": [30, 30, 30]}} for code in CLASS_CODES})


@pytest.fixture(scope="module")
def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as stream:
        stream.writestr("checkpoints/color_statistics.json", STATISTICS)
        stream.writestr("checkpoints/notes.bin", os.urandom(4_000_000))
    return buffer.getvalue()


def start(*arguments: object, script: str = "main.py", variables: dict[str, str] | None = None, **options):
    command = [] if script != "main.py" else ["models", "download"]
    return subprocess.Popen(
        [sys.executable, str(ROOT / script), *command, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "OMP_NUM_THREADS": "1", **(variables or {})},
        **options,
    )


def finish(process) -> tuple[int, list[dict], str]:
    out, err = process.communicate(timeout=4 * PATIENCE)
    return process.returncode, [json.loads(line) for line in out.splitlines()], err


def wait_for(process, name: str) -> dict:
    """Read the process's events until one of that name."""
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == name:
            return event
    raise AssertionError(process.stderr.read())


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_killed_in_the_middle_the_same_command_goes_on(archive, tmp_path):
    server = FileServer(archive, pause=0.1)
    with serving_file(server) as url:
        for _ in range(3):
            process = start("--url", url, "--to", tmp_path / "models", "--json")
            begun = wait_for(process, "downloading")["received"]
            while wait_for(process, "downloading")["received"] < begun + 200_000:
                pass
            process.send_signal(signal.SIGKILL)
            process.communicate()
            assert not (tmp_path / "models" / "color_statistics.json").exists()
        server.pause = 0.0
        code, events, err = finish(start("--url", url, "--to", tmp_path / "models", "--json"))
    assert code == 0, err
    starts = [int(asked.removeprefix("bytes=").rstrip("-")) for asked in server.asked[1:] if asked]
    assert len(starts) == 3, server.asked
    assert starts == sorted(set(starts)), "every attempt begins further on"
    assert events[0]["received"] == starts[-1]
    assert events[-1]["status"] == "complete"
    assert events[-1]["sha256"] == hashlib.sha256(archive).hexdigest()
    assert (tmp_path / "models" / "color_statistics.json").read_text() == STATISTICS


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_killed_while_google_sends_the_same_command_goes_on(archive, tmp_path):
    drive = GoogleDrive(FileServer(archive, pause=0.01))
    with serving_drive(drive, tmp_path) as variables:
        process = start("--to", tmp_path / "m", "--json", variables=variables)
        while wait_for(process, "downloading")["received"] < 1_500_000:
            pass
        process.send_signal(signal.SIGKILL)
        process.communicate()
        drive.file.pause = 0.0
        code, events, err = finish(start("--to", tmp_path / "m", "--json", variables=variables))
    assert code == 0, err
    assert events[0]["received"] >= 1_500_000
    assert drive.file.asked[-1] == f"bytes={events[0]['received']}-"
    assert events[-1]["sha256"] == hashlib.sha256(archive).hexdigest()


def test_ctrl_c_is_130_and_keeps_the_part(archive, tmp_path):
    server = FileServer(archive, pause=0.1)
    with serving_file(server) as url:
        process = start("--url", url, "--to", tmp_path / "models", "--json")
        wait_for(process, "downloading")
        process.send_signal(signal.SIGINT)
        code, events, err = finish(process)
        assert code == 130
        assert events[-1]["event"] == "finished"
        assert events[-1]["status"] == "stopped"
        assert "Run the same command again" in err
        server.pause = 0.0
        code, events, _ = finish(start("--url", url, "--to", tmp_path / "models", "--json"))
    assert code == 0
    assert events[0]["received"] > 0


def test_a_file_that_may_not_grow_is_exit_4_and_goes_on_elsewhere_or_later(archive, tmp_path):
    resource = pytest.importorskip("resource")

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    with serving_file(FileServer(archive)) as url:
        arguments = ("--url", url, "--to", tmp_path / "models", "--json")
        code, events, err = finish(start(*arguments, preexec_fn=small_files))
        assert code == 4, err
        assert events[-1]["kind"] == "disk_full"
        assert "Traceback" not in err
        code, events, err = finish(start(*arguments))
    assert code == 0, err
    assert 0 < events[0]["received"] <= 1_000_000


def test_the_script_for_people_fetches_from_googles_pages(archive, tmp_path):
    with serving_drive(GoogleDrive(FileServer(archive)), tmp_path) as variables:
        out, err = start("--to", tmp_path / "m", script="download_models.py", variables=variables).communicate(
            timeout=4 * PATIENCE
        )
        again, _ = start("--to", tmp_path / "m", script="download_models.py", variables=variables).communicate(
            timeout=4 * PATIENCE
        )
    assert "1 file in" in out, err
    assert hashlib.sha256(archive).hexdigest() in out
    assert "every later download is compared with it" in out
    assert "were already there and are unchanged" in again


def test_the_quota_is_exit_3_with_a_remedy(archive, tmp_path):
    with serving_drive(GoogleDrive(FileServer(archive), mood="quota"), tmp_path) as variables:
        code, events, err = finish(start("--to", tmp_path / "m", "--json", variables=variables))
    assert code == 3
    assert events[-1]["kind"] == "download_quota"
    assert "24 hours" in events[-1]["remedy"]
    assert "Traceback" not in err


def test_a_partly_refused_import_is_exit_3_and_says_both(call, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "color_statistics.json").write_text(STATISTICS)
    (folder / "unet_MEL_best.pth").write_bytes(b"no weights")
    code, out, err = call("models", "download", "--from-file", folder, "--to", tmp_path / "models")
    assert code == 3
    assert "1 file in" in out
    assert "Refused: unet_MEL_best.pth." in out
    assert "REFUSED unet_MEL_best.pth" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from-file", "x.zip", "--url", "https://x/y.zip"], "not from both"),
        (["--url", "x.zip"], "no web address"),
        (["--url", "http://example.org/x.zip"], "not protected"),
        (["--sha256", "1234"], "no SHA-256"),
    ],
)
def test_wrong_usage_is_exit_2(call, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    code, out, err = call("models", "download", *arguments)
    assert code == 2
    assert out == ""
    assert words in err


def test_an_archive_that_is_not_there_is_refused_like_every_missing_file(call, tmp_path):
    code, out, err = call("models", "download", "--from-file", tmp_path / "not-there.zip", "--to", tmp_path / "models")
    assert code == 3
    assert out == ""
    assert "nothing at" in err
    assert not (tmp_path / "models").exists()


def test_two_at_once_in_one_folder_are_told_apart(archive, tmp_path, call):
    with serving_file(FileServer(archive, pause=0.05)) as url:
        process = start("--url", url, "--to", tmp_path / "models", "--json")
        wait_for(process, "downloading")
        code, _, err = call("models", "download", "--url", url, "--to", tmp_path / "models")
        process.send_signal(signal.SIGINT)
        finish(process)
    assert code == 4
    assert "is writing to" in err
