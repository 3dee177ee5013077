"""A machine in words."""

from __future__ import annotations

import os

import torch

from training.hardware import Hardware, describe_hardware


def test_describes_this_machine():
    found = describe_hardware(torch.device("cpu"))
    assert found.cpu
    assert 1 <= found.cores <= (os.cpu_count() or 1)
    assert found.threads == torch.get_num_threads()
    assert found.gpus == ()
    assert found.memory_gb >= 1
    assert found.sentence.endswith("no GPU")


def test_names_every_gpu():
    text = Hardware("CPU X", 1, 8, ("GPU Y", "GPU Y"), 64).sentence
    assert text == "1 core of CPU X (8 threads), 64 GiB of memory, 2 x GPU Y"
