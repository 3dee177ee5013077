"""A Keras file on the command line: refused where weights belong, imported by `models import`, then usable."""

from __future__ import annotations

import json
import zipfile

import pytest
from PIL import Image

from tests.support.keras_files import simple_cnn, write_keras
from tests.support.tiny_classifier import draw_lesion


@pytest.fixture
def model(tmp_path):
    return write_keras(tmp_path / "best model.h5", simple_cnn(16))


@pytest.fixture
def image(tmp_path):
    Image.fromarray(draw_lesion("MEL")).save(tmp_path / "mole.png")
    return tmp_path / "mole.png"


@pytest.mark.parametrize("command", ["classify", "explain"])
def test_a_keras_file_is_no_classifier_yet(call, model, image, tmp_path, command):
    output = ["--output", tmp_path / "xai"] if command == "explain" else []
    code, _, err = call(command, image, "--classifier", model, *output)
    assert code == 3
    assert f'python main.py models import "{model}" --output' in err


def test_the_new_keras_format_is_told_apart(call, image, tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", b"")
    code, _, err = call("classify", image, "--classifier", tmp_path / "m.keras")
    assert code == 3
    assert "model.save('model.h5')" in err


def test_import_then_classify(call, model, image, tmp_path):
    code, out, err = call("models", "import", model, "--output", tmp_path / "imported")
    assert (code, err) == (0, "")
    assert "simple_cnn" in out
    assert f'--classifier "{tmp_path / "imported"}"' in out
    code, out, _ = call("classify", image, "--classifier", tmp_path / "imported", "--json")
    answer = json.loads(out)
    assert code == 0
    assert sum(answer["probabilities"].values()) == pytest.approx(1)
    assert "no validation record" in " ".join(answer["gate"]["reasons"])


def test_events(call, model, tmp_path):
    code, out, _ = call("models", "import", model, "--output", tmp_path / "imported", "--json")
    assert code == 0
    assert json.loads(out) == {
        "event": "imported",
        "file": str(model),
        "output": str(tmp_path / "imported"),
        "architecture": "simple_cnn",
        "image_size": 16,
    }


def test_what_is_no_keras_file_is_refused(call, image, tmp_path):
    code, _, err = call("models", "import", image, "--output", tmp_path / "imported")
    assert code == 3
    assert "no HDF5 file" in err
