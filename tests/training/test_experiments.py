"""Runs are told by what lies in their folder, and only those are ever deleted."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from core.errors import FolderLockedError, InputRefusedError
from core.files.folder_lock import FolderLock
from gui.train.run_list import list_damaged, list_entries
from training.curves import draw_curves
from training.experiments import (
    HEARTBEAT_SECONDS,
    compare,
    damaged_runs,
    delete_run,
    find_run,
    is_run,
    list_runs,
    read_run,
    runs_to_clean,
)

OLD = 3 * HEARTBEAT_SECONDS


def make_run(root: Path, name: str, *, kind: str = "diffusion", day: int = 1, rows: tuple = (), age: float = OLD,
             **config: object) -> Path:  # fmt: skip
    folder = root / name
    folder.mkdir(parents=True)
    content = {"kind": kind, "name": name, "timestamp": f"2026-11-{day:02d}T10:00:00+00:00", "settings": {}, **config}
    (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "samples").mkdir()
    (folder / "samples" / "100.png").write_bytes(b"x" * 1000)
    grow_old(folder, age)
    return folder


def grow_old(folder: Path, age: float = OLD) -> None:
    then = time.time() - age
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            os.utime(path, (then, then))


def names(runs) -> list[str]:
    return [run.name for run in runs]


def test_list_says_what_how_far_and_how_good(tmp_path: Path):
    rows = ({"images": 100, "kid": 0.3}, {"images": 200, "kid": 0.1, "kid_low": 0.05, "kid_high": 0.2},
            {"images": 300, "kid": 0.2, "loss": 0.5})  # fmt: skip
    folder = make_run(tmp_path, "a", rows=rows, day=3)
    make_run(tmp_path, "b", kind="classifier", day=5, rows=({"images": 50, "val_balanced_accuracy": 0.4},))
    newest, run = list_runs(tmp_path)
    assert (newest.name, newest.kind, newest.metric.value) == ("b", "classifier", 0.4)
    assert (run.kind, run.status, run.images) == ("diffusion", "interrupted", 300)
    assert (run.metric.value, run.metric.low, run.metric.high) == (0.1, 0.05, 0.2)
    assert run.size == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert (run.date.month, run.date.day) == (11, 3)


def test_a_finished_classifier_is_ranked_by_its_test(tmp_path: Path):
    folder = make_run(tmp_path, "a", kind="classifier", rows=({"images": 5, "val_balanced_accuracy": 0.9},))
    estimate = {"value": 0.7, "low": 0.6, "high": 0.8}
    results = {
        "balanced_accuracy": 0.7,
        "measured_on": "test",
        "estimates": {"overall": {"balanced_accuracy": estimate}},
    }
    (folder / "test_results.json").write_text(json.dumps(results), encoding="utf-8")
    run = read_run(folder).run
    assert run.status == "finished"
    assert str(run.metric) == "balanced accuracy (test) 0.7 (0.6 to 0.8)"
    (folder / "summary.json").write_text(json.dumps({**results, "balanced_accuracy": 0.65}), encoding="utf-8")
    assert read_run(folder).run.metric.value == 0.65


def test_an_autoencoder_is_ranked_by_its_last_look_and_not_shown_in_the_window(tmp_path: Path):
    """The discriminator costs decibels at the end, so the best look is not the model that was kept."""
    rows = ({"images": 100, "psnr": 33.0}, {"images": 200, "psnr": 32.0}, {"images": 250, "event": "finished"})
    make_run(tmp_path, "a", kind="autoencoder", rows=rows)
    (run,) = list_runs(tmp_path)
    assert (run.kind, run.status, run.metric.value) == ("autoencoder", "finished", 32.0)
    make_run(tmp_path, "b")
    assert [entry.run.name for entry in list_entries(tmp_path)] == ["b"]


def test_status_follows_the_log_and_the_lock_at_once(tmp_path: Path):
    """A run that was stopped or refused seconds ago is not running: who holds a lock notes it, and takes it away."""
    for age in (0, 5, OLD):
        assert read_run(make_run(tmp_path, f"stopped {age}", age=age)).run.status == "interrupted"
        done = make_run(tmp_path, f"done {age}", age=age, rows=({"event": "finished"},))
        assert read_run(done).run.status == "finished"
    resumed = make_run(tmp_path, "resumed", age=5, rows=({"event": "finished"}, {"images": 3}))
    assert read_run(resumed).run.status == "interrupted"
    with FolderLock(resumed):
        assert read_run(resumed).run.status == "running"
    assert read_run(resumed).run.status == "interrupted"


@pytest.mark.parametrize(("age", "status"), [(5, "running"), (OLD, "interrupted")])
def test_of_another_machine_only_the_heartbeat_is_known(tmp_path: Path, age: float, status: str):
    folder = make_run(tmp_path, "elsewhere")
    (folder / "lock.json").write_text(json.dumps({"pid": 4, "host": "another-machine"}), encoding="utf-8")
    grow_old(folder, age)
    assert read_run(folder).run.status == status


@pytest.mark.parametrize(("host", "status"), [(socket.gethostname(), "interrupted"), ("another-machine", "running")])
def test_a_run_killed_on_this_machine_can_go_on_at_once(tmp_path: Path, host: str, status: str):
    folder = make_run(tmp_path, "killed", age=5)
    (folder / "lock").touch()
    (folder / "lock.json").write_text(json.dumps({"pid": 4, "host": host}), encoding="utf-8")
    assert read_run(folder).run.status == status


def test_a_fold_that_is_written_to_keeps_the_whole_run_alive(tmp_path: Path):
    folder = make_run(tmp_path, "folds", kind="classifier")
    assert read_run(folder).run.status == "interrupted"
    part = make_run(folder / "seed_1", "fold_0", kind="classifier", age=5)
    assert read_run(folder).run.status == "interrupted"
    with FolderLock(part):
        assert read_run(folder).run.status == "running"


def test_one_network_for_each_class_is_finished_when_all_are(tmp_path: Path):
    folder = make_run(tmp_path, "per class", settings={"classes": ["MEL", "NV"]})
    make_run(folder, "MEL", rows=({"images": 30, "event": "finished"},))
    grow_old(folder)
    assert (read_run(folder).run.status, read_run(folder).run.images) == ("interrupted", 30)
    make_run(folder, "NV", rows=({"images": 12, "event": "finished"},))
    grow_old(folder)
    assert (read_run(folder).run.status, read_run(folder).run.images) == ("finished", 42)


def test_a_process_that_holds_the_lock_keeps_its_run(tmp_path: Path):
    folder = make_run(tmp_path, "held", rows=({"event": "finished"},))
    code = (
        "import sys; from pathlib import Path; from core.files.folder_lock import FolderLock\n"
        "with FolderLock(Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as process:  # fmt: skip
        assert process.stdout.readline().strip() == b"held"
        grow_old(folder)
        run = read_run(folder).run
        assert run.status == "running"
        assert runs_to_clean([run], keep=0) == []
        with pytest.raises(FolderLockedError, match="in progress"):
            delete_run(run, tmp_path)
        process.kill()
    assert read_run(folder).run.status == "finished"
    assert (folder / "samples" / "100.png").exists()


def test_the_newest_stay_and_running_ones_are_not_counted(tmp_path: Path):
    for day in range(1, 6):
        make_run(tmp_path, f"run {day}", day=day)
    with FolderLock(make_run(tmp_path, "going on", day=9, age=5)):
        assert names(runs_to_clean(list_runs(tmp_path), keep=2)) == ["run 3", "run 2", "run 1"]
        assert runs_to_clean(list_runs(tmp_path), keep=5) == []


def test_deleting_takes_the_run_and_nothing_else(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious.txt").write_text("kept", encoding="utf-8")
    root = tmp_path / "runs"
    folder, other = make_run(root, "a"), make_run(root, "b")
    (folder / "link").symlink_to(outside)
    (folder / "samples" / "file link.txt").symlink_to(outside / "precious.txt")
    delete_run(read_run(folder).run, root)
    assert not folder.exists()
    assert other.exists()
    assert (outside / "precious.txt").read_text(encoding="utf-8") == "kept"


def test_paths_in_the_files_decide_nothing(tmp_path: Path):
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious.txt").write_text("kept", encoding="utf-8")
    root = tmp_path / "runs"
    hostile = {key: str(victim) for key in ("folder", "experiment_dir", "output", "path", "run", "root")}
    folder = make_run(root, "a", rows=({"images": 1, "folder": str(victim)},))
    content = {"kind": "diffusion", "name": "../victim", "settings": hostile, **hostile}
    (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")
    grow_old(folder)
    for run in runs_to_clean(list_runs(root), keep=0):
        delete_run(run, root)
    assert list(root.iterdir()) == []
    assert (victim / "precious.txt").exists()


def test_links_to_runs_are_no_runs(tmp_path: Path):
    elsewhere, root = make_run(tmp_path / "elsewhere", "real"), tmp_path / "runs"
    root.mkdir()
    (root / "link").symlink_to(elsewhere)
    assert list_runs(root) == []
    assert not is_run(root / "link")
    with pytest.raises(InputRefusedError, match="not a training run"):
        read_run(root / "link")
    run = read_run(elsewhere).run
    (root / "real").symlink_to(elsewhere)
    with pytest.raises(InputRefusedError, match="not deleted"):
        delete_run(run, root)
    assert (elsewhere / "config.json").exists()


def test_a_run_elsewhere_is_not_deleted_under_this_root(tmp_path: Path):
    run = read_run(make_run(tmp_path / "elsewhere", "a")).run
    (tmp_path / "runs").mkdir()
    with pytest.raises(InputRefusedError, match="no run directly under"):
        delete_run(run, tmp_path / "runs")
    assert run.folder.exists()


def test_a_lock_that_is_a_link_is_never_opened(tmp_path: Path):
    precious = tmp_path / "precious.txt"
    precious.write_text("kept", encoding="utf-8")
    folder = make_run(tmp_path / "runs", "a")
    (folder / "lock").symlink_to(precious)
    assert read_run(folder).run.status == "running"
    assert precious.read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", '{"kind": "pictures"}', '{"kind": ["diffusion"]}', '{"kind": "diffusion"', "[" * 100_000, "\0"],
)
def test_folders_that_no_trainer_made_are_left_alone(tmp_path: Path, text: str):
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "config.json").write_text(text, encoding="utf-8")
    assert list_runs(tmp_path) == []


@pytest.mark.parametrize("text", ["", "[]", "null", '{"kind": "diffusion"', "[" * 100_000, "\0"])
def test_a_run_whose_configuration_is_broken_is_named(tmp_path: Path, text: str):
    make_run(tmp_path, "whole")
    broken = make_run(tmp_path, "broken")
    (broken / "config.json").write_text(text, encoding="utf-8")
    assert names(list_runs(tmp_path)) == ["whole"]
    assert damaged_runs(tmp_path) == {broken: "config.json cannot be read: it is damaged"}
    assert list_damaged(tmp_path) == damaged_runs(tmp_path)
    assert [entry.run.name for entry in list_entries(tmp_path)] == ["whole"]
    with pytest.raises(InputRefusedError, match=r"config\.json cannot be read"):
        read_run(broken)


def test_a_folder_that_is_not_there_has_no_damaged_runs(tmp_path: Path):
    assert list_damaged(tmp_path / "none") == {}


def test_what_only_lies_beside_runs_is_not_called_damaged(tmp_path: Path):
    make_run(tmp_path, "whole")
    of_nobody = make_run(tmp_path, "of nobody", kind="pictures")
    for name, text in (("model", '{"_class_name": "UNet2DModel"}'), ("notes", None)):
        (tmp_path / name).mkdir()
        if text:
            (tmp_path / name / "config.json").write_text(text, encoding="utf-8")
    (tmp_path / "link").symlink_to(of_nobody)
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert damaged_runs(tmp_path) == {of_nobody: "config.json does not say which trainer wrote it"}


def test_a_pipe_in_place_of_a_configuration_is_named_and_not_waited_for(tmp_path: Path):
    broken = make_run(tmp_path, "broken")
    (broken / "config.json").unlink()
    os.mkfifo(broken / "config.json")
    assert list(damaged_runs(tmp_path)) == [broken]


def test_absurd_values_are_passed_over(tmp_path: Path):
    rows = ({"images": 10**400, "kid": True}, {"images": "many", "kid": "0.1"}, {"images": 7, "kid": None}, ["no row"])
    folder = make_run(tmp_path, "a", rows=rows, timestamp={"year": 1}, settings=["no", "settings"])
    with (folder / "log.jsonl").open("ab") as stream:
        stream.write(b'{"images": 9, "kid": NaN}\n\xff\xfe\n{"images": 8, "ki')
    details = read_run(folder)
    assert (details.run.images, details.run.metric, details.settings) == (9, None, {})
    assert list_runs(tmp_path)[0].name == "a"


@pytest.mark.parametrize("timestamp", ["99999-01-01", "0001-01-01T00:00:00+00:00", "2026-11-20T10:00:00", "", None])
def test_runs_with_absurd_times_can_be_sorted(tmp_path: Path, timestamp: object):
    make_run(tmp_path, "a", timestamp=timestamp)
    make_run(tmp_path, "b")
    assert sorted(names(list_runs(tmp_path))) == ["a", "b"]


def test_an_interrupted_deletion_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = make_run(tmp_path, "a")
    run = read_run(folder).run

    def dies(path: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("training.experiments.shutil.rmtree", dies)
        with pytest.raises(KeyboardInterrupt):
            delete_run(run, tmp_path)
    grow_old(folder)
    delete_run(list_runs(tmp_path)[0], tmp_path)
    assert not folder.exists()


def test_comparison_shows_what_differs(tmp_path: Path):
    first = make_run(tmp_path, "a", settings={"rate": 0.1, "same": 1, "model": {"width": 8}}, rows=({"loss": 1.0},))
    second = make_run(tmp_path, "b", settings={"rate": 0.2, "same": 1, "model": {"width": 8, "depth": 2}},
                      rows=({"loss": 2.0, "images": 5}, {"loss": None, "images": 6}))  # fmt: skip
    found = compare([read_run(first), read_run(second)])
    assert found.settings == {"rate": (0.1, 0.2), "model.depth": (None, 2)}
    assert found.metrics == {"loss": (1.0, 2.0), "images": (None, 6)}


def test_curves_are_drawn_even_where_there_are_none(tmp_path: Path):
    rows = tuple({"images": 100 * i, "loss": 1 / i} for i in range(1, 5))
    runs = [read_run(make_run(tmp_path, name, rows=rows)) for name in ("a", "b")]
    empty = read_run(make_run(tmp_path, "c"))
    for number, group in enumerate((runs, [empty])):
        (tmp_path / f"{number}.png").write_bytes(draw_curves(group))
        with Image.open(tmp_path / f"{number}.png") as picture:
            assert picture.size[0] > 500


def test_runs_are_named_or_pointed_at(tmp_path: Path):
    folder = make_run(tmp_path / "runs", "a")
    assert find_run("a", tmp_path / "runs") == folder
    assert find_run(str(folder), tmp_path / "elsewhere") == folder


def test_a_missing_root_is_named(tmp_path: Path):
    with pytest.raises(InputRefusedError, match="nowhere"):
        list_runs(tmp_path / "nowhere")


def test_the_lock_of_this_process_counts_too(tmp_path: Path):
    folder = make_run(tmp_path, "a")
    with FolderLock(folder):
        assert read_run(folder).run.status == "running"
