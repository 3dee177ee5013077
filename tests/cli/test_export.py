"""`export` on the command line: previews, writes, refuses with the right exit code, stops without a trace."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.datasets import generate
from tests.support.exports import files_of
from tests.support.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def output(tmp_path):
    generate(tmp_path / "out", "MEL=6,NV=4")
    return tmp_path / "out"


def test_it_writes_folder_and_archive_and_says_where(call, output, tmp_path):
    code, out, err = call("export", output, "--to", tmp_path / "set", "--format", "imagefolder", "--zip")
    assert code == 0, err
    assert f"10 images in {tmp_path / 'set'} and {tmp_path / 'set.zip'}" in out
    assert (tmp_path / "set/train/MEL").is_dir()
    assert (tmp_path / "set.zip").is_file()


def test_the_preview_writes_nothing_and_says_what_would_be(call, output, tmp_path):
    code, out, err = call("export", output, "--to", tmp_path / "set", "--format", "hf", "--preview")
    assert code == 0
    assert "train/MEL" in out
    assert "10 images" in out
    assert "Nothing written." in out
    assert "licence" in err
    assert not (tmp_path / "set").exists()


def test_the_preview_in_json_is_what_the_export_then_says(call, output, tmp_path):
    flags = ("export", output, "--to", tmp_path / "set", "--format", "csv", "--split", "none", "--json")
    _, out, _ = call(*flags, "--preview")
    plan = json.loads(out.splitlines()[-1])
    _, out, _ = call(*flags)
    events = [event for event in map(json.loads, out.splitlines()) if event["event"] != "progress"]
    assert [plan["event"], events[0]["event"], events[-1]["event"]] == ["plan", "started", "finished"]
    for key in ("images", "files", "bytes", "counts"):
        assert events[-1][key] == plan[key]
    assert plan["counts"] == {"all": {"MEL": 6, "NV": 4}}
    assert plan["files"] == len(files_of(tmp_path / "set"))


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("--format", "tar"), 2),
        (("--format", "csv", "--split", "80/20"), 2),
        (("--format", "csv", "--classes", "MELL"), 2),
        (("--format", "csv", "--rating", "6"), 2),
        (("--format", "csv", "--rating", "1"), 3),
        (("--format", "csv", "--classes", "DF"), 3),
    ],
)
def test_what_cannot_be_done_ends_with_its_exit_code(call, output, tmp_path, flags, expected):
    code, out, err = call("export", output, "--to", tmp_path / "set", *flags)
    assert (code, out) == (expected, "")
    assert "Error" in err
    assert not (tmp_path / "set").exists()


def test_places_that_are_taken_missing_or_inside_end_with_their_exit_codes(call, output, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set/theirs").touch()
    flags = ("--format", "csv")
    assert call("export", output, "--to", tmp_path / "set", *flags)[0] == 4
    assert call("export", output, "--to", tmp_path / "set", *flags, "--preview")[0] == 4
    assert call("export", output, "--to", output / "inside", *flags)[0] == 2
    assert call("export", tmp_path / "nowhere", "--to", tmp_path / "b", *flags)[0] == 3


INTERRUPTED = """
import sys
import dataset.export.writing as writing
from cli.app import main
real = writing.write_new_file
def slow(path, data):
    real(path, data)
    print("here", file=sys.stderr, flush=True)
    sys.stdin.readline()  # goes on when the signal has been sent
writing.write_new_file = slow
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
def test_ctrl_c_ends_with_130_and_leaves_nothing(output, tmp_path):
    place = tmp_path / "there"
    flags = ("export", output, "--to", place / "set", "--format", "hf", "--zip", "--json")
    child = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, *map(str, flags)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    for line in child.stderr:
        if line == b"here\n":
            break
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == 130
    assert "nothing was written" in err.decode()
    assert json.loads(out.splitlines()[-1])["status"] == "stopped"
    assert list(place.iterdir()) == []
