"""Small worlds for the experiment: drawn lesions whose classes differ in colour, one thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from core.taxonomy import CLASS_CODES
from evaluation.utility.request import UtilityRequest
from tests.support.tiny_classifier import draw_lesion

TINY = {"architecture": "small_cnn", "image_size": 16, "steps": 6}


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def draw(folder: Path, count: int, first: int, codes: tuple[str, ...] = CLASS_CODES) -> Path:
    """Fill class folders with drawn lesions, none of which is in another world with another `first`."""
    for code in codes:
        (folder / code).mkdir(parents=True)
        for index in range(count):
            Image.fromarray(draw_lesion(code, first + index)).save(folder / code / f"{folder.name}_{code}_{index}.png")
    return folder


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """train/, test/ and synthetic/; read-only."""
    root = tmp_path_factory.mktemp("world")
    draw(root / "train", 6, 0)
    draw(root / "test", 4, 1000)
    draw(root / "synthetic", 3, 5000)
    return root


@pytest.fixture
def ask(world: Path, tmp_path: Path):
    """Make a request for a tiny experiment."""

    def make(**values) -> UtilityRequest:
        usual = {
            "train": world / "train",
            "test": world / "test",
            "synthetic": (world / "synthetic",),
            "output": tmp_path / "out",
            **TINY,
            "ratios": (1.0,),
            "seeds": 2,
            "device": "cpu",
        }
        return UtilityRequest(**{**usual, **values})

    return make
