"""An export is there whole or not at all, whatever happens in the middle."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from core.cancel import CancelToken, StopMode
from core.errors import DiskFullError, InputRefusedError, OutputError
from core.events import Progress
from dataset.export import writing
from dataset.export.plan import plan_export
from dataset.export.request import ExportFinished, ExportOptions, ExportStarted
from dataset.export.writing import export
from tests.support.broken_os import BrokenOS, Killed
from tests.support.exports import export_to, files_of, put
from tests.support.sentinel import snapshot

ROOT = Path(__file__).resolve().parents[3]


def visible(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def hidden(folder):
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


@pytest.fixture
def plan(output, tmp_path):
    (tmp_path / "there").mkdir()
    return plan_export(output, ExportOptions(tmp_path / "there/set", format="hf", zip=True))


def test_the_events_tell_how_far_it_is_and_what_came_of_it(plan):
    first, *middle, last = export(plan)
    assert isinstance(first, ExportStarted)
    assert (first.images, first.files, first.bytes) == (plan.rows, plan.files, plan.bytes + plan.archive_bytes)
    steps = [event for event in middle if isinstance(event, Progress)]
    assert [event.done for event in steps] == sorted({event.done for event in steps})
    assert (steps[-1].done, steps[-1].total) == (2 * plan.files, 2 * plan.files)
    assert last == ExportFinished(
        "completed", plan.options.target, plan.options.archive, "hf", plan.rows, plan.files, plan.bytes, plan.counts,
        last.seconds,
    )  # fmt: skip
    assert hidden(plan.options.target.parent) == []


def test_the_collection_is_not_touched(output, tmp_path):
    before = files_of(output)
    export_to(output, tmp_path / "set", zip=True)
    assert files_of(output) == before
    first = next((tmp_path / "set").rglob("*.png"))
    assert first.stat().st_nlink == 1


def test_the_same_export_is_the_same_archive_on_any_day(output, tmp_path):
    archives = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        export_to(output, tmp_path / name / "set", zip=True)
        archives.append((tmp_path / name / "set.zip").read_bytes())
        for path in (output / "MEL").iterdir():
            os.utime(path, (1, 1))
    assert archives[0] == archives[1]
    with zipfile.ZipFile(tmp_path / "one/set.zip") as archive:
        assert archive.testzip() is None
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.namelist() == sorted(archive.namelist())


@pytest.mark.parametrize("after", [0, 1, 20])
def test_a_stop_leaves_nothing(plan, after, monkeypatch):
    monkeypatch.setattr("dataset.export.writing.SECONDS_BETWEEN", 0)
    cancel, events = CancelToken(), []
    for event in export(plan, cancel):
        events.append(event)
        if isinstance(event, Progress) and event.done > after:
            cancel.request(StopMode.NOW)
    assert events[-1].status == "stopped"
    assert (events[-1].images, events[-1].archive) == (0, None)
    folder = plan.options.target.parent
    assert visible(folder) == hidden(folder) == []


def test_a_consumer_that_goes_away_leaves_nothing(plan):
    events = export(plan)
    while not isinstance(next(events), Progress):
        pass
    folder = plan.options.target.parent
    assert len(hidden(folder)) == 1
    events.close()
    assert visible(folder) == hidden(folder) == []


def test_a_picture_that_changed_or_vanished_since_the_plan_ends_the_export(output, plan):
    folder = plan.options.target.parent
    put(output, "MEL", 3, 77)
    with pytest.raises(InputRefusedError, match=r"ISIC_0000003\.png' has changed"):
        list(export(plan))
    (output / "MEL/ISIC_0000003.png").unlink()
    with pytest.raises(InputRefusedError, match="has changed"):
        list(export(plan))
    assert visible(folder) == hidden(folder) == []


def test_something_put_at_the_target_meanwhile_is_not_overwritten(plan):
    events = export(plan)
    assert isinstance(next(events), ExportStarted)
    plan.options.target.mkdir()
    (plan.options.target / "theirs.txt").write_text("theirs")
    with pytest.raises(OutputError, match="nothing is overwritten"):
        list(events)
    assert files_of(plan.options.target) == {"theirs.txt": b"theirs"}
    assert visible(plan.options.target.parent) == ["set"]


def no_space():
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_drive_that_fills_up_at_any_call_leaves_nothing_or_everything(plan, monkeypatch):
    count = BrokenOS()
    with count.installed(monkeypatch):
        list(export(plan))
    whole = files_of(plan.options.target)
    folder = plan.options.target.parent
    outcomes = set()
    for at in range(1, count.count, 7):
        target = folder / f"at-{at}" / "set"
        target.parent.mkdir()
        broken = BrokenOS(at, no_space, torn=True)
        try:
            with broken.installed(monkeypatch):
                list(export(plan_export(plan.output, ExportOptions(target, format="hf", zip=True))))
        except DiskFullError:
            outcomes.add("refused")
        found = files_of(target) if target.exists() else {}
        assert found == {} or found.keys() == whole.keys()
        assert hidden(target.parent) == []
    assert "refused" in outcomes


KILLED = """
import sys, time
from pathlib import Path
import dataset.export.writing as writing
from dataset.export.request import ExportOptions
from dataset.export.plan import plan_export
real, seen = writing.write_new_file, []
def slow(path, data):
    real(path, data)
    seen.append(path)
    if len(seen) == int(sys.argv[3]):
        print("here", flush=True)
        time.sleep(600)
writing.write_new_file = slow
list(writing.export(plan_export(Path(sys.argv[1]), ExportOptions(Path(sys.argv[2]), zip=True))))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
@pytest.mark.parametrize("files", [1, 9, 18])
def test_a_killed_process_leaves_no_visible_half_and_the_next_export_clears_up(output, tmp_path, files):
    place = tmp_path / "there"
    place.mkdir()
    command = [sys.executable, "-c", KILLED, str(output), str(place / "set"), str(files)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"here\n"
    assert len(hidden(place)) == 1
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert visible(place) == []
    export_to(output, place / "set", zip=True)
    assert visible(place) == ["set", "set.zip"]
    assert hidden(place) == []


def test_what_a_living_export_is_writing_is_left_alone(output, tmp_path, monkeypatch):
    monkeypatch.setattr("dataset.export.writing.SECONDS_BETWEEN", 0)
    first = export(plan_export(output, ExportOptions(tmp_path / "set")))
    while not isinstance(next(first), Progress):
        pass
    export_to(output, tmp_path / "set")
    with pytest.raises(OutputError, match="nothing is overwritten"):
        list(first)
    assert hidden(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
@pytest.mark.parametrize("kind", ["folder", "marked otherwise", "with more in it", "link", "file", "named otherwise"])
def test_a_hidden_folder_of_somebody_else_is_left_alone(output, tmp_path, kind):
    place, elsewhere = tmp_path / "there", tmp_path / "elsewhere"
    for folder in (place, elsewhere):
        folder.mkdir()
    (elsewhere / "unfinished-export").write_bytes(writing._MARK)
    (elsewhere / "folder").mkdir()
    (elsewhere / "folder" / "thesis.docx").write_text("mine")
    left = place / (".set.mine.export" if kind == "named otherwise" else ".set.00c0ffee.export")
    if kind == "link":
        left.symlink_to(elsewhere)
    elif kind == "file":
        left.write_text("mine")
    else:
        shutil.copytree(elsewhere, left)
    if kind == "folder":
        (left / "unfinished-export").unlink()
    elif kind == "marked otherwise":
        (left / "unfinished-export").write_text("mine")
    elif kind == "with more in it":
        (left / "notes.txt").write_text("mine")
    before, there = snapshot(elsewhere), snapshot(place)
    export_to(output, place / "set")
    assert snapshot(elsewhere) == before
    kept = {name: seen for name, seen in snapshot(place).items() if name.startswith(".") and name.count("/") == 0}
    assert kept.keys() == {name for name in there if name.count("/") == 0}
    assert (left / "folder" / "thesis.docx").exists() or kind == "file"


def test_links_inside_what_a_dead_export_left_are_not_followed(output, tmp_path):
    place, elsewhere = tmp_path / "there", tmp_path / "elsewhere"
    left = place / ".set.00c0ffee.export"
    left.mkdir(parents=True)
    elsewhere.mkdir()
    (elsewhere / "thesis.docx").write_text("mine")
    (left / "unfinished-export").write_bytes(writing._MARK)
    (left / "folder").symlink_to(elsewhere)
    before = snapshot(elsewhere)
    export_to(output, place / "set")
    assert not left.exists()
    assert snapshot(elsewhere) == before


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
@pytest.mark.parametrize("name", ["set", "set.zip"])
def test_a_target_that_is_a_link_is_refused(output, tmp_path, name):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="nothing is overwritten"):
        export_to(output, tmp_path / "set", zip=True)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.EFBIG], ids=errno.errorcode.get)
def test_an_error_of_the_drive_at_any_call_leaves_nothing_or_everything(plan, monkeypatch, number):
    count = BrokenOS()
    with count.installed(monkeypatch):
        list(export(plan))
    whole = files_of(plan.options.target)
    for at in range(1, count.count, 11):
        target = plan.options.target.parent / f"at-{at}" / "set"
        target.parent.mkdir()
        broken = BrokenOS(at, lambda: OSError(number, os.strerror(number)), torn=True)
        with broken.installed(monkeypatch), suppress(OutputError):
            list(export(plan_export(plan.output, ExportOptions(target, format="hf", zip=True))))
        found = files_of(target) if target.exists() else {}
        assert found == {} or found.keys() == whole.keys()
        export_to(plan.output, target.with_name("again"))


def test_a_process_that_dies_at_any_call_leaves_no_visible_half(plan, monkeypatch):
    count = BrokenOS()
    with count.installed(monkeypatch):
        list(export(plan))
    whole = files_of(plan.options.target)
    for at in range(1, count.count, 9):
        target = plan.options.target.parent / f"at-{at}" / "set"
        target.parent.mkdir()
        broken = BrokenOS(at, Killed, lasting=True, torn=True)
        with broken.installed(monkeypatch), suppress(Killed):
            list(export(plan_export(plan.output, ExportOptions(target, format="hf", zip=True))))
        found = files_of(target) if target.exists() else {}
        assert found == {} or found.keys() == whole.keys()
        if not found:
            export_to(plan.output, target, format="hf")
            assert files_of(target).keys() == whole.keys()
            assert hidden(target.parent) == []


def test_a_drive_whose_fsync_fails_gets_no_export(plan, monkeypatch):
    def fail(fd):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError):
        list(export(plan))
    assert visible(plan.options.target.parent) == hidden(plan.options.target.parent) == []


def test_a_drive_without_hard_links_gets_an_export(plan, monkeypatch):
    def refuse(source, target, **options):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", refuse)
        assert [*export(plan)][-1].status == "completed"
    assert visible(plan.options.target.parent) == ["set", "set.zip"]
