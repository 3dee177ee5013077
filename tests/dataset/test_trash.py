"""The trash: deleting takes the row, undo brings everything back, and no death in between loses an image."""

import errno
import json
import os
from contextlib import suppress

import pytest

from core.errors import InputRefusedError, OutputError
from dataset.layout import Layout
from dataset.reading import read_deletions
from dataset.synthetic_dataset import SyntheticDataset, read_records
from tests.support.broken_os import BrokenOS, Killed
from tests.support.datasets import (
    assert_consistent,
    fill,
    generate,
    image_files,
    make_request,
    pixels_by_seed,
    plan,
    resume,
    table_rows,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def output(tmp_path):
    generate(tmp_path, "MEL=3,NV=1")
    return tmp_path


def delete(output, *names):
    with SyntheticDataset.open(output) as dataset:
        return dataset.trash.delete([output / name for name in names])


def restore(output):
    with SyntheticDataset.open(output) as dataset:
        return dataset.trash.restore(dataset.trash.deletions[-1].trash_id)


def empty(output):
    with SyntheticDataset.open(output) as dataset:
        return dataset.trash.empty()


def visible(output):
    """Every file that is not the program's own, with its content."""
    files = [path for path in output.rglob("*") if path.is_file() and ".isicgui" not in path.parts]
    return {path.relative_to(output).as_posix(): path.read_bytes() for path in files}


def trajectory(output, code, stem):
    path = Layout(output).trajectory(code, stem)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"frames")
    return path


def test_deleting_takes_file_sidecar_trajectory_and_row_and_undo_brings_back_every_byte(output):
    frames = trajectory(output, "MEL", "ISIC_0000002")
    before = visible(output)
    delete(output, "MEL/ISIC_0000002.png", "NV/ISIC_0000001.png")
    names = [row["path"] for row in table_rows(output)]
    assert names == ["MEL/ISIC_0000001.png", "MEL/ISIC_0000003.png"]
    assert not frames.exists()
    assert not (output / "MEL" / "ISIC_0000002.json").exists()
    assert_consistent(output)
    assert sorted(restore(output)) == [output / "MEL" / "ISIC_0000002.png", output / "NV" / "ISIC_0000001.png"]
    assert visible(output) == before  # the table's order of rows included
    assert list(Layout(output).trash.iterdir()) == []
    assert_consistent(output)


def test_the_last_deletion_is_undone_first(output):
    delete(output, "MEL/ISIC_0000001.png")
    delete(output, "MEL/ISIC_0000003.png")
    assert [deletion.files for deletion in read_deletions(output)] == [
        (("MEL", "ISIC_0000001.png"),),
        (("MEL", "ISIC_0000003.png"),),
    ]
    restore(output)
    assert [path.name for path in image_files(output)] == ["ISIC_0000002.png", "ISIC_0000003.png", "ISIC_0000001.png"]
    restore(output)
    assert len(image_files(output)) == 4
    assert read_deletions(output) == []


@pytest.mark.parametrize("emptied", [False, True])
def test_numbers_and_seeds_of_deleted_images_are_not_used_again(output, emptied):
    seeds = {r.seed for r in read_records(output) if r.class_code == "MEL"}
    delete(output, "MEL/ISIC_0000002.png", "MEL/ISIC_0000003.png")
    if emptied:
        assert empty(output) == 2
        assert [path for path in Layout(output).trash.rglob("*") if path.is_file()] == []
    generate(output, "MEL=2")
    new = [r for r in read_records(output) if r.class_code == "MEL"][1:]
    assert [r.isic_number for r in new] == [4, 5]
    assert seeds.isdisjoint(r.seed for r in new)
    if not emptied:
        restore(output)
        assert len(image_files(output)) == 6
    assert_consistent(output)


@pytest.mark.parametrize("emptied", [False, True])
def test_resume_does_not_make_a_deleted_image_again(tmp_path, emptied):
    request = make_request(tmp_path, "MEL=3")
    with SyntheticDataset.open(tmp_path) as dataset:
        run = dataset.begin_run(request, plan(dataset, request))
        fill(dataset, run)
        dataset.end_run(run, "stopped")
    with SyntheticDataset.open(tmp_path) as dataset:
        dataset.trash.delete([tmp_path / "MEL" / "ISIC_0000002.png"])
        if emptied:
            dataset.trash.empty()
    with SyntheticDataset.open(tmp_path) as dataset:
        assert dataset.unfinished() == ()
    resume(tmp_path)
    assert [path.name for path in image_files(tmp_path)] == ["ISIC_0000001.png", "ISIC_0000003.png"]


def test_a_file_of_somebody_else_goes_and_comes_back_too(output):
    holiday, note = output / "MEL" / "holiday.jpg", output / "MEL" / "holiday.json"
    holiday.write_bytes(b"sun")
    note.write_bytes(b"not a sidecar")
    delete(output, "MEL/holiday.jpg")
    assert (holiday.exists(), note.exists()) == (False, True)
    restore(output)
    assert holiday.read_bytes() == b"sun"
    assert_consistent(output)


def test_the_number_of_somebody_elses_file_stays_taken(output):
    (output / "MEL" / "ISIC_0000044.jpg").write_bytes(b"sun")
    delete(output, "MEL/ISIC_0000044.jpg")
    generate(output, "MEL=1")
    assert image_files(output)[-2].name == "ISIC_0000045.png"


def test_a_file_that_lies_in_the_way_is_named_and_stays_and_the_rest_comes_back(output):
    delete(output, "MEL/ISIC_0000001.png", "MEL/ISIC_0000002.png")
    intruder = output / "MEL" / "ISIC_0000001.png"
    intruder.write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"ISIC_0000001\.png"):
        restore(output)
    assert intruder.read_bytes() == b"mine"
    assert (output / "MEL" / "ISIC_0000002.png").exists()
    assert [d.files for d in read_deletions(output)] == [(("MEL", "ISIC_0000001.png"),)]
    intruder.unlink()
    restore(output)
    assert_consistent(output)
    assert len(table_rows(output)) == 4


def test_a_file_that_another_program_holds_stays_and_keeps_its_row(output, monkeypatch):
    real = os.rename

    def rename(source, target):
        if str(source).endswith("MEL/ISIC_0000002.png"):
            raise PermissionError(errno.EACCES, "open in another program", str(source))
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", rename)
        with pytest.raises(OutputError, match="open in another program"):
            delete(output, "MEL/ISIC_0000001.png", "MEL/ISIC_0000002.png")
    assert [row["path"] for row in table_rows(output)] == [
        "MEL/ISIC_0000002.png", "MEL/ISIC_0000003.png", "NV/ISIC_0000001.png",
    ]  # fmt: skip
    assert_consistent(output)
    generate(output, "NV=1")  # the folder works on


def test_only_images_of_the_folder_itself_can_be_deleted(output, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("other")
    generate(elsewhere, "MEL=1")
    before = visible(output)
    with SyntheticDataset.open(output) as dataset:
        for path in (elsewhere / "MEL" / "ISIC_0000001.png", output / "synthetic_dataset.csv", output / "MEL" / "no"):
            with pytest.raises(InputRefusedError, match=path.name):
                dataset.trash.delete([output / "MEL" / "ISIC_0000001.png", path])
        with pytest.raises(InputRefusedError, match="nothing left"):
            dataset.trash.restore("20200101-000000-abcdef")
    assert visible(output) == before


@pytest.mark.parametrize(
    "line",
    [
        {"type": "trash", "trash_id": "../../MEL", "files": {}},
        {"type": "trash", "trash_id": "a", "files": {"MEL": ["../NV/ISIC_0000001.png"]}},
        {"type": "trash", "trash_id": "a", "files": {"..": ["NV"]}},
        {"type": "trash", "trash_id": "a", "files": {"MEL": ["..\\x.png"]}},
        {"type": "restore", "trash_id": "never-was"},
        {"type": "trash-end", "trash_id": "never-was", "inside": {}, "back": {}},
    ],
)
def test_a_journal_line_can_neither_lead_outside_nor_stop_the_folder_from_opening(output, line):
    before = visible(output)
    with Layout(output).journal.open("ab") as file:
        file.write(json.dumps(line).encode() + b"\n")
    with SyntheticDataset.open(output) as dataset:
        assert len(dataset.notices) == 1
    assert visible(output) == before
    assert_consistent(output)


def test_a_lost_journal_loses_nothing_that_lies_in_the_trash(output):
    before = {key: value for key, value in visible(output).items() if not key.endswith(".csv")}
    delete(output, "MEL/ISIC_0000003.png", "NV/ISIC_0000001.png")
    Layout(output).journal.unlink()
    generate(output, "MEL=1")
    assert image_files(output)[-1].name == "ISIC_0000004.png"
    assert_consistent(output)
    restore(output)
    assert before.items() <= visible(output).items()
    assert_consistent(output)


def test_moving_the_folder_takes_the_trash_along(output, tmp_path_factory):
    delete(output, "MEL/ISIC_0000001.png")
    moved = tmp_path_factory.mktemp("moved") / "here"
    output.rename(moved)
    assert restore(moved) == (moved / "MEL" / "ISIC_0000001.png",)
    assert_consistent(moved)


def test_a_reader_without_the_lock_does_not_see_what_was_deleted(output):
    delete(output, "MEL/ISIC_0000001.png")
    assert len(read_records(output)) == 3
    assert [d.wish for d in read_deletions(output)] == [None]


ACTIONS = {
    "delete": (lambda output: None, lambda output: delete(output, "MEL/ISIC_0000001.png", "NV/ISIC_0000001.png")),
    "restore": (lambda output: delete(output, "MEL/ISIC_0000001.png", "NV/ISIC_0000001.png"), restore),
    "empty": (lambda output: delete(output, "MEL/ISIC_0000001.png", "NV/ISIC_0000001.png"), empty),
}
WHOLE = {"delete": {1, 3}, "restore": {1, 3}, "empty": {1}}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    "make",
    [
        lambda at: BrokenOS(at, Killed, lasting=True, torn=True),
        lambda at: BrokenOS(at, lambda: OSError(errno.EIO, os.strerror(errno.EIO)), torn=True),
        lambda at: BrokenOS(at, lambda: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), lasting=True),
    ],
    ids=["killed", "EIO once", "disk full"],
)
def test_whatever_breaks_wherever_each_image_is_in_one_place_and_whole(tmp_path, monkeypatch, action, make):
    prepare, act = ACTIONS[action]
    generate(tmp_path / "whole", "MEL=2,NV=1")
    whole = pixels_by_seed(tmp_path / "whole")
    at, broken = 0, 0
    while True:
        at += 1
        output = tmp_path / str(at)
        generate(output, "MEL=2,NV=1")
        prepare(output)
        system = make(at)
        acknowledged = False
        with system.installed(monkeypatch), suppress(Killed, OutputError):
            act(output)
            acknowledged = True
        check(output, whole, action, acknowledged, made_good=make(at).error is Killed)
        broken += not acknowledged
        if not system.fired:
            break
    assert broken > 5


def check(output, whole, action, acknowledged, made_good):
    with SyntheticDataset.open(output) as dataset:
        trashed = {record.seed for d in dataset.trash.deletions for record in d.records.values()}
        assert all(d.wish is None for d in dataset.trash.deletions)
        assert not list(Layout(output).state.glob("table-*.csv"))  # its own rows are never taken for another's
    assert_consistent(output)
    found = pixels_by_seed(output)
    assert found.items() <= whole.items()
    assert trashed.isdisjoint(seed for _, seed in found)
    if action != "empty":
        assert len(found) + len(trashed) == 3
    if acknowledged:
        assert len(found) == (3 if action == "restore" else 1)
        assert len(trashed) == (2 if action == "delete" else 0)
    if made_good:
        assert len(found) in WHOLE[action]  # a process that dies has decided, or has not: nothing between
    generate(output, "MEL=1,NV=1")
    numbers = {path.parent.name: int(path.stem[5:]) for path in image_files(output)}
    assert (numbers["MEL"], numbers["NV"]) == (3, 2)
    if trashed:
        restore(output)
    assert_consistent(output)
