"""Makes images in processes that can be killed: one warm process forks a child for every attempt.

A fresh interpreter would need seconds to import torch, and nearly all kills would hit the import. The children are
ordinary processes otherwise; the one thing that they share with their parent is what is already imported.

Reads one JSON object a line: {"output", "models", "classes", "fsync"}. Answers `pid N`, then `open` and an `image` for
each finished image of the child, and at its end `exit CODE` (negative: killed by that signal).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import torch

from core.events import ImageDone
from core.generation import GenerationRequest, parse_counts
from core.generator.image_generator import ImageGenerator
from dataset.synthetic_dataset import SyntheticDataset, read_records


def say(text):
    os.write(1, f"{text}\n".encode())


def has_begun(output):
    with SyntheticDataset.open(output) as dataset:
        return bool(dataset.unfinished() or read_records(output))


def events(task):
    output = Path(task["output"])
    if has_begun(output):
        return ImageGenerator().resume(output)
    request = GenerationRequest(
        counts=parse_counts(task["classes"]), models=Path(task["models"]), output=output, steps=2, batch_size=2,
        precision="fp32", device="cpu",
    )  # fmt: skip
    return ImageGenerator().generate(request)


def work(task):
    if not task["fsync"]:
        os.fsync = lambda fd: None
    say("open")
    for event in events(task):
        if isinstance(event, ImageDone):
            say("image")


def main():
    torch.set_num_threads(1)
    say("ready")
    for line in sys.stdin:
        task = json.loads(line)
        child = os.fork()
        if child == 0:
            work(task)
            os._exit(0)
        say(f"pid {child}")
        _, status = os.waitpid(child, 0)
        say(f"exit {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main()
