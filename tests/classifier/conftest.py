"""One data folder for all tests of training, and one thread."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.support.labelled_data import write_labelled_folder


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight lesions a class, half of them with two pictures, and one more a class that the table reserves."""
    return write_labelled_folder(tmp_path_factory.mktemp("labelled"), lesions=8, size=24, val=1)
