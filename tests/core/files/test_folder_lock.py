"""One writer per folder, whoever it is, however it ends."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import FolderLockedError
from core.files.folder_lock import FolderLock, who_holds

ROOT = Path(__file__).resolve().parents[3]
HOLDER = """
import sys
from pathlib import Path
from dataset.synthetic_dataset import SyntheticDataset
with SyntheticDataset.open(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def lock_of(folder):
    return FolderLock(folder / ".isicgui", subject=folder)


def test_second_process_is_refused_by_name_and_starts_at_once_after_a_kill(tmp_path, holder):
    with pytest.raises(FolderLockedError) as refused:
        lock_of(tmp_path).acquire()
    assert refused.value.exit_code == 4
    text = str(refused.value)
    assert f"Process {holder.pid} (command line: -c {tmp_path})" in text
    assert str(tmp_path) in text
    assert re.search(r"since 20\d\d-\d\d-\d\d \d\d:\d\d\b(?!:)", text)
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert json.loads((tmp_path / ".isicgui" / "lock.json").read_text())["pid"] == holder.pid
    with lock_of(tmp_path):
        assert json.loads((tmp_path / ".isicgui" / "lock.json").read_text())["pid"] == os.getpid()


def test_who_holds_a_folder_is_told_without_touching_the_lock(tmp_path, holder):
    state = tmp_path / ".isicgui"
    assert f"Process {holder.pid} (command line: -c {tmp_path})" in who_holds(state)
    with pytest.raises(FolderLockedError):
        lock_of(tmp_path).acquire()
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert (state / "lock.json").exists()
    assert who_holds(state) == ""


def test_a_number_that_another_process_has_been_given_meanwhile_is_no_holder(tmp_path, holder):
    note = tmp_path / ".isicgui" / "lock.json"
    told = json.loads(note.read_text())
    note.write_text(json.dumps(told | {"since": "2020-01-01T00:00:00+00:00"}))
    assert who_holds(note.parent) == ""
    note.write_text(json.dumps(told | {"since": "2020-01-01T00:00:00+00:00", "host": "elsewhere"}))
    assert "elsewhere" in who_holds(note.parent)
    for nonsense in ("", "[]", '{"pid": "x"}', json.dumps(told | {"since": "soon"})):
        note.write_text(nonsense)
        assert who_holds(note.parent) == ""


def test_the_holder_itself_holds_nothing_against_itself(tmp_path):
    with FolderLock(tmp_path):
        assert who_holds(tmp_path) == ""


def test_a_stopped_process_gives_the_folder_back(tmp_path, holder):
    holder.communicate("")
    with lock_of(tmp_path):
        pass


def test_a_refused_attempt_leaves_the_holder_in_place(tmp_path, holder):
    for _ in range(3):
        with pytest.raises(FolderLockedError, match=str(holder.pid)):
            lock_of(tmp_path).acquire()


def test_the_same_process_is_refused_too(tmp_path):
    with FolderLock(tmp_path), pytest.raises(FolderLockedError, match="already writing"):
        FolderLock(tmp_path).acquire()
    with FolderLock(tmp_path):
        pass


def test_holder_information_that_makes_no_sense_is_not_shown(tmp_path):
    with FolderLock(tmp_path):
        for text in ("", "[]", "{", "null"):
            (tmp_path / "lock.json").write_text(text)
            with pytest.raises(FolderLockedError, match=r"^Another process is writing to"):
                FolderLock(tmp_path).acquire()


def test_releasing_twice_or_without_holding_is_harmless(tmp_path):
    lock = FolderLock(tmp_path)
    lock.release()
    lock.acquire()
    lock.release()
    lock.release()
    assert not (tmp_path / "lock.json").exists()
