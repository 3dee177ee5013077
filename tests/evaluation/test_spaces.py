"""Feature spaces: what they are called, and that only known weights are taken."""

import re

import pytest
import torch
from torchvision.models import densenet121, resnet18

from core.errors import ModelRefusedError
from core.message import Message
from core.models.classification.loading import load_network
from evaluation import spaces
from evaluation.spaces import Space, make_spaces
from measures.features import PIXELS
from tests.support.tiny_classifier import write_tiny_classifier

CPU = torch.device("cpu")


def test_there_are_two_spaces_and_the_one_that_knows_lesions_comes_first(tmp_path):
    network = load_network(write_tiny_classifier(tmp_path / "judge", trained=False))
    own, second = make_spaces(network, None, CPU)
    assert own.name == f"HAM(small_cnn@{network.sha256[:8]})"
    assert second.name == PIXELS.name
    assert {own.frechet_name, second.frechet_name} == {"FD"}
    assert [space.name for space in make_spaces(None, None, CPU)] == [PIXELS.name]


def test_weights_that_nobody_knows_are_refused_by_their_checksum(tmp_path):
    torch.save(resnet18().state_dict(), tmp_path / "resnet18-f37072fd.pth")
    with pytest.raises(ModelRefusedError, match="no known weights"):
        make_spaces(None, tmp_path / "resnet18-f37072fd.pth", CPU)
    with pytest.raises(ModelRefusedError, match="There is no file"):
        make_spaces(None, tmp_path / "nothing.pth", CPU)


def test_known_weights_give_the_features_before_the_head(tmp_path, monkeypatch):
    net = resnet18().eval()
    torch.save(net.state_dict(), tmp_path / "weights.pth")
    sha256 = spaces.sha256_of(tmp_path / "weights.pth")
    monkeypatch.setattr(spaces, "IMAGENET_SHAS", {sha256[:8]: "resnet18"})
    (space,) = make_spaces(None, tmp_path / "weights.pth", CPU)
    assert space.name == f"ImageNet(resnet18@{sha256[:8]})"
    assert not space.is_inception
    pixels = torch.randint(0, 256, (2, 3, 224, 224), dtype=torch.uint8)
    normal = (pixels.float() / 255 - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor(
        [0.229, 0.224, 0.225]
    ).view(3, 1, 1)
    net.fc = torch.nn.Identity()
    with torch.inference_mode():
        expected = net(normal).double().numpy()
    assert space.extractor(pixels) == pytest.approx(expected, abs=1e-4)


def test_larger_and_smaller_pictures_are_brought_to_224_pixels(tmp_path, monkeypatch):
    net = resnet18().eval()
    torch.save(net.state_dict(), tmp_path / "weights.pth")
    sha256 = spaces.sha256_of(tmp_path / "weights.pth")
    monkeypatch.setattr(spaces, "IMAGENET_SHAS", {sha256[:8]: "resnet18"})
    (space,) = make_spaces(None, tmp_path / "weights.pth", CPU)
    net.fc = torch.nn.Identity()
    for side in (300, 64):
        pixels = torch.randint(0, 256, (1, 3, side, side), dtype=torch.uint8)
        resized = torch.nn.functional.interpolate(pixels / 255, (224, 224), mode="bilinear", antialias=True)
        normal = (resized - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor(
            [0.229, 0.224, 0.225]
        ).view(3, 1, 1)
        with torch.inference_mode():
            assert space.extractor(pixels) == pytest.approx(net(normal).double().numpy(), abs=1e-4)


def test_the_old_names_of_a_densenet_are_read(tmp_path, monkeypatch):
    """Its published file calls `norm1` of a layer `norm.1`; the classifier is taken off."""
    net = densenet121().eval()
    old = {re.sub(r"(norm|conv)([12])\.", r"\1.\2.", key): value for key, value in net.state_dict().items()}
    assert sum(key not in net.state_dict() for key in old) > 300
    torch.save(old, tmp_path / "weights.pth")
    sha256 = spaces.sha256_of(tmp_path / "weights.pth")
    monkeypatch.setattr(spaces, "IMAGENET_SHAS", {sha256[:8]: "densenet121"})
    (space,) = make_spaces(None, tmp_path / "weights.pth", CPU)
    assert space.name == f"ImageNet(densenet121@{sha256[:8]})"
    assert space.extractor(torch.zeros(1, 3, 32, 32, dtype=torch.uint8)).shape == (1, 1024)


def test_only_in_inception_a_frechet_distance_is_a_fid():
    assert Space(PIXELS, True, Message("x")).frechet_name == "FID"
    assert Space(PIXELS, False, Message("x")).frechet_name == "FD"
    assert set(spaces.IMAGENET_SHAS.values()) == {"resnet18", "resnet50", "densenet121"}
    (pixels,) = make_spaces(None, None, CPU)
    assert not pixels.is_inception
    assert "colour and layout alone" in pixels.caution
