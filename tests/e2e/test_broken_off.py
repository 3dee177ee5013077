"""Every command that writes a folder, killed, on a full disk, with failing files: the same command again ends well.

`test_kill_loop.py` does this for `generate`, with kills at moments of the clock; here the moment is a file operation.
"""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from tests.e2e.commands import COMMANDS, make_world

ROOT = Path(__file__).resolve().parents[2]
KILLS = 7
"""Of each command: together more than the 45 of `generate`."""

SIZE = 100
"""Bytes: what a file may grow to where its size is limited."""

OWN = (".isicgui", ".download")
"""Hidden folders that stay: that of an output folder, and that of a models folder with its lock."""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


class Worker:
    """The warm process that runs a command in a child."""

    def __init__(self, home):
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.command_worker"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"},
        )  # fmt: skip
        assert self.process.stdout.readline().strip() == "ready"

    def run(self, argv, below, kind="none", at=0):
        """Run a command and return its exit code, what it said, and how many operations it took."""
        task = {"argv": argv, "below": str(below), "kind": kind, "at": at, "home": str(self.home)}
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return answer["code"], answer["said"], answer["count"]

    def close(self):
        self.process.kill()
        self.process.communicate()


class Trial:
    """One command in one folder."""

    def __init__(self, worker, world, command, folder):
        self.worker, self.world, self.command, self.out = worker, world, command, folder / "out"
        folder.mkdir()
        if command.prepare is not None:
            command.prepare(self.out)

    def run(self, kind="none", at=0):
        return self.worker.run(self.command.line(self.world, self.out, again=True), self.out.parent, kind, at)

    @property
    def outcome(self):
        return self.command.outcome(self.out)

    def finish(self, whole):
        """Run the command until its end, unless it was complete, and compare."""
        parts = self.command.finished_parts(self.out)
        if self.outcome != whole:
            code, said, _ = self.run()
            assert code == 0, said
        assert self.outcome == whole
        assert parts.items() <= self.command.finished_parts(self.out).items()
        assert leftovers(self.out) == []
        assert_whole(self.out)


def leftovers(out):
    """Return what a half-done write leaves: temporary and partial files, and hidden folders beside the result."""
    hidden = [p for p in out.rglob(".*") if p.name not in OWN]
    inside = [p for p in out.rglob("*") if p.name.endswith((".tmp", ".part")) or p.parent.name == ".download"]
    return sorted(str(p) for p in (*hidden, *inside, *out.parent.glob(".*")) if p.name != "lock")


def assert_whole(out):
    """Read every file that lies under a final name."""
    for path in out.rglob("*"):
        if path.is_file() and path.name not in ("lock", "training.log"):
            _READERS.get(path.suffix, Path.read_bytes)(path)


def read_table(path):
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    assert len({len(row) for row in csv.reader(text.splitlines())}) == 1


def read_picture(path):
    with Image.open(path) as image:
        image.load()


def read_arrays(path):
    with np.load(path, allow_pickle=False) as arrays:
        for name in arrays.files:
            assert arrays[name] is not None


_READERS = {
    ".json": lambda path: json.loads(path.read_text(encoding="utf-8")),
    ".csv": read_table, ".png": read_picture, ".npz": read_arrays, ".safetensors": load_file,
    ".html": lambda path: path.read_text(encoding="utf-8").rstrip().endswith("</html>") or pytest.fail(str(path)),
}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    worker = Worker(tmp_path_factory.mktemp("worker"))
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def wholes(worker, world, tmp_path_factory):
    """Return what a command ends in when nothing breaks, and its number of file operations; each is run once."""
    found = {}

    def whole(name):
        if name not in found:
            trial = Trial(worker, world, COMMANDS[name], tmp_path_factory.mktemp("whole") / "x")
            code, said, count = trial.run()
            assert code == 0, said
            assert_whole(trial.out)
            found[name] = trial.outcome, count
        return found[name]

    return whole


@pytest.fixture
def trial(worker, world, tmp_path):
    return lambda name: Trial(worker, world, COMMANDS[name], tmp_path / "trial")


@pytest.mark.parametrize("name", COMMANDS)
def test_kills_at_any_operation_end_in_the_same_result(name, wholes, trial):
    whole, count = wholes(name)
    this, chance = trial(name), random.Random(name)
    for _ in range(KILLS):
        code, said, _ = this.run("kill", chance.randint(1, count))
        assert code in (0, -signal.SIGKILL) or this.outcome == whole, said
        if code == 0 or this.outcome == whole:
            break
    this.finish(whole)


@pytest.mark.parametrize("name", COMMANDS)
def test_what_cannot_be_written_is_said_and_what_was_finished_is_kept(name, wholes, trial):
    whole, count = wholes(name)
    this = trial(name)
    for kind, at, word in (("fsync", 0, ""), ("size", SIZE, ""), ("full", 1, "space")):
        assert refused(*this.run(kind, at)[:2], word)
        assert_whole(this.out)
    for share in (0.3, 0.6):  # a run that goes on may need fewer operations than are left
        if this.outcome != whole:
            refused(*this.run("full", int(share * count))[:2], "space")
            assert_whole(this.out)
    this.finish(whole)


def refused(code, said, word):
    """Return whether a command was refused by its files; then it must have said so in words."""
    if code == 0:
        return False
    assert code == 4, said
    assert "Error:" in said
    assert "Traceback" not in said
    assert word in said
    return True


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_system_without_hard_links_is_enough(name, wholes, trial):
    whole, _ = wholes(name)
    this = trial(name)
    code, said, _ = this.run("links")
    assert code == 0, said
    this.finish(whole)
