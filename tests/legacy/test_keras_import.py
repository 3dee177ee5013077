"""Keras files: the same answers as a slow interpreter gives, in our order of the classes; whatever else is refused."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torchvision.models import DenseNet

from core.errors import (
    ModelArchitectureError,
    ModelMissingError,
    ModelNotFiniteError,
    ModelTooLargeError,
    ModelTruncatedError,
    ModelUnsafeError,
    OutputError,
)
from core.models.classification.architectures import ARCHITECTURES
from core.models.classification.ham_densenet import HamHead
from core.models.classification.loading import load_network
from core.taxonomy import CLASS_CODES
from legacy.keras_file import read_keras
from legacy.keras_import import BY_WEIGHTED_LAYERS, import_keras
from legacy.keras_weights import weighted_modules
from tests.support.keras_files import Layer, densenet, pictures, predict, simple_cnn, write_keras

pytestmark = pytest.mark.slow

SIDE = 16
ALPHABETICAL = ("AKIEC", "BCC", "BKL", "DF", "MEL", "NV", "VASC")


def small_densenet(classes):
    net = DenseNet(growth_rate=4, block_config=(2, 3), num_init_features=8, bn_size=2)
    net.classifier = HamHead(net.classifier.in_features, classes)
    return net


@pytest.fixture
def small(monkeypatch):
    """DenseNet-121 made small, everywhere that the architecture is built."""
    entry = dataclasses.replace(ARCHITECTURES._entries["densenet121_ham"], build=small_densenet)
    monkeypatch.setitem(ARCHITECTURES._entries, "densenet121_ham", entry)
    monkeypatch.setitem(BY_WEIGHTED_LAYERS, len(weighted_modules(small_densenet(7))), "densenet121_ham")
    return densenet(SIDE, (2, 3), growth=4, first=8, bottleneck=2)


def probabilities(folder, pixels):
    """By class code, of the imported classifier, computed in double precision."""
    network = load_network(folder)
    network.net.double()
    with torch.inference_mode():
        answers = network.logits(torch.from_numpy(pixels).permute(0, 3, 1, 2)).softmax(1)
    return {code: answers[:, index].numpy() for index, code in enumerate(network.classes)}


def assert_same_answers(folder, layers, side=SIDE):
    pixels = pictures(3, side, seed=7)
    expected = predict(layers, pixels)
    assert expected.std(0).min() > 1e-3, "the images must matter"
    assert expected.mean(0).min() > 0.01, "every class must matter"
    found = probabilities(folder, pixels)
    for index, code in enumerate(ALPHABETICAL):
        np.testing.assert_allclose(found[code], expected[:, index], atol=1e-6, err_msg=code)


@pytest.mark.parametrize("keras", [2, 3])
def test_a_densenet_gives_keras_answers(small, tmp_path, keras):
    path = write_keras(tmp_path / "best_model.h5", small, keras=keras)
    imported = import_keras(path, tmp_path / "out")
    assert (imported.architecture, imported.image_size) == ("densenet121_ham", SIDE)
    assert_same_answers(tmp_path / "out", small)


@pytest.mark.parametrize("keras", [2, 3])
def test_a_simple_cnn_gives_keras_answers(tmp_path, keras):
    layers = simple_cnn(SIDE)
    imported = import_keras(write_keras(tmp_path / "best_model.h5", layers, keras=keras), tmp_path / "out")
    assert imported.architecture == "simple_cnn"
    assert_same_answers(tmp_path / "out", layers)


@pytest.fixture
def simple(tmp_path):
    return write_keras(tmp_path / "best_model.h5", simple_cnn(SIDE))


def test_what_is_written(simple, tmp_path):
    import_keras(simple, tmp_path / "new" / "out")
    record = json.loads((tmp_path / "new" / "out" / "classifier.json").read_text())
    assert record["classes"] == list(CLASS_CODES)
    assert (record["mean"], record["std"], record["image_size"]) == ([0, 0, 0], [1, 1, 1], SIDE)
    assert record["val_balanced_accuracy"] is None
    assert record["imported_from"] == {
        "file": "best_model.h5",
        "sha256": hashlib.sha256(simple.read_bytes()).hexdigest(),
        "keras_version": "2.11.0",
    }
    state = load_file(tmp_path / "new" / "out" / "model.safetensors")
    assert {tensor.dtype for name, tensor in state.items() if "num_batches" not in name} == {torch.float32}
    assert {path.name for path in (tmp_path / "new" / "out").iterdir()} == {"classifier.json", "model.safetensors"}


def test_a_folder_that_holds_a_classifier_is_left_alone(simple, tmp_path):
    import_keras(simple, tmp_path / "out")
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(OutputError, match="already"):
        import_keras(simple, tmp_path / "out")
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_architectures_are_known_by_their_number_of_weighted_layers():
    # Keras' DenseNet-121 has 120 convolutions and 121 batch norms below the head, DenseNet-201 has 200 and 201.
    assert set(BY_WEIGHTED_LAYERS) == {120 + 121 + 5, 200 + 201 + 5, 3 + 3 + 2}
    with torch.device("meta"):
        for count, name in BY_WEIGHTED_LAYERS.items():
            assert len(weighted_modules(ARCHITECTURES[name].build(7))) == count


def test_a_finished_import_needs_no_keras_names(small, tmp_path):
    renamed = [dataclasses.replace(layer, name=f"l{i}", inputs=()) for i, layer in enumerate(small)]
    import_keras(write_keras(tmp_path / "m.h5", renamed), tmp_path / "out")
    assert_same_answers(tmp_path / "out", small)


def changed(layers, name, **config):
    return [layer.but(**config) if layer.name == name else layer for layer in layers]


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("conv2d_1", {"strides": [2, 2]}),
        ("conv2d_1", {"padding": "valid"}),
        ("conv2d_1", {"dilation_rate": [2, 2]}),
        ("conv2d_1", {"data_format": "channels_first"}),
        ("conv2d_1", {"activation": "relu"}),
        ("batch_normalization_1", {"axis": [1]}),
        ("activation_1", {"activation": "swish"}),
        ("dense", {"activation": "linear"}),
        ("dense_1", {"activation": "sigmoid"}),
    ],
)
def test_a_layer_that_computes_something_else_is_named(tmp_path, name, config):
    path = write_keras(tmp_path / "m.h5", changed(simple_cnn(SIDE), name, **config))
    with pytest.raises(ModelArchitectureError, match=rf"its layer {name} has {next(iter(config))}"):
        import_keras(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("config", [{"pool_size": [3, 3]}, {"strides": [1, 1]}])
def test_other_pooling_is_refused(tmp_path, config):
    path = write_keras(tmp_path / "m.h5", changed(simple_cnn(SIDE), "max_pooling2d_1", **config))
    with pytest.raises(ModelArchitectureError, match="pools by MaxPooling2D"):
        import_keras(path, tmp_path / "out")


def test_a_missing_pooling_layer_is_noticed(tmp_path):
    layers = [layer for layer in simple_cnn(SIDE) if layer.name != "max_pooling2d_1"]
    with pytest.raises(ModelArchitectureError, match="pools by"):
        import_keras(write_keras(tmp_path / "m.h5", layers), tmp_path / "out")


def test_layers_in_another_order_are_noticed(tmp_path):
    layers = simple_cnn(SIDE)
    kinds = [layer.kind for layer in layers]
    first = kinds.index("Conv2D")
    layers[first], layers[first + 1] = layers[first + 1], layers[first]
    with pytest.raises(ModelArchitectureError, match="is a BatchNormalization instead of a Conv2D"):
        import_keras(write_keras(tmp_path / "m.h5", layers), tmp_path / "out")


@pytest.mark.parametrize("classes", [2, 8])
def test_other_classes_are_refused(tmp_path, classes):
    path = write_keras(tmp_path / "m.h5", simple_cnn(SIDE, classes))
    with pytest.raises(ModelArchitectureError, match=rf"weight of its layer dense_1 has the shape \({classes}, 128\)"):
        import_keras(path, tmp_path / "out")


def test_a_network_of_another_depth_is_refused(tmp_path):
    with pytest.raises(ModelArchitectureError, match="layers with weights, as no network there"):
        import_keras(write_keras(tmp_path / "m.h5", densenet(SIDE, (1,), 4, 8, 2)), tmp_path / "out")


@pytest.mark.parametrize("shape", [[None, 16, 24, 3], [None, None, None, 3], [None, 16, 16, 1], [None, 4096, 4096, 3]])
def test_an_input_that_is_no_square_of_rgb_is_refused(tmp_path, shape):
    path = write_keras(tmp_path / "m.h5", changed(simple_cnn(SIDE), "input_1", batch_input_shape=shape))
    with pytest.raises(ModelArchitectureError, match="instead of a square"):
        import_keras(path, tmp_path / "out")


def test_weights_that_are_not_numbers_are_refused(tmp_path):
    layers = simple_cnn(SIDE)
    layers[-1].weights["bias"][3] = np.nan
    with pytest.raises(ModelNotFiniteError):
        import_keras(write_keras(tmp_path / "m.h5", layers), tmp_path / "out")


@pytest.mark.parametrize("kind", ["Lambda", "TFOpLambda"])
def test_code_is_refused_and_named(tmp_path, kind):
    code = Layer(kind, "evil", (), {"function": ["4wAAAA==", None, None], "function_type": "lambda"})
    with pytest.raises(ModelUnsafeError, match=f"its layer evil is a {kind}"):
        import_keras(write_keras(tmp_path / "m.h5", [*simple_cnn(SIDE), code]), tmp_path / "out")


@pytest.mark.parametrize("kind", ["Functional", "LSTM", "Attention"])
def test_unknown_layers_are_refused(tmp_path, kind):
    with pytest.raises(ModelArchitectureError, match=f"a {kind}"):
        import_keras(write_keras(tmp_path / "m.h5", [*simple_cnn(SIDE), Layer(kind, "x", ())]), tmp_path / "out")


KERNEL = "model_weights/conv2d/conv2d/kernel:0"


@pytest.mark.parametrize("how", ["external link", "soft link", "external storage", "virtual"])
def test_nothing_outside_the_file_is_read(simple, tmp_path, how):
    secret = write_keras(tmp_path / "secret.h5", simple_cnn(SIDE))
    with h5py.File(simple, "a") as file:
        del file[KERNEL]
        if how == "external link":
            file[KERNEL] = h5py.ExternalLink(str(secret), KERNEL)
        elif how == "soft link":
            file[KERNEL] = h5py.SoftLink("/model_weights/conv2d_1/conv2d_1/kernel:0")
        elif how == "external storage":
            file.create_dataset(KERNEL, (3, 3, 3, 32), "f4", external=[(str(secret), 0, h5py.h5f.UNLIMITED)])
        else:
            layout = h5py.VirtualLayout((3, 3, 3, 32), "f4")
            layout[...] = h5py.VirtualSource(str(secret), KERNEL, shape=(3, 3, 3, 32))
            file.create_virtual_dataset(KERNEL, layout)
    with pytest.raises(ModelUnsafeError, match="in another file"):
        read_keras(simple)


def test_a_link_on_the_way_is_refused_too(simple, tmp_path):
    secret = write_keras(tmp_path / "secret.h5", simple_cnn(SIDE))
    with h5py.File(simple, "a") as file:
        del file["model_weights"]
        file["model_weights"] = h5py.ExternalLink(str(secret), "model_weights")
    with pytest.raises(ModelUnsafeError, match="in another file"):
        read_keras(simple)


def test_a_small_file_that_claims_huge_weights_is_not_unpacked(simple):
    with h5py.File(simple, "a") as file:
        del file[KERNEL]
        file.create_dataset(KERNEL, (1 << 20, 1 << 20), "f4", chunks=(1024, 1024), compression="gzip")
    with pytest.raises(ModelTooLargeError):
        read_keras(simple)


def test_weights_alone_are_refused(simple):
    with h5py.File(simple, "a") as file:
        del file.attrs["model_config"]
    with pytest.raises(ModelArchitectureError, match="weights alone") as refusal:
        read_keras(simple)
    assert "model.save(" in refusal.value.remedy


@pytest.mark.parametrize("damage", ["no json", "no list", "missing dataset", "missing names", "integers"])
def test_a_file_that_contradicts_itself_is_refused(simple, damage):
    with h5py.File(simple, "a") as file:
        if damage == "no json":
            file.attrs["model_config"] = "{"
        elif damage == "no list":
            file.attrs["model_config"] = "[1]"
        elif damage == "missing dataset":
            del file[KERNEL]
        elif damage == "missing names":
            del file["model_weights/conv2d"].attrs["weight_names"]
        else:
            del file[KERNEL]
            file[KERNEL] = np.zeros((3, 3, 3, 32), np.int64)
    with pytest.raises(ModelTruncatedError):
        read_keras(simple)


@pytest.mark.parametrize("part", [0.0, 0.01, 0.3, 0.7, 0.99])
def test_a_truncated_file_is_refused(simple, part):
    data = simple.read_bytes()
    simple.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(ModelTruncatedError):
        read_keras(simple)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelMissingError, match=r"nowhere\.h5"):
        read_keras(tmp_path / "nowhere.h5")
