"""What the engine's tests share: one thread (tiny networks only lose by more), packs and short requests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from core.generation import GenerationRequest, order_counts
from tests.support.tiny_models import write_tiny_checkpoint, write_tiny_pack


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_pack(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of the predecessor's architecture; read-only, copy it before damaging it."""
    return write_tiny_checkpoint(tmp_path_factory.mktemp("checkpoints"), "MEL")


@pytest.fixture
def ask(pack: Path, tmp_path: Path):
    """Make a request for a few fp32 images with few steps."""

    def make(counts: dict[str, int] | None = None, **values: Any) -> GenerationRequest:
        given = {"models": pack, "output": tmp_path / "out", "steps": 3, "precision": "fp32", "device": "cpu", **values}
        return GenerationRequest(counts=order_counts(counts or {"MEL": 2}), **given)

    return make
