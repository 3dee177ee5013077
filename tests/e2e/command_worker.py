"""Runs commands in children of one warm process, each with files that break: a fresh interpreter takes seconds.

Reads one JSON object a line: {"argv", "below", "kind", "at", "home"}. Answers with one line: {"code": exit code,
negative if killed by a signal, "said": what it printed, "count": operations on files below `below`, "cpu": seconds}.
"""

from __future__ import annotations

import json
import os
import sys

import core  # noqa: F401  # sets how torch's threads wait
from cli.app import main as run_command
from tests.support.broken_process import BrokenFiles, Fault

PLOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c63600000000200015dc07b160000"
    "000049454e44ae426082"
)


def prepare():
    """Import what the commands need, and leave out what only takes time: large extractors, and most plots."""
    import torch

    import classifier.finish
    import classifier.run
    import diffusion.evaluation
    import diffusion.judge
    import diffusion.run
    import download.job
    import evaluation.run
    import evaluation.utility.experiment
    import legacy.keras_import
    import training.curves
    import xai.trajectory.run

    assert classifier.run
    assert diffusion.judge
    assert diffusion.run
    assert download.job
    assert evaluation.run
    assert evaluation.utility.experiment
    assert legacy.keras_import
    assert training.curves
    torch.set_num_threads(1)
    evaluation.run.render_pdf = lambda _findings: b"%PDF-1.4\n"
    classifier.finish.draw_plots = lambda *_: {"roc_curves.png": PLOT}
    xai.trajectory.run.pictures_of_image = lambda _analysis: {}


def work(task, said, counted):
    """Do one task in a child."""
    os.environ["ISICGUI_HOME"] = task["home"]
    null = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, null), (1, said), (2, said)):
        os.dup2(source, target)
    os.close(said)
    broken = BrokenFiles(Fault(task["kind"], task["at"]), task["below"])
    broken.install()
    code = run_command(task["argv"])
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(counted, str(broken.count).encode())
    os._exit(code)


def attempt(task):
    """Run one command in a child and tell what came of it; what it says goes through a pipe, which has no size."""
    said, counted = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(said[0])
        os.close(counted[0])
        work(task, said[1], counted[1])
    os.close(said[1])
    os.close(counted[1])
    with os.fdopen(said[0], "rb") as words, os.fdopen(counted[0]) as count:
        text, operations = words.read().decode("utf-8", "replace"), int(count.read() or 0)
    _, status, used = os.wait4(child, 0)
    code, cpu = os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
    return {"code": code, "said": text, "count": operations, "cpu": cpu}


def main():
    prepare()
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(attempt(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
