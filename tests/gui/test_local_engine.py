"""What the real engine says of the devices, without a graphics card."""

from __future__ import annotations

import psutil
import torch

from gui.workers.engine import DeviceMemory
from gui.workers.local_engine import LocalEngine


def test_before_it_has_warmed_up_only_the_machine_is_asked() -> None:
    (machine,) = LocalEngine().memory()
    assert machine.key == "cpu"
    assert 0 < machine.free <= machine.total == psutil.virtual_memory().total


def test_every_card_is_asked_of_its_driver(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda index: (3 + index, 8))
    engine = LocalEngine()
    engine._generator = object()
    assert engine.memory()[1:] == (DeviceMemory("cuda:0", 3, 8), DeviceMemory("cuda:1", 4, 8))
