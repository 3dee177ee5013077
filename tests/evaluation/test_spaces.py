"""Feature spaces: what they are called, and that only known weights are taken."""

import pytest
import torch
from torchvision.models import resnet18

from core.errors import ModelRefusedError
from core.models.classification.loading import load_network
from evaluation import spaces
from evaluation.spaces import make_spaces
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
