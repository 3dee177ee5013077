"""What a run begins with."""

from __future__ import annotations

import torch
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy

from classifier.config import ClassifierConfig
from classifier.learner import begin
from classifier.model import TrainedNetwork
from core.models.classification.architectures import ARCHITECTURES
from core.models.safe_weights import sha256_of
from core.taxonomy import CLASSES

STATISTICS = ((0.5, 0.5, 0.5), (0.2, 0.2, 0.2))


def test_a_new_head_on_a_trained_trunk_begins_at_the_loss_of_chance(tmp_path):
    name = "efficientnet_lite0"
    torch.manual_seed(1)
    trunk = ARCHITECTURES[name].build(1000)
    torch.nn.init.constant_(trunk.head[1].weight, 3.0)  # features as large as trained ones are
    file = tmp_path / "trunk.safetensors"
    save_file(trunk.state_dict(), file)
    config = ClassifierConfig(architecture=name, pretrained=str(file), weights_sha256=sha256_of(file))
    start = begin(config, STATISTICS)
    labels = torch.arange(len(CLASSES))
    with torch.no_grad():
        loss = cross_entropy(start.net.eval()(torch.randn(len(CLASSES), 3, 64, 64)), labels)
    assert abs(loss - torch.tensor(float(len(CLASSES))).log()) < 1e-4


def test_the_mask_head_is_fitted_on_the_device_of_the_network():
    architecture = ARCHITECTURES["small_cnn"]
    net = architecture.build(len(CLASSES)).to("meta")
    seen = []
    net.register_forward_pre_hook(lambda _net, inputs: seen.append(inputs[0].device.type))
    assert TrainedNetwork(net, architecture, dropout=0, draws_masks=True).mask_head.in_channels == 32
    assert seen == ["meta"]
