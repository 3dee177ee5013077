"""Reading a network: what the linear head sees is what `features` returns."""

from __future__ import annotations

import torch

from core.models.classification.loading import load_network, to_tensor
from tests.support.tiny_classifier import draw_lesion, write_random_resnet, write_tiny_classifier


def test_the_head_applied_to_the_features_gives_the_logits(tmp_path):
    pixels = torch.cat([to_tensor(draw_lesion(code)) for code in ("MEL", "VASC", "DF")])
    for path in (write_tiny_classifier(tmp_path / "tiny"), write_random_resnet(tmp_path / "classifier.pth")):
        network = load_network(path)
        features = network.features(pixels)
        assert features.shape == (3, network.head.in_features)
        assert torch.allclose(network.head(features), network.logits(pixels), atol=1e-5)
        assert not network.head._forward_pre_hooks
