"""Every state that a dead process can leave, built by hand and opened."""

import json
import subprocess
import sys
from contextlib import suppress

import pytest

from dataset.layout import Layout
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


def journal_lines(output):
    return Layout(output).journal.read_bytes().splitlines(keepends=True)


def write_journal(output, lines):
    Layout(output).journal.write_bytes(b"".join(lines))


def reopen(output):
    with SyntheticDataset.open(output) as dataset:
        return dataset.notices


def image_lines(lines):
    return [line for line in lines if json.loads(line)["type"] == "image"]


def test_picture_without_journal_line_and_row_is_adopted_from_its_own_recipe(output):
    before = {record.path: record for record in read_records(output)}
    write_journal(output, [line for line in journal_lines(output) if b"ISIC_0000002" not in line])
    reopen(output)
    assert {record.path: record for record in read_records(output)} == before
    assert len(table_rows(output)) == 4
    assert_consistent(output)


def test_an_adopted_picture_counts_for_its_run(tmp_path):
    request = make_request(tmp_path, "MEL=3")
    with SyntheticDataset.open(tmp_path) as dataset:
        run = dataset.begin_run(request, plan(dataset, request))
        fill(dataset, run)
    write_journal(tmp_path, journal_lines(tmp_path)[:-1])
    with SyntheticDataset.open(tmp_path) as dataset:
        assert dataset.unfinished() == ()


def test_row_without_picture_is_dropped(output):
    image_files(output)[1].unlink()
    assert len(reopen(output)) == 1
    assert len(table_rows(output)) == 3
    assert_consistent(output)


def test_missing_sidecar_is_written_again(output):
    sidecar = image_files(output)[0].with_suffix(".json")
    text = sidecar.read_bytes()
    sidecar.unlink()
    reopen(output)
    assert sidecar.read_bytes() == text


@pytest.mark.parametrize("keep", [1, 20, -2, -1])
def test_torn_last_line_is_cut_off_before_anything_is_appended(output, keep):
    lines = journal_lines(output)
    assert json.loads(lines[-2])["type"] == "image"
    write_journal(output, [*lines[:-2], lines[-2][:keep]])
    reopen(output)
    assert_consistent(output)
    assert len(table_rows(output)) == 4
    generate(output, "NV=1")
    assert_consistent(output)


def test_torn_tail_of_zeros_as_after_a_power_cut(output):
    write_journal(output, [*journal_lines(output), b"\0" * 4096])
    reopen(output)
    assert_consistent(output)


@pytest.mark.parametrize(
    "rubbish", [b"\xff\xfe\0\0\n", b"{\n", b"[1, 2]\n", b'{"type": "image"}\n', b'{"no": "type"}\n']
)
@pytest.mark.parametrize("position", [0, 2, -1])
def test_damaged_line_is_named_and_set_aside_and_the_rest_recovered(output, rubbish, position):
    lines = journal_lines(output)
    number = range(len(lines))[position]
    damaged = [*lines[:number], rubbish, *lines[number + 1 :]]
    write_journal(output, damaged)
    (notice,) = reopen(output)
    assert f"line {number + 1}" in notice
    (copy,) = Layout(output).state.glob("journal.damaged-*.jsonl")
    assert copy.read_bytes() == b"".join(damaged)
    assert_consistent(output)
    assert len(table_rows(output)) == 4
    assert reopen(output) == ()
    generate(output, "MEL=1")
    assert_consistent(output)


def test_a_journal_line_cannot_point_outside_the_folder(output):
    line = json.loads(image_lines(journal_lines(output))[0])
    outside = {**line, "file": "../../ISIC_0000009.png"}
    lines = journal_lines(output)
    write_journal(output, [*lines, json.dumps(outside).encode() + b"\n"])
    (notice,) = reopen(output)
    assert f"line {len(lines) + 1}" in notice
    assert journal_lines(output) == lines
    assert_consistent(output)


def test_lines_and_keys_of_a_newer_version_are_kept(output):
    lines = journal_lines(output)
    run = {**json.loads(lines[0]), "mood": "new"}
    newer = [json.dumps(run).encode() + b"\n", b'{"type": "rating", "file": "x", "stars": 5}\n', *lines[1:]]
    write_journal(output, newer)
    assert reopen(output) == ()
    assert journal_lines(output) == newer
    assert_consistent(output)


def test_a_run_that_only_a_newer_version_understands_keeps_its_numbers(output):
    line = json.loads(journal_lines(output)[0])
    line["request"]["sampler"] = "sampler-of-2030"
    line["run_id"], line["plan"] = "future", {"MEL": {"numbers": [7], "indices": [9], "seeds": [99]}}
    write_journal(output, [*journal_lines(output), json.dumps(line).encode() + b"\n"])
    with SyntheticDataset.open(output) as dataset:
        assert dataset.unfinished() == ()
        request = make_request(output, "MEL=1")
        assert dataset.begin_run(request, plan(dataset, request)).slots[0].isic_number == 8


def test_journal_lost_entirely_is_rebuilt_from_the_pictures(output):
    before = sorted((r.key, r.seed, r.run_id, r.index) for r in read_records(output))
    Layout(output).journal.unlink()
    reopen(output)
    assert sorted((r.key, r.seed, r.run_id, r.index) for r in read_records(output)) == before
    assert_consistent(output)
    generate(output, "MEL=1")
    assert [p.stem for p in image_files(output) if p.parent.name == "MEL"][-1] == "ISIC_0000004"


def test_leftover_temporary_files_are_removed(output):
    for name in ("ISIC_0000009.png.ab12cd34.tmp", "journal.jsonl.00c0ffee.tmp"):
        (Layout(output).temporary / name).write_bytes(b"half")
    with SyntheticDataset.open(output):
        assert list(Layout(output).temporary.iterdir()) == []
    assert_consistent(output)


def test_table_older_than_the_journal_is_brought_up_to_date(output):
    table = Layout(output).table
    text = table.read_bytes()
    table.write_bytes(b"".join(text.splitlines(keepends=True)[:2]))
    reopen(output)
    assert table.read_bytes() == text


@pytest.mark.parametrize("torn", [b"", b"ISIC_00", b"\0\0\0"])
def test_table_with_torn_or_missing_content_is_rebuilt(output, torn):
    table = Layout(output).table
    text = table.read_bytes()
    table.write_bytes(text[:-30] + torn)
    reopen(output)
    assert table.read_bytes() == text


def test_table_with_rows_that_the_journal_lacks_is_kept_beside_the_new_one(output):
    table = Layout(output).table
    text = table.read_text(encoding="utf-8")
    newer = text + "ISIC_0000044.png,MEL,44,synthetic,1.5" + "," * 11 + "\n"
    table.write_text(newer, encoding="utf-8")
    (notice,) = reopen(output)
    (backup,) = Layout(output).state.glob("table-*.csv")
    assert str(backup) in notice
    assert backup.read_text(encoding="utf-8") == newer
    assert table.read_text(encoding="utf-8") == text
    assert reopen(output) == ()
    generate(output, "MEL=1")
    assert (output / "MEL" / "ISIC_0000045.png").exists()


def test_half_a_picture_is_named_left_alone_and_has_no_row(output):
    half = output / "MEL" / "ISIC_0000009.png"
    half.write_bytes(image_files(output)[0].read_bytes()[:-20])
    (notice,) = reopen(output)
    assert str(half) in notice
    assert half.exists()
    assert len(table_rows(output)) == 4
    generate(output, "MEL=1")
    assert (output / "MEL" / "ISIC_0000010.png").exists()


def test_pictures_that_are_not_named_as_images_are_nobodys_business(output):
    (output / "MEL" / "holiday.png").write_bytes(b"x")
    (output / "ISIC_0000001.png").write_bytes(b"x")
    assert reopen(output) == ()
    assert len(table_rows(output)) == 4


def test_lock_information_of_a_dead_process_blocks_nobody(output):
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    (Layout(output).state / "lock").touch()
    (Layout(output).state / "lock.json").write_text(json.dumps({"pid": int(dead.stdout), "host": "here"}))
    reopen(output)
    assert not (Layout(output).state / "lock.json").exists()


def test_a_kill_in_the_middle_of_recovery_is_recovered_from(tmp_path, monkeypatch):
    """A folder that needs everything at once: adoption, sidecars, torn tail, table, temporary files."""
    at, total = 0, 0
    while at == 0 or at <= total:
        output = tmp_path / str(at)
        request = make_request(output, "MEL=3,NV=1")
        with SyntheticDataset.open(output) as dataset:
            fill(dataset, dataset.begin_run(request, plan(dataset, request)))
        whole = pixels_by_seed(output)
        lines = journal_lines(output)
        write_journal(output, [lines[0], b"rubbish\n", lines[1], lines[2][:9]])
        image_files(output)[0].with_suffix(".json").unlink()
        Layout(output).table.write_bytes(b"something else\n")
        (Layout(output).temporary / "x.00c0ffee.tmp").write_bytes(b"")
        system = BrokenOS(at, Killed, lasting=True, torn=True)
        with system.installed(monkeypatch), suppress(Killed):
            reopen(output)
        total = max(total, system.count if at == 0 else 0)
        reopen(output)
        assert_consistent(output)
        resume(output)
        assert pixels_by_seed(output) == whole
        (backup,) = Layout(output).state.glob("table-*.csv")
        assert backup.read_bytes() == b"something else\n"
        at += 1
    assert total > 20
