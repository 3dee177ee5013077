"""Tiny models that are made once."""

import pytest
import torch

from core.generation import PlannedImage
from core.taxonomy import image_seed
from tests.support.tiny_classifier import write_tiny_classifier
from tests.support.tiny_models import write_tiny_pack
from xai.trajectory.request import TrajectoryRequest
from xai.trajectory.source import Sources


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A class-conditional pack with a null class, 16 x 16 pixels."""
    folder = tmp_path_factory.mktemp("models")
    write_tiny_pack(folder / "pack")
    return folder


@pytest.fixture(scope="session")
def models_without_null(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models_without_null")
    write_tiny_pack(folder / "pack", num_classes=7)
    return folder


@pytest.fixture(scope="session")
def classifier(tmp_path_factory):
    return write_tiny_classifier(tmp_path_factory.mktemp("judge") / "classifier")


@pytest.fixture
def make_source(models, tmp_path):
    """Return a function that makes the source of a MEL image from flags of a request."""

    def make(index=0, folder=None, **flags):
        request = TrajectoryRequest(tmp_path, models=folder or models, device="cpu", **flags)
        return Sources(request).source(PlannedImage("MEL", index, image_seed("MEL", index, 42)))

    return make
