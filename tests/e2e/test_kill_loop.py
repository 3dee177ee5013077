"""SIGKILL at random moments, again and again: what comes out is what an uninterrupted run makes, bit for bit."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dataset.synthetic_dataset import SyntheticDataset
from tests.support.datasets import assert_consistent, image_files, pixels_by_seed
from tests.support.tiny_models import write_tiny_pack

ROOT = Path(__file__).resolve().parents[2]
KILLS = 45
CLASSES = "MEL=50,NV=40,DF=30"
IMAGES = 120

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")]


class Worker:
    """The warm process that forks a child per attempt."""

    def __init__(self, models):
        self.models = str(models)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.kill_worker"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert self.read() == "ready"

    def read(self):
        return self.process.stdout.readline().strip()

    def start(self, output, *, fsync=True):
        task = {"output": str(output), "models": self.models, "classes": CLASSES, "fsync": fsync}
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()

    def until(self, wanted):
        """Read until a line begins with `wanted` or the child has ended; return the lines."""
        lines = [self.read()]
        while not lines[-1].startswith((wanted, "exit")):
            assert lines[-1], "the worker died"
            lines.append(self.read())
        return lines

    def close(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    worker = Worker(write_tiny_pack(tmp_path_factory.mktemp("models") / "tiny"))
    yield worker
    worker.close()


def run_whole(worker, output, **options):
    worker.start(output, **options)
    lines = worker.until("exit")
    assert lines[-1] == "exit 0"
    return lines.count("image")


def kill_at_random(worker, output, chance):
    """Let a child work until a random moment, kill it, and return (exit code, images that it announced)."""
    worker.start(output)
    lines = worker.until("pid")
    pid = int(lines[-1].split()[1])
    if "open" not in lines:
        lines += worker.until("open")
    for _ in range(chance.choice((0, 0, 1, 2, 3))):
        lines += worker.until("image")
    if lines[-1].startswith("exit"):
        return int(lines[-1].split()[1]), lines.count("image")
    time.sleep(chance.choice((0.002, 0.02, 0.06)) * chance.random())
    os.kill(pid, signal.SIGKILL)
    lines += worker.until("exit")
    return int(lines[-1].split()[1]), lines.count("image")


def interrupt(worker, output, chance, kills):
    """Kill attempt after attempt until the run ends by itself or `kills` are dealt; return how many were."""
    announced = 0
    for dealt in range(kills):
        code, images = kill_at_random(worker, output, chance)
        announced += images
        assert len(image_files(output)) >= announced  # what was announced is there, whatever came next
        if code == 0:
            return dealt
        assert code == -signal.SIGKILL
    return kills


def test_45_kills_end_in_the_same_set_as_an_uninterrupted_run(worker, tmp_path):
    assert run_whole(worker, tmp_path / "whole", fsync=False) == IMAGES
    expected = pixels_by_seed(tmp_path / "whole")
    names = {path.relative_to(tmp_path / "whole") for path in image_files(tmp_path / "whole")}
    chance, dealt = random.Random(20), 0
    while dealt < KILLS:  # a fast machine may need a second folder
        output = tmp_path / f"killed after {dealt}"
        dealt += interrupt(worker, output, chance, KILLS - dealt)
        run_whole(worker, output, fsync=False)
        assert_consistent(output)
        assert pixels_by_seed(output) == expected
        assert {path.relative_to(output) for path in image_files(output)} == names
        with SyntheticDataset.open(output) as dataset:
            assert dataset.unfinished() == ()
            assert dataset.notices == ()
