"""What the real engine says of the devices, without a graphics card."""

from __future__ import annotations

from pathlib import Path

import psutil
import torch

from core.generation import GenerationRequest
from gui.workers.engine import DeviceMemory
from gui.workers.local_engine import LocalEngine
from tests.support.tiny_models import write_tiny_pack


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


def test_it_computes_with_the_threads_asked_for_and_goes_back_to_its_own(tmp_path: Path) -> None:
    usual = torch.get_num_threads()
    request = GenerationRequest((("MEL", 1),), write_tiny_pack(tmp_path / "tiny"), tmp_path / "out", device="cpu")
    engine = LocalEngine()
    try:
        engine.estimate_run(request)
        engine.use_threads(usual + 1)
        assert torch.get_num_threads() == usual  # a job that runs is left alone
        engine.estimate_run(request)
        assert torch.get_num_threads() == usual + 1
        engine.use_threads(0)
        engine.estimate_run(request)
        assert torch.get_num_threads() == usual
    finally:
        torch.set_num_threads(usual)
