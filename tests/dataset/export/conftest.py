"""An output folder with images of three classes."""

import pytest

from tests.support.datasets import generate


@pytest.fixture
def output(tmp_path):
    folder = tmp_path / "out"
    generate(folder, "MEL=8,NV=5,VASC=3")
    return folder
